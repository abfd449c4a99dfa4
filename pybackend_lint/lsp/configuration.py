"""What the server is told: workspace folders, and the settings of the client on top of those of projects."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pybackend_lint.settings import OPTIONS, Resolver, Settings, SettingsError, codes_of, from_table, read

SECTION = "pybackend-lint"
_CAPITAL = re.compile(r"(?<!^)([A-Z])")
_KEYS = {option.key: option.attribute for option in OPTIONS}
_SELECTORS = frozenset({"select", "ignore", "extend-select", "extend-ignore"})
_SEVERITIES = ("error", "warning", "information", "hint")
_SOURCE = Path("the editor's settings")


@dataclass(frozen=True)
class Options:
    """The settings of the client.

    - `table`: keys of `[tool.pybackend-lint]`, stronger than what the project says.
    - `configuration`: a TOML file to use instead of looking for one.
    - `severities`: pairs of a rule selector and how grave its findings are shown.
    """

    table: Mapping[str, Any] = field(default_factory=dict)
    configuration: str | None = None
    severities: tuple[tuple[str, str], ...] = ()

    def severity(self, code: str) -> str | None:
        """How grave the findings of a code are shown, or None when the rule decides."""
        found = None
        for selector, severity in self.severities:
            if code in codes_of(selector):
                found = severity
        return found


def read_options(value: object) -> tuple[Options, list[str]]:
    """The settings in what a client sends, and one line for each that cannot be used.

    Keys may be written as in TOML (`extend-select`) or as editors like them (`extendSelect`).
    """
    problems: list[str] = []
    while isinstance(value, Mapping):
        inner = value.get("settings", value.get(SECTION))
        if not isinstance(inner, Mapping):
            break
        value = inner
    if not isinstance(value, Mapping):
        return Options(), problems
    table: dict[str, Any] = {}
    configuration: str | None = None
    severities: list[tuple[str, str]] = []
    for name, content in value.items():
        key = _CAPITAL.sub(r"-\1", str(name)).lower()
        if content is None or content in ("", [], {}):
            continue
        if key == "configuration" and isinstance(content, str):
            configuration = content
        elif key == "severity" and isinstance(content, Mapping):
            for selector, severity in content.items():
                if severity in _SEVERITIES and codes_of(selector):
                    severities.append((selector, severity))
                else:
                    problems.append(f"{_SOURCE}: severity: {selector!r}: {severity!r} cannot be used")
        elif key in _KEYS:
            try:
                from_table({key: content}, _SOURCE, Path("/"))
            except SettingsError as error:
                problems.append(str(error))
            else:
                table[key] = content
    severities.sort(key=lambda item: len(item[0]))
    return Options(table, configuration, tuple(severities)), problems


class Folder:
    """A workspace folder: where it is, and the settings of the files in it."""

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options

    def contains(self, path: str) -> bool:
        """Whether a file lies in the folder."""
        return path.startswith(self.path.rstrip(os.sep) + os.sep)

    @cached_property
    def default(self) -> Settings:
        """The settings where no project says any."""
        return self._adjusted(Settings(root=Path(self.path)))

    @cached_property
    def resolver(self) -> Resolver:
        """What finds the settings of files; raises `SettingsError` when the named file cannot be used."""
        fixed: Settings | None = None
        if self.options.configuration is not None:
            file = Path(self.path, os.path.expanduser(self.options.configuration))
            fixed = read(file, Path(self.path))
        return Resolver(self._adjusted, fixed)

    def settings_for(self, directory: str) -> Settings:
        """The settings for the files of a directory; raises `SettingsError`."""
        return self.resolver.for_directory(directory)

    def _adjusted(self, settings: Settings) -> Settings:
        if settings.file is None:
            settings = replace(settings, root=Path(self.path))
        table = self.options.table
        if not table:
            return settings
        own = from_table(table, _SOURCE, settings.root)
        changes = {_KEYS[key]: getattr(own, _KEYS[key]) for key in table if key not in _SELECTORS}
        return replace(settings, **changes, selections=(*settings.selections, *own.selections))
