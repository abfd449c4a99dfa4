"""One project of the workspace: its root, its versions and what its settings add to our knowledge."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

from pybackend_lint.project.index import Index
from pybackend_lint.project.layout import is_migration_file, is_test_file
from pybackend_lint.project.versions import Versions, satisfies

# The package to import where its name is not that of the distribution.
_IMPORT_NAMES = {
    "djangorestframework": "rest_framework",
    "pyjwt": "jwt",
    "flask-sqlalchemy": "flask_sqlalchemy",
    "pydantic-settings": "pydantic_settings",
    "pytest-asyncio": "pytest_asyncio",
}


# What ruff checks when its configuration selects nothing.
_RUFF_DEFAULTS = ("E4", "E7", "E9", "F")


@cache
def _names_of(packages: tuple[str, ...]) -> tuple[bytes, ...]:
    """The names under which some distributions are imported."""
    return tuple(_IMPORT_NAMES.get(package, package.replace("-", "_")).encode() for package in packages)


def folders_with_requirements(index: Index, directory: str, root: str) -> tuple[str, ...]:
    """The folders from a directory up to a root, without that, whose requirements files say versions."""
    found: list[str] = []
    while directory != root and directory.startswith(root):
        names = index.files.listing(directory)
        if "Pipfile" in names or any(name.startswith("requirements") for name in names):
            found.append(directory)
        directory = os.path.dirname(directory)
    return tuple(found)


class Project:
    """The nearest directory with a project file above the files that are checked.

    `extra_blocking` and `allowed_blocking` are qualified names from the settings; `folders` are those
    below the root with requirements of their own, nearest to the files first.
    """

    def __init__(
        self,
        root: str,
        index: Index,
        *,
        versions: Mapping[str, str],
        extra_blocking: tuple[str, ...] = (),
        allowed_blocking: tuple[str, ...] = (),
        folders: tuple[str, ...] = (),
    ) -> None:
        self.root = root
        self.folders = folders
        self.index = index
        self.extra_blocking = frozenset(extra_blocking)
        self.allowed_blocking = frozenset(allowed_blocking)
        self._by_hand = versions
        self._applies: dict[tuple[str, str], bool] = {}
        self._used: dict[str, bool] = {}

    @cached_property
    def versions(self) -> Versions:
        """Framework and Python versions by the lock file, declarations or settings."""
        folders = [Path(folder) for folder in self.folders]
        return Versions(
            Path(self.root), self._by_hand, lambda path: self.index.files.read(str(path)), folders
        )

    def satisfies(self, applies: str, bound: str) -> bool:
        """Whether the project's versions are in the range of a rule; see `rule.Rule`."""
        key = (applies, bound)
        known = self._applies.get(key)
        if known is None:
            known = self._applies[key] = satisfies(applies, self.versions, bound=bound)
        return known

    def concerns(self, packages: tuple[str, ...], data: bytes, *, has_imports: bool) -> bool:
        """Whether a file may use one of these distributions, by a look at its bytes.

        A file that does not name the package may reach it through the project's own modules, unless
        the project declares its dependencies and the package is not among them.
        """
        if has_imports and any(map(self._may_use, packages)):
            return True
        return not packages or any(name in data for name in _names_of(packages))

    def _may_use(self, package: str) -> bool:
        known = self._used.get(package)
        if known is None:
            known = self._used[package] = self.versions.declares(package) is not False
        return known

    @cached_property
    def _ruff_selectors(self) -> tuple[str, ...]:
        """The rule selectors of ruff's configuration in this project; empty when ruff is not configured."""
        for name, keys in (("ruff.toml", ()), (".ruff.toml", ()), ("pyproject.toml", ("tool", "ruff"))):
            data = self.index.files.read(os.path.join(self.root, name))
            try:
                table: object = tomllib.loads((data or b"").decode())
            except (UnicodeDecodeError, tomllib.TOMLDecodeError):
                continue
            for key in keys:
                table = table.get(key, {}) if isinstance(table, dict) else {}
            if not isinstance(table, dict) or not table:
                continue
            lint = table.get("lint", {})
            found = [
                selector
                for section in (table, lint if isinstance(lint, dict) else {})
                for key in ("select", "extend-select")
                for selector in (section.get(key) or ())
                if isinstance(selector, str)
            ]
            chosen = any("select" in section for section in (table, lint) if isinstance(section, dict))
            return tuple(found) if chosen else (*found, *_RUFF_DEFAULTS)
        return ()

    def ruff_selects(self, code: str) -> bool:
        """Whether ruff reports a code in this project, so that nobody should read the same twice."""
        return any(selector == "ALL" or code.startswith(selector) for selector in self._ruff_selectors)

    @cached_property
    def _workspace(self) -> str:
        return self.index.layout.workspace_root(self.root)

    def is_test(self, path: str) -> bool:
        """Whether a file holds tests, also as a project of its own in a folder of tests."""
        return is_test_file(path, self._workspace)

    def is_migration(self, path: str) -> bool:
        """Whether a file is a database migration."""
        return is_migration_file(path, self.root)
