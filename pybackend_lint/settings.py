"""Settings: the table `[tool.pybackend-lint]` of `pyproject.toml`, validated, and which rules it selects."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pybackend_lint.globs import file_matcher
from pybackend_lint.registry import ENTRIES

TABLE = "tool.pybackend-lint"
SYNTAX_ERROR = "PB000"
# The names of the files, besides Python files, that rules check.
PROJECT_FILES = frozenset({"pyproject.toml", *(entry.file for entry in ENTRIES)}) - {"python"}
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pybackend_lint_cache",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_CODE_PREFIX = re.compile(r"PB\d{0,3}", re.IGNORECASE)


class SettingsError(Exception):
    """A setting that cannot be used: `file` and `key` say where, `reason` why, on one line."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (file, key, reason) if part))
        self.file = file
        self.key = key
        self.reason = reason


@dataclass(frozen=True)
class Selection:
    """One layer of rule selectors: a configuration file or the command line.

    A selector is a code, the beginning of codes (`PB1`), `ALL` or a rule's name. `select` replaces
    what the layers below selected; `None` keeps it.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What a run is told.

    - `root`: the directory that globs and relative paths refer to; `file`: where the settings were
      read, or None.
    - `selections`: layers of selectors, the weakest first.
    - `per_file_ignores`: pairs of a glob (negated by a leading `!`) and selectors.
    - `extra_base_classes`: qualified name of a class to the framework class that it counts as.
    - `extra_blocking`, `allowed_blocking`: qualified names of calls that block, and that do not.
    - `versions`: normalized package name to a version or specifier, stronger than the lock file.
    - `respect_noqa`: whether `noqa` comments suppress findings.
    - `opt_in`: whether rules that are off by default run too, as the front-ends ask that have
      defaults of their own.
    - `warnings`: one line for each setting that has no effect.
    """

    root: Path
    file: Path | None = None
    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    extra_base_classes: Mapping[str, str] = field(default_factory=dict)
    extra_blocking: tuple[str, ...] = ()
    allowed_blocking: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    cache_dir: Path | None = None
    respect_noqa: bool = True
    opt_in: bool = False
    warnings: tuple[str, ...] = ()

    @cached_property
    def rules(self) -> frozenset[str]:
        """The codes of the rules that are selected."""
        start = {entry.code for entry in ENTRIES if entry.default or self.opt_in}
        return _selected(start, self.selections)

    def rules_for(self, path: Path) -> frozenset[str]:
        """The codes of the rules that are selected for a file, given by its absolute path."""
        if not self.per_file_ignores:
            return self.rules
        ignored = {
            selector
            for matches, selectors in _ignored_globs(self.root, self.per_file_ignores)
            if matches(path)
            for selector in selectors
        }
        codes = {code for selector in ignored for code in codes_of(selector)}
        if not any(_names_syntax_error(selector) for selector in ignored):
            codes.discard(SYNTAX_ERROR)
        return self.rules - codes

    @property
    def key(self) -> list[object]:
        """Everything that decides what is found in a file, as values that JSON can hold."""
        return [
            str(self.root),
            sorted(self.rules),
            self.per_file_ignores,
            sorted(self.extra_base_classes.items()),
            sorted(self.extra_blocking),
            sorted(self.allowed_blocking),
            sorted(self.versions.items()),
            self.respect_noqa,
        ]

    def with_selection(self, selection: Selection) -> Settings:
        """These settings with one more layer of selectors on top."""
        return replace(self, selections=(*self.selections, selection))


def display_path(path: str) -> str:
    """An absolute path as it is shown: relative when it lies below the working directory."""
    return path.removeprefix(os.getcwd().rstrip(os.sep) + os.sep)


@cache
def _ignored_globs(
    root: Path, per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...]
) -> list[tuple[Callable[[Path], bool], tuple[str, ...]]]:
    return [(file_matcher(root, glob), selectors) for glob, selectors in per_file_ignores]


@cache
def codes_of(selector: str) -> frozenset[str]:
    """The codes that a selector stands for; empty when it stands for none."""
    if selector == "ALL":
        return frozenset(entry.code for entry in ENTRIES)
    if _CODE_PREFIX.fullmatch(selector):
        return frozenset(entry.code for entry in ENTRIES if entry.code.startswith(selector.upper()))
    return frozenset(entry.code for entry in ENTRIES if entry.name == selector)


def _specificity(selector: str) -> int:
    if selector == "ALL":
        return 0
    return len(selector) if _CODE_PREFIX.fullmatch(selector) else len("PB000")


