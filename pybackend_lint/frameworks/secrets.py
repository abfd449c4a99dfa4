"""Facts about secrets in code: formats of well-known keys, names of secrets, and what only looks like one."""

from __future__ import annotations

import ast
import ipaddress
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import django_web, pydantic
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.import_edits import add_import
from pybackend_lint.semantic.module import Module

# By the documentation of the providers that issue them; each pattern covers the whole key.
_FORMATS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("an AWS access key", r"(?<![A-Z0-9])AKIA([A-Z2-7]{16})(?![A-Z0-9])"),
        ("a Stripe key", r"\b[sr]k_live_([0-9A-Za-z]{20,})\b"),
        ("a GitHub token", r"\b(?:ghp_|github_pat_)([0-9A-Za-z_]{36,})\b"),
        ("a GitLab token", r"\bglpat-([0-9A-Za-z_-]{20,})"),
        ("a Slack token", r"\bxox[abprs]-([0-9A-Za-z-]{24,})"),
        ("a Slack webhook", r"hooks\.slack\.com/services/(T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/[0-9A-Za-z]{20,})"),
        ("a Google API key", r"\bAIza([0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])"),
        ("a SendGrid key", r"\bSG\.([0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{30,})"),
        ("an OpenAI key", r"\bsk-(?:proj-|svcacct-)?([0-9A-Za-z_-]*[0-9A-Za-z]{40,})"),
        ("an Anthropic key", r"\bsk-ant-([0-9A-Za-z_-]{40,})"),
        ("a private key", r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*([0-9A-Za-z+/=\s\\]{100,})"),
        ("a signed token", r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.([0-9A-Za-z_-]{20,})"),
    )
)
_FORMAT_WORDS = (
    "AKIA", "k_live_", "ghp_", "github_pat_", "glpat-", "xox", "hooks.slack.com", "AIza", "SG.", "sk-",
    "PRIVATE KEY", "eyJ",
)  # fmt: skip
_URL = re.compile(r"://([^\s:/@?#]+):([^\s:/@?#]+)@([^\s:/?#\"']+)")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:secret|password|passwd|passphrase|token|api_?key|secret_?key|private_?key|signing_?key"
    r"|encryption_?key|access_?key|auth_?key)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Where a name of that kind is given a text with a digit: by assignment, as argument or in a dictionary.
# One pattern for each word: a pattern that begins with letters is found much faster than alternatives.
_NEAR = tuple(
    re.compile(word + r"[a-z]*[\"']?\]?[ \t]*(?::[^=\n]{0,60})?[=:,][ \t\n(]*[rb]?[\"'][^\"'\s]*\d")
    for word in ("secret", "pass(?:w|phrase)", "token", "key")
)
_PLACEHOLDER = re.compile(
    r"change|replace|insert|your|example|sample|dummy|fake|placeholder|default|insecure|todo|not[-_]?set|redacted"
    r"|xxx|\*\*\*|\.\.\.|test|demo|secret|password|passwd|1234|abcd|0000|foobar|lorem|undefined|null|<|>|\$|\{|\}",
    re.IGNORECASE,
)
_OF_DJANGO = re.compile(r"[a-z0-9!@#$%^&*(\-_=+)]{50}")  # as `django.core.management.utils` makes a key
_WORDS_ONLY = re.compile(r"[A-Za-z]+[0-9]{0,3}(?:[-_.:/@=,]+(?:[A-Za-z]+[0-9]{0,3}|[0-9]{1,3}))*")
_HARMLESS_PASSWORDS = frozenset(
    {
        "pass",
        "pwd",
        "token",
        "guest",
        "root",
        "admin",
        "user",
        "port",
        "postgres",
        "mysql",
        "redis",
        "rabbitmq",
    }
)
_EXAMPLE_HOSTS = (".example", ".example.com", ".example.org", ".local", ".test", ".invalid", ".localhost")
_PUBLIC_PREFIXES = ("pk_", "phc_", "pub")  # issued to be shipped to browsers
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get"})
_TOLD = frozenset({"example", "examples", "description", "help", "doc", "summary", "pattern", "regex"})
_EXAMPLES = frozenset({"example", "examples", "demo", "demos", "sample", "samples", "docs"})
_DEVELOPMENT = ("dev", "test", "local", "debug", "ci")
_FOR_DEVELOPMENT = frozenset({"dev", "devproject", "devel", "development", "devsettings"})
_EXAMPLE_NAME = re.compile(
    r"(?:^|_)(?:tests?|examples?|demo|dummy|sample|fake|mock|dev)(?:_|$)", re.IGNORECASE
)
# What only a pattern of texts holds: a class of characters, a repetition, a group.
_PATTERN = re.compile(r"\\[dwsb]|\[[^\]]*\w-\w[^\]]*\]|\{\d+(?:,\d*)?\}|\(\?")
_SETS_KEY = re.compile(rb"^\s*SECRET_KEY\s*=", re.MULTILINE)
_LEAST_LENGTH = 8
_LEAST_PASSWORD = 6  # of a URL; shorter ones are written to show what a URL looks like
_DENSE = re.compile(r"(?=[^0-9]*[0-9])[!-~]{8,200}")  # no spaces, at least one digit
_DJANGO_ENTROPY = 4.0
_LEAST_ENTROPY = 3.0  # bits for each character, of names with a literal
_KEY_ENTROPY = 3.3  # of the random part of a key with a known format


