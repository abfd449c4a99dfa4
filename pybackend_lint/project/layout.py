"""Where a file belongs: workspace, project, import roots, and what kind of file it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Container, Iterator

from pybackend_lint.project.files import Files

_PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_REPOSITORY = (".git", ".hg", ".svn")
_MARKERS = (*_PROJECT_FILES, "manage.py", "requirements.txt", "Pipfile", "alembic.ini")
# Directories that hold the work of many: a file left there makes no project of what lies below.
_SHARED = frozenset({os.sep, os.path.expanduser("~"), tempfile.gettempdir()})


class Layout:
    """The directories of a workspace.

    The workspace root is the nearest repository root upwards, else the outermost directory
    with a project file, else the directory above the outermost package.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._workspaces: dict[str, str] = {}
        self._projects: dict[str, str] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._siblings: dict[str, tuple[str, ...]] = {}
        self._numbers: dict[str, int] = {}  # of the workspaces

    def workspace_root(self, directory: str) -> str:
        """The root of the workspace that a directory belongs to."""
        root = self._workspaces.get(directory)
        if root is None:
            root = self._workspaces[directory] = self._find_workspace(directory)
        return root

    def _find_workspace(self, directory: str) -> str:
        outermost = None
        above_packages = directory  # a directory without `__init__.py` may lie in a package all the same
        for ancestor in _upwards(directory):
            if ancestor in _SHARED:
                break
            listing = self._files.listing(ancestor)
            if any(name in listing for name in _REPOSITORY):
                return ancestor
            if any(name in listing for name in _MARKERS):
                outermost = ancestor
            if "__init__.py" in listing:
                above_packages = os.path.dirname(ancestor)
        return outermost or above_packages

    def package_root(self, directory: str) -> str:
        """The directory above the outermost package with `__init__.py` that a directory is in."""
        while "__init__.py" in self._files.listing(directory):
            parent = os.path.dirname(directory)
            if parent == directory:
                break
            directory = parent
        return directory

    def project_root(self, directory: str) -> str:
        """The nearest directory upwards with a project file, not above the workspace root."""
        found = self._projects.get(directory)
        if found is None:
            workspace = self.workspace_root(directory)
            found = workspace
            for ancestor in _upwards(directory):
                listing = self._files.listing(ancestor)
                if _is_project(listing):
                    found = ancestor
                    break
                if ancestor == workspace:
                    break
            self._projects[directory] = found
        return found

    def is_top(self, root: str) -> bool:
        """Whether an import root is a project's own directory or its `src`, not a folder further down.

        Further down, a folder that holds a file is hardly what the file imports under the folder's name:
        that is the library after which the folder is called.
        """
        return root.removesuffix(f"{os.sep}src") == self.project_root(root)

    def import_roots(self, directory: str) -> tuple[str, ...]:
        """The directories in which absolute imports of a file in this directory are looked for."""
        roots = self._roots.get(directory)
        if roots is None:
            found: dict[str, None] = {}
            package_root = self.package_root(directory)
            if package_root != directory:
                found[package_root] = None
            workspace = self.workspace_root(directory)
            for ancestor in _upwards(directory):
                if "manage.py" in self._files.listing(ancestor):
                    found[ancestor] = None  # Django's commands put their own directory on the path
                if ancestor == workspace:
                    break
            ancestors = []
            for ancestor in _upwards(package_root):
                ancestors.append(ancestor)
                if ancestor == workspace:
                    break
            project = self.project_root(directory)
            tops = {project, workspace}
            ancestors = [
                root for root in ancestors if root in tops or "__init__.py" not in self._files.listing(root)
            ]
            for root in (project, *reversed(ancestors)):
                if self._files.is_directory(os.path.join(root, "src")):
                    found[os.path.join(root, "src")] = None
                found[root] = None
            for root in self._sibling_roots(workspace):
                found[root] = None
            roots = self._roots[directory] = tuple(found)
        return roots

    def _sibling_roots(self, workspace: str) -> tuple[str, ...]:
        """Other projects of the workspace: up to two levels below its root."""
        roots = self._siblings.get(workspace)
        if roots is None:
            found: list[str] = []
            level = [workspace]
            for _ in range(2):
                level = [
                    os.path.join(directory, name)
                    for directory in level
                    for name, is_directory in sorted(self._files.listing(directory).items())
                    if is_directory
                    and not name.startswith((".", "_"))
                    and name not in {"node_modules", "venv"}
                ][:400]
                for directory in level:
                    listing = self._files.listing(directory)
                    if _is_project(listing):
                        if listing.get("src"):
                            found.append(os.path.join(directory, "src"))
                        found.append(directory)
            roots = self._siblings[workspace] = tuple(found)
        return roots

    def module_name(self, path: str) -> str:
        """The name of a file's module, as no other file has it: its path below the workspace with dots.

        Where several workspaces are checked at once, a number and a colon stand before it in all but one.
        """
        directory = os.path.dirname(path)
        root = self.workspace_root(directory)
        number = self._numbers.setdefault(root, len(self._numbers))
        parts = _parts_below(path.removesuffix(".py").removesuffix(".pyi"), root)
        if parts[-1] == "__init__":
            parts.pop()
        name = ".".join(parts) or f":{os.path.basename(directory)}"  # which no import can be taken for
        return f"{number}:{name}" if number else name


def _is_project(listing: Container[str]) -> bool:
    """Whether a directory with these names holds a project; a package's `setup` is a module of it."""
    wanted = _PROJECT_FILES[:2] if "__init__.py" in listing else _PROJECT_FILES
    return any(name in listing for name in wanted)


def _upwards(directory: str) -> Iterator[str]:
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def _parts_below(path: str, root: str) -> list[str]:
    return path.removeprefix(root).lstrip(os.sep).split(os.sep)


def is_test_file(path: str, root: str) -> bool:
    """Whether a file holds tests: by pytest's and Django's default names, or below a tests folder."""
    parts = _parts_below(path, root)
    name = parts[-1]
    if name in {"conftest.py", "tests.py"} or (name.endswith(".py") and name.startswith("test_")):
        return True
    folders = {"tests", "test", "testing", "unittests"}
    return name.endswith("_test.py") or not folders.isdisjoint(parts[:-1])


def is_migration_file(path: str, root: str) -> bool:
    """Whether a file is a Django or Alembic migration, by the folder it lies in.

    The folder itself counts even where it is the root, as it is without any project file.
    """
    folder, name = os.path.split(path)
    if name == "__init__.py":
        return False
    nearest = os.path.basename(folder)
    return nearest in {"migrations", "versions"} or "migrations" in _parts_below(folder, root)