def _names_syntax_error(selector: str) -> bool:
    return codes_of(selector) == {SYNTAX_ERROR} and _specificity(selector) == len(SYNTAX_ERROR)


def _selected(start: set[str], layers: Iterable[Selection]) -> frozenset[str]:
    """Apply layers of selectors; within a layer the more specific selector wins, then `ignore`."""
    selected = start
    syntax_errors = True
    for layer in layers:
        changes: dict[str, bool] = {}
        chosen = (*(layer.select or ()), *layer.extend_select)
        for selector, on in sorted(
            [*((s, True) for s in chosen), *((s, False) for s in layer.ignore)],
            key=lambda item: (_specificity(item[0]), not item[1]),
        ):
            changes |= dict.fromkeys(codes_of(selector), on)
        if layer.select is not None:
            selected = set()
        selected = (selected | {c for c, on in changes.items() if on}) - {
            c for c, on in changes.items() if not on
        }
        syntax_errors = syntax_errors and not any(map(_names_syntax_error, layer.ignore))
    return frozenset(selected - {SYNTAX_ERROR} | ({SYNTAX_ERROR} if syntax_errors else set()))


def unknown_selector(selector: str) -> str | None:
    """Why a selector stands for no rule, with the nearest one that does; None when it is known."""
    if codes_of(selector):
        return None
    # Any code is near to any other one; only names tell what was meant.
    return f"unknown rule {selector!r}{_nearest(selector, [entry.name for entry in ENTRIES])}"


