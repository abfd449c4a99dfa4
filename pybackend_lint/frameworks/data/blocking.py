"""Calls that block the thread they run in, what they cost, and what does the same without blocking.

Facts are those of the libraries' own documentation: a call is listed when it waits for another
machine, another process, another thread or a timer, or computes long by design. Names are the
documented qualified names; methods are named by the class that defines them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cost(StrEnum):
    """What a blocking call costs: a wait of open length, a read of the disk, or processor time."""

    WAIT = "wait"
    DISK = "disk"
    CPU = "cpu"


class Sort(StrEnum):
    """What a blocking call does."""

    SLEEP = "sleep"
    PROCESS = "process"
    LOCK = "lock"
    JOIN = "join"
    HTTP = "http"
    DATABASE = "database"
    SDK = "sdk"
    FILE = "file"
    PASSWORD = "password"
    COMPUTE = "compute"
    CONFIGURED = "configured"


_COSTS = {Sort.FILE: Cost.DISK, Sort.PASSWORD: Cost.CPU, Sort.COMPUTE: Cost.CPU}


@dataclass(frozen=True, slots=True)
class Blocking:
    """A blocking call: its sort and the asynchronous form to use instead."""

    sort: Sort
    twin: str

    @property
    def cost(self) -> Cost:
        """What the call costs."""
        return _COSTS.get(self.sort, Cost.WAIT)


TO_THREAD = "asyncio.to_thread()"
_HTTPX = "httpx.AsyncClient"
_SUBPROCESS = "asyncio.create_subprocess_exec()"
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")

FUNCTIONS: Mapping[str, Blocking] = {
    "time.sleep": Blocking(Sort.SLEEP, "asyncio.sleep()"),
    **{
        f"subprocess.{name}": Blocking(Sort.PROCESS, _SUBPROCESS)
        for name in ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
    },
    "os.system": Blocking(Sort.PROCESS, "asyncio.create_subprocess_shell()"),
    **{
        f"os.{name}": Blocking(Sort.PROCESS, "asyncio.subprocess.Process.wait()")
        for name in ("wait", "wait3", "wait4", "waitpid", "waitid")
    },
    **{
        f"psutil.{name}": Blocking(Sort.PROCESS, TO_THREAD)
        for name in ("cpu_percent", "cpu_times_percent", "wait_procs")
    },
    "concurrent.futures.as_completed": Blocking(Sort.JOIN, "asyncio.as_completed()"),
    "concurrent.futures.wait": Blocking(Sort.JOIN, "asyncio.wait()"),
    **{f"requests.{verb}": Blocking(Sort.HTTP, _HTTPX) for verb in _VERBS},
    **{f"httpx.{verb}": Blocking(Sort.HTTP, _HTTPX) for verb in (*_VERBS, "stream")},
    "urllib.request.urlopen": Blocking(Sort.HTTP, _HTTPX),
    "urllib.request.urlretrieve": Blocking(Sort.HTTP, _HTTPX),
    "urllib3.request": Blocking(Sort.HTTP, _HTTPX),
    **{
        f"{driver}.connect": Blocking(Sort.DATABASE, twin)
        for driver, twin in (
            ("psycopg2", "asyncpg"), ("psycopg", "psycopg.AsyncConnection"), ("pymysql", "aiomysql"),
            ("MySQLdb", "aiomysql"), ("mysql.connector", "mysql.connector.aio"), ("pyodbc", "aioodbc"),
            ("oracledb", "oracledb.connect_async()"), ("cx_Oracle", "oracledb.connect_async()"),
        )
    },
    "sqlite3.connect": Blocking(Sort.DATABASE, "aiosqlite"),
    "pika.BlockingConnection": Blocking(Sort.DATABASE, "aio_pika"),
    "git.Repo.clone_from": Blocking(Sort.PROCESS, TO_THREAD),
    **{f"smtplib.{name}": Blocking(Sort.SDK, "aiosmtplib") for name in ("SMTP", "SMTP_SSL")},
    **{f"ftplib.{name}": Blocking(Sort.SDK, "aioftp") for name in ("FTP", "FTP_TLS")},
    **{f"imaplib.{name}": Blocking(Sort.SDK, TO_THREAD) for name in ("IMAP4", "IMAP4_SSL")},
    "socket.create_connection": Blocking(Sort.SDK, "asyncio.open_connection()"),
    **{
        f"socket.{name}": Blocking(Sort.SDK, "loop.getaddrinfo()")
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
    },
    **{
        name: Blocking(Sort.PASSWORD, TO_THREAD)
        for name in (
            "bcrypt.hashpw", "bcrypt.checkpw", "bcrypt.kdf", "hashlib.scrypt", "hashlib.pbkdf2_hmac",
            "werkzeug.security.generate_password_hash", "werkzeug.security.check_password_hash",
            "django.contrib.auth.hashers.make_password", "django.contrib.auth.hashers.check_password",
        )
    },
    **{
        f"pandas.{name}": Blocking(Sort.COMPUTE, TO_THREAD)
        for name in (
            "read_csv", "read_excel", "read_json", "read_html", "read_parquet", "read_sql", "read_sql_query",
            "read_sql_table", "read_xml",
        )
    },
    **{
        f"cryptography.hazmat.primitives.asymmetric.{kind}": Blocking(Sort.COMPUTE, TO_THREAD)
        for kind in ("rsa.generate_private_key", "dsa.generate_private_key", "dh.generate_parameters")
    },
    "builtins.open": Blocking(Sort.FILE, TO_THREAD),
    **{
        f"os.{name}": Blocking(Sort.FILE, TO_THREAD)
        for name in (
            "listdir", "makedirs", "mkdir", "remove", "removedirs", "rename", "replace", "rmdir", "scandir",
            "unlink", "walk",
        )
    },
    **{
        f"shutil.{name}": Blocking(Sort.FILE, TO_THREAD)
        for name in (
            "copy", "copy2", "copyfile", "copyfileobj", "copytree", "rmtree", "move", "make_archive",
            "unpack_archive",
        )
    },
}  # fmt: skip

_LOCKS = ("Lock", "RLock", "Semaphore", "BoundedSemaphore")
_QUEUES = ("Queue", "LifoQueue", "PriorityQueue")
_DBAPI_CURSOR = ("execute", "executemany", "fetchone", "fetchmany", "fetchall")
_DBAPI_CONNECTION = ("execute", "executemany", "executescript", "commit")
_SESSION = (
    "execute", "scalar", "scalars", "get", "get_one", "commit", "flush", "refresh", "merge",
    "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings",
)  # fmt: skip
_QUERY = ("all", "first", "one", "one_or_none", "scalar", "count", "get", "update", "delete")
_COLLECTION = (
    "aggregate", "bulk_write", "count_documents", "create_index", "delete_many", "delete_one", "distinct",
    "drop", "estimated_document_count", "find_one", "find_one_and_delete", "find_one_and_replace",
    "find_one_and_update", "insert_many", "insert_one", "replace_one", "update_many", "update_one",
)  # fmt: skip
_PATH = (
    "read_text", "read_bytes", "write_text", "write_bytes", "open", "unlink", "mkdir", "rmdir", "touch",
    "rename", "replace", "iterdir", "glob", "rglob",
)  # fmt: skip

METHODS: Mapping[str, tuple[tuple[str, ...], Blocking]] = {
    "subprocess.Popen": (("wait", "communicate"), Blocking(Sort.PROCESS, _SUBPROCESS)),
    **{
        f"psutil.{name}": (("cpu_percent", "wait"), Blocking(Sort.PROCESS, TO_THREAD))
        for name in ("Process", "Popen")
    },
    **{f"threading.{name}": (("acquire",), Blocking(Sort.LOCK, "asyncio.Lock")) for name in _LOCKS},
    **{
        f"threading.{name}": (("wait",), Blocking(Sort.JOIN, f"asyncio.{name}"))
        for name in ("Event", "Condition", "Barrier")
    },
    **{f"threading.{name}": (("join",), Blocking(Sort.JOIN, TO_THREAD)) for name in ("Thread", "Timer")},
    **{f"queue.{name}": (("get", "put", "join"), Blocking(Sort.JOIN, "asyncio.Queue")) for name in _QUEUES},
    "queue.SimpleQueue": (("get",), Blocking(Sort.JOIN, "asyncio.Queue")),
    **{
        f"multiprocessing.{name}": (methods, Blocking(Sort.JOIN, TO_THREAD))
        for name, methods in (("Process", ("join",)), ("Queue", ("get",)), ("JoinableQueue", ("get", "join")))
    },
    "concurrent.futures.Future": (("result", "exception"), Blocking(Sort.JOIN, "asyncio.wrap_future()")),
    **{
        name: ((*_VERBS, "send"), Blocking(Sort.HTTP, _HTTPX))
        for name in ("requests.Session", "requests_oauthlib.OAuth2Session", "cloudscraper.CloudScraper")
    },
    "httpx.Client": ((*_VERBS, "send", "stream"), Blocking(Sort.HTTP, _HTTPX)),
    **{
        f"urllib3.{name}": (("request", "urlopen", "request_encode_body"), Blocking(Sort.HTTP, _HTTPX))
        for name in ("PoolManager", "ProxyManager", "HTTPConnectionPool", "HTTPSConnectionPool")
    },
    **{
        f"http.client.{name}": (("request", "getresponse", "connect"), Blocking(Sort.HTTP, _HTTPX))
        for name in ("HTTPConnection", "HTTPSConnection")
    },
    **{
        name: (_DBAPI_CURSOR, Blocking(Sort.DATABASE, twin))
        for name, twin in (
            ("sqlite3.Cursor", "aiosqlite"), ("psycopg2.extensions.cursor", "asyncpg"),
            ("psycopg.Cursor", "psycopg.AsyncConnection"), ("pymysql.cursors.Cursor", "aiomysql"),
        )
    },
    **{
        name: (_DBAPI_CONNECTION, Blocking(Sort.DATABASE, twin))
        for name, twin in (
            ("sqlite3.Connection", "aiosqlite"), ("psycopg2.extensions.connection", "asyncpg"),
            ("psycopg.Connection", "psycopg.AsyncConnection"), ("pymysql.connections.Connection", "aiomysql"),
        )
    },
    "sqlalchemy.orm.Session": (_SESSION, Blocking(Sort.DATABASE, "AsyncSession")),
    "sqlalchemy.orm.Query": (_QUERY, Blocking(Sort.DATABASE, "AsyncSession")),
    "sqlalchemy.engine.Connection": (
        ("execute", "scalar", "scalars", "commit"), Blocking(Sort.DATABASE, "AsyncConnection"),
    ),
    "redis.client.Pipeline": (("execute",), Blocking(Sort.DATABASE, "redis.asyncio")),
    "pymongo.collection.Collection": (_COLLECTION, Blocking(Sort.DATABASE, "pymongo.AsyncMongoClient")),
    **{
        f"smtplib.{name}": (
            ("connect", "ehlo", "login", "quit", "send_message", "sendmail", "starttls"),
            Blocking(Sort.SDK, "aiosmtplib"),
        )
        for name in ("SMTP", "SMTP_SSL")
    },
    "paramiko.SSHClient": (("connect", "exec_command", "open_sftp"), Blocking(Sort.SDK, "asyncssh")),
    "argon2.PasswordHasher": (("hash", "verify"), Blocking(Sort.PASSWORD, TO_THREAD)),
    "pwdlib.PasswordHash": (
        ("hash", "verify", "verify_and_update"), Blocking(Sort.PASSWORD, TO_THREAD),
    ),
    "passlib.context.CryptContext": (
        ("hash", "encrypt", "verify", "verify_and_update"), Blocking(Sort.PASSWORD, TO_THREAD),
    ),
    **{
        f"passlib.hash.{name}": (("hash", "verify"), Blocking(Sort.PASSWORD, TO_THREAD))
        for name in ("argon2", "bcrypt", "bcrypt_sha256", "pbkdf2_sha256", "pbkdf2_sha512", "scrypt")
    },
    "pathlib.Path": (_PATH, Blocking(Sort.FILE, TO_THREAD)),
    "elasticsearch.Elasticsearch": (
        (
            "bulk", "count", "create", "delete", "delete_by_query", "exists", "get", "index", "info", "mget",
            "msearch", "ping", "scroll", "search", "update", "update_by_query",
        ),
        Blocking(Sort.DATABASE, "elasticsearch.AsyncElasticsearch"),
    ),
    "clickhouse_driver.Client": (
        ("execute", "execute_iter", "insert_dataframe", "query_dataframe"), Blocking(Sort.DATABASE, "asynch"),
    ),
    "postgrest.SyncQueryRequestBuilder": (("execute",), Blocking(Sort.DATABASE, "supabase.AsyncClient")),
    "kafka.KafkaProducer": (("flush",), Blocking(Sort.DATABASE, "aiokafka.AIOKafkaProducer")),
    "kafka.KafkaConsumer": (("poll",), Blocking(Sort.DATABASE, "aiokafka.AIOKafkaConsumer")),
    "confluent_kafka.Producer": (("flush",), Blocking(Sort.DATABASE, "aiokafka.AIOKafkaProducer")),
    "confluent_kafka.Consumer": (("consume",), Blocking(Sort.DATABASE, "aiokafka.AIOKafkaConsumer")),
    "google.cloud.storage.Client": (
        ("create_bucket", "get_bucket", "list_buckets", "list_blobs"), Blocking(Sort.SDK, TO_THREAD),
    ),
    "google.cloud.storage.Bucket": (
        ("copy_blob", "delete", "delete_blob", "exists", "get_blob"), Blocking(Sort.SDK, TO_THREAD),
    ),
    "google.cloud.storage.Blob": (
        (
            "delete", "download_as_bytes", "download_as_string", "download_as_text", "download_to_file",
            "download_to_filename", "exists", "make_public", "upload_from_file", "upload_from_filename",
            "upload_from_string",
        ),
        Blocking(Sort.SDK, TO_THREAD),
    ),
    "azure.storage.blob.BlobClient": (
        ("delete_blob", "download_blob", "exists", "upload_blob"),
        Blocking(Sort.SDK, "azure.storage.blob.aio"),
    ),
    "azure.storage.blob.ContainerClient": (
        ("create_container", "delete_blob", "delete_container", "download_blob", "exists", "upload_blob"),
        Blocking(Sort.SDK, "azure.storage.blob.aio"),
    ),
    "slack_sdk.WebClient": (
        (
            "api_call", "auth_test", "chat_postMessage", "chat_update", "chat_delete", "chat_postEphemeral",
            "conversations_history", "conversations_info", "conversations_list", "conversations_open",
            "conversations_replies", "files_upload_v2", "users_info", "users_list", "users_lookupByEmail",
            "views_open", "views_publish", "views_update",
        ),
        Blocking(Sort.SDK, "slack_sdk.web.async_client.AsyncWebClient"),
    ),
    "sendgrid.SendGridAPIClient": (("send",), Blocking(Sort.SDK, TO_THREAD)),
    "PIL.Image.Image": (
        ("convert", "filter", "quantize", "resize", "rotate", "save", "thumbnail"),
        Blocking(Sort.COMPUTE, TO_THREAD),
    ),
    "zipfile.ZipFile": (("extractall", "testzip"), Blocking(Sort.COMPUTE, TO_THREAD)),
    "tarfile.TarFile": (("extractall",), Blocking(Sort.COMPUTE, TO_THREAD)),
}  # fmt: skip

# Every method of these waits for the network, but for the ones named.
ALL_METHODS: Mapping[str, tuple[frozenset[str], Blocking]] = {
    "redis.Redis": (
        frozenset(
            {
                "pipeline", "pubsub", "lock", "register_script", "close", "from_url", "get_encoder", "json",
                "ft", "ts", "bf", "cf", "set_response_callback", "get_connection_kwargs", "scan_iter",
                "hscan_iter", "sscan_iter", "zscan_iter", "load_external_module", "monitor", "client",
            }
        ),
        Blocking(Sort.DATABASE, "redis.asyncio"),
    ),
    "botocore.client.BaseClient": (
        frozenset(
            {
                "can_paginate", "close", "generate_presigned_post", "generate_presigned_url", "get_paginator",
                "get_waiter", "exceptions", "meta",
            }
        ),
        Blocking(Sort.SDK, TO_THREAD),
    ),
    "boto3.resources.base.ServiceResource": (
        frozenset({"get_available_subresources", "Bucket", "Object", "Queue", "Table", "Topic"}),
        Blocking(Sort.SDK, TO_THREAD),
    ),
}  # fmt: skip

# Resources hang from the client as attributes: `client.chat.completions.create`.
_RESOURCE_CALLS = frozenset({"create", "parse", "generate", "edit", "retrieve", "count_tokens"})
RESOURCE_CLIENTS: Mapping[str, Blocking] = {
    "openai.OpenAI": Blocking(Sort.SDK, "openai.AsyncOpenAI"),
    "openai.AzureOpenAI": Blocking(Sort.SDK, "openai.AsyncAzureOpenAI"),
    "anthropic.Anthropic": Blocking(Sort.SDK, "anthropic.AsyncAnthropic"),
    "groq.Groq": Blocking(Sort.SDK, "groq.AsyncGroq"),
    "twilio.rest.Client": Blocking(Sort.SDK, TO_THREAD),
}

# Stripe has a class for each resource, and asynchronous twins of its verbs since version 8.
_STRIPE_VERBS = frozenset({"cancel", "capture", "confirm", "create", "delete", "finalize_invoice", "list",
                           "modify", "pay", "retrieve", "search"})  # fmt: skip

# The file of an upload is a plain one, which objects get when they are made.
_BY_ATTRIBUTE: Mapping[str, Blocking] = {
    f"{owner}.UploadFile.file.{name}": Blocking(Sort.FILE, f"UploadFile.{name}()")
    for owner in ("fastapi", "starlette.datastructures")
    for name in ("read", "write", "seek")
}
_BY_METHOD = {f"{owner}.{method}": entry for owner, (methods, entry) in METHODS.items() for method in methods}


def find(name: str) -> Blocking | None:
    """The entry of a qualified name; None for calls that do not block or are not known."""
    entry = FUNCTIONS.get(name) or _BY_METHOD.get(name) or _BY_ATTRIBUTE.get(name)
    if entry is not None:
        return entry
    owner, _, method = name.rpartition(".")
    if method in _STRIPE_VERBS and name.startswith("stripe."):
        return Blocking(Sort.SDK, f"{method}_async()") if owner.rpartition(".")[2][:1].isupper() else None
    known = ALL_METHODS.get(owner)
    if known is not None:
        return known[1] if method not in known[0] and not method.startswith("_") else None
    if method in _RESOURCE_CALLS:
        for client, client_entry in RESOURCE_CLIENTS.items():
            if name.startswith(f"{client}."):
                return client_entry
    return None
