"""Coroutine functions of the standard library and of common asynchronous clients.

Calling one of them runs nothing: only awaiting the result (or making a task of it) does. The value is
the class of the awaited result, empty where it is not known or does not matter. Methods that give an
awaitable object which has started already, such as `asyncio.gather`, are not among them.
"""

from __future__ import annotations

from collections.abc import Mapping

_HTTPX = dict.fromkeys(
    ("get", "post", "put", "patch", "delete", "head", "options", "request", "send"), "httpx.Response"
) | {"aclose": ""}
_FILE = dict.fromkeys(
    ("read", "readline", "readlines", "write", "writelines", "truncate", "seek", "tell", "flush"), ""
)
_STREAM = dict.fromkeys(("read", "readline", "readexactly", "readuntil"), "builtins.bytes")
_SESSION = (
    "execute",
    "scalar",
    "scalars",
    "commit",
    "rollback",
    "flush",
    "refresh",
    "delete",
    "merge",
    "get",
)
_WEBSOCKET = (
    "accept",
    "close",
    "send",
    "send_text",
    "send_bytes",
    "send_json",
    "receive_text",
    "receive_json",
)

_REDIS = (
    "aclose", "decr", "delete", "exists", "expire", "get", "hdel", "hget", "hgetall", "hset", "incr", "lpop",
    "lpush", "lrange", "mget", "mset", "ping", "publish", "rpop", "rpush", "sadd", "set", "setex", "setnx",
    "sismember", "smembers", "srem", "ttl", "zadd", "zrange",
)  # fmt: skip

_METHODS: Mapping[str, Mapping[str, str]] = {
    "asyncio": {
        "sleep": "", "wait": "", "wait_for": "", "to_thread": "", "open_connection": "", "start_server": "",
        "create_subprocess_exec": "asyncio.subprocess.Process",
        "create_subprocess_shell": "asyncio.subprocess.Process",
    },
    "asyncio.subprocess.Process": {"wait": "builtins.int", "communicate": ""},
    "asyncio.Event": {"wait": "builtins.bool"},
    "asyncio.Lock": {"acquire": "builtins.bool"},
    "asyncio.Semaphore": {"acquire": "builtins.bool"},
    "asyncio.BoundedSemaphore": {"acquire": "builtins.bool"},
    "asyncio.Condition": {"wait": "builtins.bool", "wait_for": ""},
    "asyncio.Barrier": {"wait": "builtins.int"},
    "asyncio.Queue": {"get": "", "put": "", "join": ""},
    "asyncio.PriorityQueue": {"get": "", "put": "", "join": ""},
    "asyncio.LifoQueue": {"get": "", "put": "", "join": ""},
    "asyncio.StreamReader": _STREAM,
    "asyncio.StreamWriter": {"drain": "", "wait_closed": ""},
    "anyio": {"sleep": "", "sleep_forever": "", "open_file": "anyio.AsyncFile"},
    "anyio.AsyncFile": {**_FILE, "aclose": ""},
    "aiofiles.threadpool.text.AsyncTextIOWrapper": {**_FILE, "close": ""},
    "anyio.to_thread": {"run_sync": ""},
    "httpx.AsyncClient": _HTTPX,
    "aiohttp.ClientSession": {"close": ""},
    "asyncpg": {"connect": "asyncpg.Connection"},
    "asyncpg.Connection": dict.fromkeys(
        ("execute", "executemany", "fetch", "fetchrow", "fetchval", "close"), ""
    ),
    "asyncpg.Pool": dict.fromkeys(("execute", "executemany", "fetch", "fetchrow", "fetchval", "close"), ""),
    "redis.asyncio.Redis": dict.fromkeys(_REDIS, ""),
    "sqlalchemy.ext.asyncio.AsyncSession": dict.fromkeys(_SESSION, ""),
    "starlette.concurrency": {"run_in_threadpool": ""},
    "fastapi.concurrency": {"run_in_threadpool": ""},
    "fastapi.WebSocket": dict.fromkeys(_WEBSOCKET, ""),
    "starlette.websockets.WebSocket": dict.fromkeys(_WEBSOCKET, ""),
    **{
        name: {"json": "", "body": "builtins.bytes"}
        for name in ("fastapi.Request", "starlette.requests.Request")
    },
    **{
        name: {"read": "builtins.bytes", "write": "", "seek": "", "close": ""}
        for name in ("fastapi.UploadFile", "starlette.datastructures.UploadFile")
    },
}  # fmt: skip

COROUTINES: Mapping[str, str] = {
    f"{owner}.{name}": result for owner, methods in _METHODS.items() for name, result in methods.items()
}