def _nearest(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    from difflib import get_close_matches  # only for errors

    matches = get_close_matches(word, list(known), 1, cutoff)
    return f"; did you mean {matches[0]!r}?" if matches else ""


# Reading: every kind of value has a reader that returns the value as `Settings` holds it, and a JSON schema.


class _Invalid(Exception):
    """A value of the wrong kind; the text says what it must be."""


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Invalid("must be a list of strings")
    return tuple(value)


def _rules(value: object) -> tuple[str, ...]:
    return _strings(value)


def _globs(value: object) -> tuple[str, ...]:
    globs = _strings(value)
    for glob in globs:
        _check_glob(glob)
    return globs


def _check_glob(glob: str) -> None:
    try:
        file_matcher(Path("/"), glob)
    except ValueError as error:
        raise _Invalid(f"{glob!r} is not a glob: {error}") from error


def _names(value: object) -> tuple[str, ...]:
    names = _strings(value)
    for name in names:
        _check_name(name)
    return names


def _check_name(name: str) -> None:
    if not _DOTTED.fullmatch(name):
        raise _Invalid(f"{name!r} is not a qualified name such as 'package.module.name'")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Invalid("must be true or false")
    return value


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise _Invalid("must be a path")
    return Path(os.path.expanduser(value))


def _rules_by_glob(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise _Invalid("must be a table of globs, each with a list of rules")
    for glob, selectors in value.items():
        _check_glob(glob)
        if not isinstance(selectors, list) or not all(isinstance(item, str) for item in selectors):
            raise _Invalid(f"{glob!r} must have a list of rules")
    return tuple((glob, tuple(selectors)) for glob, selectors in value.items())


def _names_by_name(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Invalid("must be a table of qualified names, each with the qualified name it counts as")
    for name, target in value.items():
        _check_name(name)
        if not isinstance(target, str):
            raise _Invalid(f"{name!r} must have the qualified name of a class")
        _check_name(target)
    return value


def _versions(value: object) -> dict[str, str]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.utils import InvalidName, canonicalize_name
    from packaging.version import InvalidVersion, Version

    if not isinstance(value, dict):
        raise _Invalid("must be a table of packages, each with a version or specifier")
    versions: dict[str, str] = {}
    for package, version in value.items():
        if not isinstance(version, str):
            raise _Invalid(f"the version of {package!r} must be a string")
        try:
            name = canonicalize_name(package, validate=True)
        except InvalidName as error:
            raise _Invalid(f"{package!r} is not the name of a package") from error
        if name not in _packages():
            meant = _nearest(name, _packages(), cutoff=0.8)
            if meant:  # others may be packages that no rule asks for yet
                raise _Invalid(f"unknown package {package!r}{meant}")
        try:
            Version(version)
        except InvalidVersion:
            try:
                SpecifierSet(version)
            except InvalidSpecifier as error:
                raise _Invalid(f"{version!r} is neither a version nor a specifier") from error
        versions[name] = version
    return versions


def _packages() -> frozenset[str]:
    """The packages whose versions decide which rules apply."""
    return frozenset(
        re.split(r"[<>=!~]", requirement)[0].strip()
        for entry in ENTRIES
        if entry.applies
        for requirement in entry.applies.split(",")
        if requirement[0].isalpha()
    )


@dataclass(frozen=True)
class Option:
    """One key of the table: the attribute of `Settings` or `Selection` it sets, how it is read, its page.

    `schema` is the JSON schema of its values, `default` its default as TOML.
    """

    key: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    default: str
    example: str
    description: str

    @property
    def attribute(self) -> str:
        """The key as an identifier."""
        return self.key.replace("-", "_")


_RULE_LIST = {"type": "array", "items": {"$ref": "#/definitions/rule"}}
_GLOB_LIST = {"type": "array", "items": {"type": "string"}}
_NAME_LIST = {"type": "array", "items": {"$ref": "#/definitions/name"}}

OPTIONS: tuple[Option, ...] = (
    Option(
        "select",
        _rules,
        _RULE_LIST,
        "the rules that are on by default",
        'select = ["PB1", "query-get"]',
        "Rules to use instead of the default ones: codes, the beginning of codes, names, or `ALL`.",
    ),
    Option(
        "ignore",
        _rules,
        _RULE_LIST,
        "[]",
        'ignore = ["PB106"]',
        "Rules not to use. The more specific selector wins: `PB106` here is stronger than `PB1` in `select`.",
    ),
    Option(
        "extend-select",
        _rules,
        _RULE_LIST,
        "[]",
        'extend-select = ["PB109"]',
        "Rules to use in addition to the default ones or to `select`.",
    ),
    Option(
        "extend-ignore",
        _rules,
        _RULE_LIST,
        "[]",
        'extend-ignore = ["PB106"]',
        "Rules not to use, in addition to `ignore`.",
    ),
    Option(
        "per-file-ignores",
        _rules_by_glob,
        {"type": "object", "additionalProperties": _RULE_LIST},
        "{}",
        'per-file-ignores = { "scripts/*" = ["PB6"], "!src/**" = ["PB9"] }',
        "Rules not to use in the files that match a glob, read as ruff does: `*` also matches slashes, "
        "`{a,b}` is one of several, and a leading `!` negates the glob.",
    ),
    Option(
        "exclude",
        _globs,
        _GLOB_LIST,
        "[" + ", ".join(f'"{name}"' for name in DEFAULT_EXCLUDE) + "]",
        'exclude = ["generated", "src/vendor/*.py"]',
        "Files and directories not to search, as globs in the manner of `.gitignore` (and `{a,b}`). "
        "Replaces the default ones; files named on the command line are checked all the same.",
    ),
    Option(
        "extend-exclude",
        _globs,
        _GLOB_LIST,
        "[]",
        'extend-exclude = ["snapshots"]',
        "Files and directories not to search, in addition to `exclude`; `!build` takes `build` back.",
    ),
    Option(
        "respect-gitignore",
        _boolean,
        {"type": "boolean"},
        "true",
        "respect-gitignore = false",
        "Whether files that git ignores are left out.",
    ),
    Option(
        "extra-base-classes",
        _names_by_name,
        {
            "type": "object",
            "propertyNames": {"$ref": "#/definitions/name"},
            "additionalProperties": {"$ref": "#/definitions/name"},
        },
        "{}",
        'extra-base-classes = { "auto_prefetch.Model" = "django.db.models.Model" }',
        "Classes of libraries that count as a class of a framework, by qualified name. "
        "Classes of the project itself need no entry: their bases are followed.",
    ),
    Option(
        "extra-blocking",
        _names,
        _NAME_LIST,
        "[]",
        'extra-blocking = ["billing.client.charge"]',
        "Functions that block the event loop, by qualified name.",
    ),
    Option(
        "allowed-blocking",
        _names,
        _NAME_LIST,
        "[]",
        'allowed-blocking = ["shop.paths.exists"]',
        "Functions that count as not blocking, by qualified name.",
    ),
    Option(
        "versions",
        _versions,
        {"type": "object", "additionalProperties": {"type": "string"}},
        "what lock files and requirements say",
        'versions = { django = "5.2", sqlalchemy = ">=2.0,<2.1" }',
        "Versions of frameworks, where lock files and requirements do not tell them or tell others.",
    ),
    Option(
        "cache-dir",
        _path,
        {"type": "string"},
        '".pybackend_lint_cache"',
        'cache-dir = "/tmp/pybackend-lint"',
        "Where results are kept between runs; relative to the configuration file.",
    ),
)
_BY_KEY = {option.key: option for option in OPTIONS}
_SELECTORS = ("select", "ignore", "extend-select", "extend-ignore")


def json_schema() -> dict[str, Any]:
    """The JSON schema of the table, for editors that complete and check `pyproject.toml`."""
    keys = [key for entry in ENTRIES for key in (entry.code, entry.name)]
    families = sorted({entry.code[:length] for entry in ENTRIES for length in (3, 4)})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of pybackend-lint",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            option.key: {**option.schema, "description": option.description} for option in OPTIONS
        },
        "definitions": {
            "rule": {"type": "string", "enum": ["ALL", "PB", *families, *keys]},
            "name": {"type": "string", "pattern": f"^{_DOTTED.pattern}$"},
        },
    }


def from_table(table: Mapping[str, Any], file: Path, root: Path) -> Settings:
    """The settings of a table; globs in it refer to `root`.

    Raises `SettingsError` for an unknown key, a wrong value and an unknown rule in `select`.
    """
    shown = display_path(str(file))
    values: dict[str, Any] = {}
    for key, value in table.items():
        option = _BY_KEY.get(key)
        if option is None:
            raise SettingsError(shown, f"[{TABLE}]", f"unknown key {key!r}{_nearest(key, _BY_KEY)}")
        try:
            values[key] = option.read(value)
        except _Invalid as error:
            raise SettingsError(shown, f"[{TABLE}] {key}", str(error)) from error

    for key in ("select", "extend-select"):
        for selector in values.get(key, ()):
            if problem := unknown_selector(selector):
                raise SettingsError(shown, f"[{TABLE}] {key}", problem)
    ignored = [(key, selector) for key in ("ignore", "extend-ignore") for selector in values.get(key, ())]
    for _, selectors in values.get("per-file-ignores", ()):
        ignored += [("per-file-ignores", selector) for selector in selectors]
    warnings = [
        f"{shown}: [{TABLE}] {key}: {problem}"
        for key, selector in ignored
        if (problem := unknown_selector(selector))
    ]
    selection = Selection(
        select=values.get("select"),
        extend_select=values.get("extend-select", ()),
        ignore=(*values.get("ignore", ()), *values.get("extend-ignore", ())),
    )
    rest = {_BY_KEY[key].attribute: value for key, value in values.items() if key not in _SELECTORS}
    if "cache_dir" in rest:
        rest["cache_dir"] = root / rest["cache_dir"]
    return Settings(root=root, file=file, selections=(selection,), warnings=tuple(warnings), **rest)


def read(file: Path, root: Path | None = None) -> Settings:
    """The settings in a TOML file that was named by the user; globs refer to `root`, else to its directory.

    Raises `SettingsError` when the file cannot be read, has no such table or holds wrong values.
    """
    table = _table(file)
    if table is None:
        raise SettingsError(display_path(str(file)), f"[{TABLE}]", "there is no such table")
    return from_table(table, file, root or file.parent)


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(display_path(str(file)), "", error.strerror or str(error)) from error
    if b"pybackend-lint" not in data:
        return None
    try:
        tool = tomllib.loads(data.decode()).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(display_path(str(file)), "", f"not valid TOML: {error}") from error
    table = tool.get("pybackend-lint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(display_path(str(file)), f"[{TABLE}]", "must be a table")
    return table


class Resolver:
    """Finds the settings of files: the nearest `pyproject.toml` upwards that has the table.

    `adjust` changes every settings that are found, as command line options do; `fixed` are settings
    to use for all files instead of looking for any.
    """

    def __init__(
        self,
        adjust: Callable[[Settings], Settings] = lambda settings: settings,
        fixed: Settings | None = None,
    ) -> None:
        self._adjust = adjust
        self._fixed = adjust(fixed) if fixed is not None else None
        self._default: Settings | None = None
        self._found: dict[str, Settings] = {}

    def for_directory(self, directory: str) -> Settings:
        """The settings for the files of a directory (an absolute path); raises `SettingsError`."""
        if self._fixed is not None:
            return self._fixed
        settings = self._found.get(directory)
        if settings is None:
            settings = self._found[directory] = self._find(directory)
        return settings

    def _find(self, directory: str) -> Settings:
        file = Path(directory, "pyproject.toml")
        if os.path.isfile(file):  # which is no error where the directory cannot be read
            table = _table(file)
            if table is not None:
                return self._adjust(from_table(table, file, file.parent))
        parent = os.path.dirname(directory)
        if parent != directory:
            return self.for_directory(parent)
        if self._default is None:
            self._default = self._adjust(Settings(root=Path.cwd()))
        return self._default