@dataclass(frozen=True, eq=False)
class Secret:
    """A text in the code that is a secret.

    - `name`: what it is assigned to, as it is written; empty where it has no name.
    - `what`: a phrase for the message.
    """

    node: ast.Constant
    name: str
    what: str


def entropy(text: str) -> float:
    """Shannon's entropy of a text in bits for each character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0


def known_format(text: str) -> str | None:
    """What key of a well-known format a text contains, such as "an AWS access key"; None for none.

    Keys that are written to be examples do not count: those that say so and those with a pattern.
    """
    if not any(word in text for word in _FORMAT_WORDS):
        return None
    for what, pattern in _FORMATS:
        found = pattern.search(text)
        if found is not None and entropy(found.group(1)) >= _KEY_ENTROPY:
            is_long = what in {"a private key", "a signed token"}
            if is_long or not _PLACEHOLDER.search(found.group()):
                return what
    return None


def url_password(text: str) -> str | None:
    """The password in a URL of a host that is neither local nor an example, or None."""
    for user, password, host in _URL.findall(text) if "://" in text else ():
        name = host.lower().rstrip(".")
        if "." not in name or _is_private_address(name):
            continue
        if name.endswith(_EXAMPLE_HOSTS) or name.startswith("example.") or "host" in name.split("."):
            continue
        if password.lower() in {user.lower(), *_HARMLESS_PASSWORDS} or _PLACEHOLDER.search(password):
            continue
        if len(password) < _LEAST_PASSWORD:
            continue
        return str(password)
    return None


def _is_private_address(host: str) -> bool:
    """Whether a host is an address that is not reached from everywhere, or no address at all."""
    if not host.replace(".", "").isdigit():
        return False
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return True


def is_secret_name(name: str) -> bool:
    """Whether a variable, argument or key is named like one that holds a secret."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name).replace("-", "_")) is not None


def looks_random(text: str) -> bool:
    """Whether a text is long and irregular enough to be a secret rather than words or a name."""
    if _DENSE.fullmatch(text) is None:
        return False
    if _OF_DJANGO.fullmatch(text) and any(map(text.__contains__, "!@#$%^&*(+)")):
        return entropy(text) >= _DJANGO_ENTROPY
    if _PLACEHOLDER.search(text) or _WORDS_ONLY.fullmatch(text) or text.startswith(_PUBLIC_PREFIXES):
        return False
    if "://" in text or text.startswith(("/", ".", "#", "%")) or _PATTERN.search(text):
        return False
    return (
        any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and entropy(text) >= _LEAST_ENTROPY
    )


def secrets(module: Module) -> Iterator[Secret]:
    """The secrets that the texts of a module hold, in no particular order.

    In examples only keys of well-known formats count; settings for development and tests hold none.
    """
    *folders, stem = module.name.lower().split(".")
    if stem.startswith(_DEVELOPMENT) or not _FOR_DEVELOPMENT.isdisjoint(folders):
        return
    source = module.source
    texts = [
        (node, node.value)
        for node in source.nodes(ast.Constant)
        if isinstance(node.value, str) and len(node.value) >= _LEAST_LENGTH
    ]
    together = "\n".join(value for _, value in texts)
    formats = any(map(together.__contains__, _FORMAT_WORDS))
    is_example = stem.startswith(("example_", "demo_")) or not _EXAMPLES.isdisjoint(folders)
    lowered = "" if is_example else source.text.lower()
    named = any(pattern.search(lowered) for pattern in _NEAR)
    if not formats and not named and ("://" not in together or _URL.search(together) is None):
        return
    for node, value in texts:
        what = known_format(value) if formats else None
        if what is None and "://" in value and url_password(value) is not None:
            what = "the password of a URL"
        if what is None and not (named and looks_random(value)):
            continue
        if _is_told(node, module) or "nosec" in source.line(node.lineno):
            continue
        name = _name_of(node, module)
        if what is None and is_secret_name(name) and not _is_of_flask(name, node, module):
            what = None if name == "SECRET_KEY" and _is_set_again(module) else "a secret"
        if what is not None:
            yield Secret(node, name, what)


def _is_set_again(module: Module) -> bool:
    """Whether settings beside a module take its names over and set the key themselves."""
    index = module.modules
    if not isinstance(index, Index):
        return False
    own = index.path_of(module)
    for path in files_with(index, module, b"SECRET_KEY"):
        if path != own and os.path.dirname(path) == os.path.dirname(own):
            data = index.files.read(path) or b""
            stem = os.path.basename(path).removesuffix(".py")
            if b"import *" in data and not stem.startswith(_DEVELOPMENT) and _SETS_KEY.search(data):
                return True
    return False


def _is_told(node: ast.Constant, module: Module) -> bool:
    """Whether a text is documentation: a docstring, an example in a schema, part of a larger text."""
    for ancestor in module.source.ancestors(node):
        match ancestor:
            case ast.Expr() | ast.JoinedStr() | ast.Compare() | ast.Subscript():
                return not isinstance(ancestor, ast.Expr) or ancestor.value is node
            case ast.keyword(arg=str(name)) if name in _TOLD:
                return True
            case ast.Dict(keys=keys):
                if any(isinstance(key, ast.Constant) and key.value in _TOLD for key in keys):
                    return True
            case ast.Assign(targets=[target]) if _EXAMPLE_NAME.search(_target_name(target)):
                return True
            case ast.stmt():
                return False
    return False


def _name_of(node: ast.Constant, module: Module) -> str:
    """The name that a text is given: of a variable, an argument or an entry of a dictionary."""
    source = module.source
    parent = source.parent(node)
    match parent:
        case ast.Assign(targets=[target], value=value) if value is node:
            return _target_name(target)
        case ast.AnnAssign(target=target, value=value) if value is node:
            return _target_name(target)
        case ast.keyword(arg=str(name)):
            return name
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if value is node and isinstance(key, ast.Constant) and isinstance(key.value, str):
                    return key.value
        case ast.Call(args=[ast.Constant(value=str(variable)), second], func=func) if second is node:
            return variable if module.qualified_name(func) in _ENVIRONMENT else ""
        case ast.Call(args=[first]) if first is node:  # such as textwrap.dedent("...")
            match source.parent(parent):
                case ast.Assign(targets=[target]):
                    return _target_name(target)
    return ""


def _is_of_flask(name: str, node: ast.Constant, module: Module) -> bool:
    """Whether a `SECRET_KEY` may be Flask's, which has a rule of its own."""
    if name.upper() != "SECRET_KEY" or django_web.is_settings_module(module):
        return False
    index = module.modules
    if isinstance(index, Index) and not files_with(index, module, b"flask"):
        return False
    owner = module.source.enclosing_class(node)
    return owner is None or not pydantic.is_settings(module.class_info_of(owner))


def _target_name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def environment_edit(secret: Secret, module: Module) -> tuple[Edit, ...] | None:
    """The edits that read a secret from the environment, or None where that needs a decision.

    A constant of a module is read from `os.environ`; a field of a settings class loses its default.
    """
    source = module.source
    parent = source.parent(secret.node)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if (
            source.parent(parent) is source.tree and name.isupper()
        ):
            expression, edits = add_import(source, "os", from_import=False)
            text = f'{expression}.environ["{name}"]'
            return (*edits, Edit(source.start(secret.node), source.end(secret.node), text))
        case ast.AnnAssign(annotation=annotation, value=value) if value is secret.node:
            owner = source.enclosing_class(parent)
            if owner is not None and pydantic.is_settings(module.class_info_of(owner)):
                return (Edit(source.end(annotation), source.end(parent), ""),)
    return None
