"""Which versions of Python and of the frameworks a project uses, as its own files declare them.

Nothing that is installed is read and nothing is executed: lock files, requirements and project
metadata tell. The answer for a package comes from the first of these that names it:

1. the linter's own settings;
2. lock files (`uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml`, `Pipfile.lock`);
3. requirements files that pin everything;
4. what is declared: `pyproject.toml`, other requirements files, `setup.cfg`, `setup.py`, `Pipfile`.

Requirements files between a file and the root of its project come before those of the root. Of
`setup.py` a literal list is read and the text files that it names. A file that cannot be read or parsed
says nothing.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from os.path import normpath, relpath
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pybackend_lint.project.supported import BROUGHT_BY, BROUGHT_BY_PREFIX, HELD_BACK_BY, SUPPORTED

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
_REQUIREMENTS = (
    "requirements*.txt", "requirements*.in", "requirements/*.txt", "requirements/*.in",
    "requirements/*/*.txt",
)  # fmt: skip
# Metadata that we cannot read without running it or a parser of another format.
_OPAQUE = ("environment.yml", "environment.yaml")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:[ \t]+|=|(?<=-[rc]))(\S+)")
_OPTION = re.compile(r"\s--")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_VCS = (".git", ".hg", ".svn")
_REQUIRES = re.compile(r"^[\w./-]*requires?(?:ments)?[\w.-]*\.txt$")

_LOCK_LINE = re.compile(
    r"""^(?:(\[\[packages?\]\]|\[)|(name|version)[ \t]*=[ \t]*["']([^"'\n]*)["'])""", re.M
)
_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?:\S*/)?python:v?(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)(?=[-\s@]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_PYTHON_VERSION = re.compile(r"(?:cpython-|python-?)?(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)t?(?:-dev)?")
_POETRY_CLAUSE = re.compile(r"(\^|~=|~|===|==|!=|>=|<=|>|<|=)?[ \t]*(v?\d[\w.+!*-]*|\*)")


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The versions of one package that a project may run with.

    `lower` is the oldest one, `upper` the newest one; None means that nothing bounds that side.
    `upper_excluded` says that `upper` itself is not allowed (`<6`). `exact` means that lower and
    upper are the one version in use. `source` names the file that says so, relative to the root.
    """

    lower: Version | None
    upper: Version | None
    exact: bool
    source: str
    upper_excluded: bool = False

    @property
    def bounded(self) -> bool:
        """Whether anything is known about the version at all."""
        return self.lower is not None or self.upper is not None


def range_by_hand(text: str, source: str = "settings") -> VersionRange:
    """The range that a setting such as `"5.2"` or `">=4.2,<6"` means.

    Raises `ValueError` when the text is neither a version nor a specifier of PEP 440.
    """
    text = text.strip()
    if text[:1].isdigit() or text[:1] == "v":
        version = Version(text)
        return VersionRange(version, version, True, source)
    return _range(SpecifierSet(text), source)


def satisfies(applies: str, versions: Versions, *, bound: str) -> bool:
    """Whether a project's versions fulfil requirements such as `"django>=4.1, python>=3.11"`.

    - An exact version fulfils them when the specifier contains it.
    - Of a range, the end that `bound` names must fulfil them: `"lower"` or `"upper"`. An end that
      is not bounded is the oldest or newest supported release.
    - Where nothing is known, both the oldest and the newest supported release must fulfil them.

    A package without specifier is always fulfilled. Raises `ValueError` when `applies` or `bound`
    is malformed.
    """
    if bound not in {"lower", "upper"}:
        raise ValueError(f"bound is lower or upper, not {bound!r}")
    return all(
        _fulfils(specifier, versions.get(package), SUPPORTED.get(package), bound)
        for package, specifier in _requirements(applies)
        if specifier
    )


@cache
def _requirements(applies: str) -> tuple[tuple[str, SpecifierSet], ...]:
    parts: list[str] = []
    for part in applies.split(","):
        clause = part.strip()
        if parts and clause and not clause[0].isalnum():
            parts[-1] += f",{clause}"  # a comma also joins the clauses of one package
        elif clause:
            parts.append(clause)
    requirements = [Requirement(part) for part in parts]
    return tuple((canonicalize_name(requirement.name), requirement.specifier) for requirement in requirements)


def _fulfils(
    specifier: SpecifierSet,
    known: VersionRange | None,
    supported: tuple[Version, Version] | None,
    bound: str,
) -> bool:
    if known is None:
        return supported is not None and all(specifier.contains(end, prereleases=True) for end in supported)
    end = _lower_end(known, supported) if bound == "lower" else _upper_end(known, supported)
    return end is not None and specifier.contains(end, prereleases=True)


def _upper_end(known: VersionRange, supported: tuple[Version, Version] | None) -> Version | None:
    if known.exact:
        return known.upper
    newest = supported[1] if supported else None
    upper = known.upper
    if upper is None:
        ends = [end for end in (known.lower, newest) if end is not None]
        return max(ends) if newest is not None else None
    if known.upper_excluded:
        if newest is not None and newest < upper and (known.lower is None or known.lower <= newest):
            return newest
        return _just_below(upper)
    return upper if newest is None or upper < newest else max(newest, known.lower or newest)


def _lower_end(known: VersionRange, supported: tuple[Version, Version] | None) -> Version | None:
    if known.lower is not None:
        return known.lower
    if supported is None:
        return None
    upper = _upper_end(known, supported)
    return min(supported[0], upper) if upper is not None else supported[0]


def _just_below(version: Version) -> Version | None:
    """A version behind every release that precedes this one: `5.99999` for 6, `5.1.99999` for 5.2."""
    release = list(version.release)
    while release and release[-1] == 0:
        release.pop()
    if not release:
        return None
    release[-1] -= 1
    return Version(".".join(map(str, [*release, 99999])))


def _range(specifier: SpecifierSet, source: str) -> VersionRange:
    """The range between the bounds of a specifier; exclusions (`!=`) do not count."""
    lowers: list[Version] = []
    uppers: list[tuple[Version, bool]] = []
    for clause in specifier:
        wildcard = clause.version.endswith(".*")
        try:
            version = Version(clause.version.removesuffix(".*"))
        except InvalidVersion:  # `===` compares any text
            continue
        match clause.operator:
            case "==" | "===" if wildcard:
                lowers.append(version)
                uppers.append((_next(version.release), True))
            case "==" | "===":
                return VersionRange(version, version, True, source)
            case "~=":
                lowers.append(version)
                uppers.append((_next(version.release[:-1]), True))
            case ">=" | ">":
                lowers.append(version)
            case "<=":
                uppers.append((version, False))
            case "<":
                uppers.append((version, True))
    upper, excluded = min(uppers, key=lambda bound: (bound[0], not bound[1]), default=(None, False))
    return VersionRange(max(lowers, default=None), upper, False, source, excluded)


def _next(release: tuple[int, ...]) -> Version:
    return Version(".".join(map(str, [*release[:-1], release[-1] + 1])))


def _hull(ranges: Iterable[VersionRange]) -> VersionRange | None:
    """The range that covers alternatives, such as requirements under different markers."""
    alternatives = list(dict.fromkeys(ranges))
    bounded = [one for one in alternatives if one.bounded] or alternatives
    if not bounded:
        return None
    first = bounded[0]
    if all((one.lower, one.upper, one.exact) == (first.lower, first.upper, first.exact) for one in bounded):
        return first
    lowers = [one.lower for one in bounded if one.lower is not None]
    uppers = [(one.upper, one.upper_excluded) for one in bounded if one.upper is not None]
    upper, excluded = max(uppers, key=lambda bound: (bound[0], not bound[1]), default=(None, False))
    if len(uppers) < len(bounded):
        upper, excluded = None, False
    lower = min(lowers) if len(lowers) == len(bounded) else None
    return VersionRange(lower, upper, False, first.source, excluded)


def _both(one: VersionRange, other: VersionRange) -> VersionRange:
    """The versions that two ranges share; `one` when they contradict each other."""
    if one.exact or other.exact:
        return one if one.exact else replace(other, source=one.source)
    lowers = [bound for bound in (one.lower, other.lower) if bound is not None]
    uppers = [(r.upper, r.upper_excluded) for r in (one, other) if r.upper is not None]
    lower = max(lowers, default=None)
    upper, excluded = min(uppers, key=lambda bound: (bound[0], not bound[1]), default=(None, False))
    if lower is not None and upper is not None and upper < lower:
        return one
    return VersionRange(lower, upper, False, one.source, excluded)


def _poetry_range(text: str, source: str) -> VersionRange | None:
    """The range of a constraint as Poetry writes it (`^2.0`, `~1.4`, `>=1,<2 || ^3`); None if malformed."""
    alternatives = []
    for alternative in text.split("||" if "||" in text else "|"):
        try:
            clauses = [
                _poetry_clause(operator, version)
                for operator, version in _POETRY_CLAUSE.findall(alternative)
                if version != "*"
            ]
            alternatives.append(_range(SpecifierSet(",".join(clauses)), source))
        except (InvalidSpecifier, InvalidVersion):
            return None
    return _hull(alternatives)


def _poetry_clause(operator: str, version: str) -> str:
    if operator in {"", "=", "=="}:
        return f"=={version}"
    if operator not in {"^", "~"}:
        return f"{operator}{version}"
    release = Version(version).release
    if operator == "~":
        end = release[:2]
    else:  # a caret keeps the first part that is not zero
        significant = next((at for at, part in enumerate(release) if part), len(release) - 1)
        end = release[: significant + 1]
    return f">={version},<{_next(end)}"


@dataclass
class _Dependencies:
    """What one group of files says: alternatives per package, in the order they were found."""

    found: dict[str, list[VersionRange]] = field(default_factory=dict)

    def add(self, package: str, versions: VersionRange) -> None:
        self.found.setdefault(canonicalize_name(package), []).append(versions)

    def add_requirement(self, text: object, source: str) -> None:
        """Add a requirement of PEP 508; anything else is ignored."""
        if not isinstance(text, str):
            return
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return
        self.add(requirement.name, _range(requirement.specifier, source))

    def add_requirements(self, texts: object, source: str) -> None:
        if isinstance(texts, list):
            for text in texts:
                self.add_requirement(text, source)

    def add_poetry(self, table: object, source: str) -> None:
        """Add a table of Poetry's or of a Pipfile: package to constraint."""
        for package, value in _table(table).items():
            for constraint in value if isinstance(value, list) else [value]:
                text = constraint.get("version", "*") if isinstance(constraint, dict) else constraint
                versions = _poetry_range(text, source) if isinstance(text, str) else None
                self.add(package, versions or VersionRange(None, None, False, source))

    def get(self, package: str) -> VersionRange | None:
        return _hull(self.found.get(package, ()))


@dataclass
class _RequirementsFile:
    """A requirements file with the files it includes; `pinned` when everything it names is."""

    requirements: list[tuple[str, VersionRange]] = field(default_factory=list)
    constraints: list[tuple[str, VersionRange]] = field(default_factory=list)
    pinned: bool = True

    def resolved(self) -> Iterator[tuple[str, VersionRange]]:
        """The requirements, narrowed by the constraints."""
        constraints = dict(self.constraints)
        for package, versions in self.requirements:
            constraint = constraints.get(package)
            yield package, _both(versions, constraint) if constraint else versions


class _Folder:
    """What the files of one folder declare; each group of files is read when it is first asked for."""

    def __init__(self, path: Path, root: Path, read: Callable[[Path], bytes | None]) -> None:
        self.path = path
        self._root = root
        self._read = read

    @property
    def groups(self) -> Iterator[_Dependencies]:
        """The dependencies that are declared, the group that counts most first."""
        yield self.locked
        yield self.pinned
        yield from self.declared

    @cached_property
    def declares_any(self) -> bool:
        """Whether a file here declares any dependency."""
        return any(group.found for group in self.groups)

    @cached_property
    def opaque(self) -> bool:
        """Whether dependencies may be declared in a form that is not read."""
        dynamic = _table(self.pyproject.get("project")).get("dynamic")
        if isinstance(dynamic, list) and "dependencies" in dynamic:
            return True
        if any(self._read(self.path / name) is not None for name in _OPAQUE):
            return True
        return self._read(self.path / "setup.py") is not None and not self._setup_py_dependencies.found

    def text(self, path: Path) -> str | None:
        """The text of a file, or None when there is none."""
        data = self._read(path)
        if data is None:
            return None
        # `pip freeze > requirements.txt` in PowerShell writes UTF-16.
        encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        return data.decode(encoding, errors="replace")

    def _toml(self, name: str) -> dict[str, Any]:
        text = self.text(self.path / name)
        try:
            return tomllib.loads(text) if text is not None else {}
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}

    def _name(self, path: Path) -> str:
        return relpath(path, self._root).replace("\\", "/")

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        return self._toml("pyproject.toml")

    @cached_property
    def pipfile(self) -> dict[str, Any]:
        return self._toml("Pipfile")

    @cached_property
    def setup_cfg(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(self.text(self.path / "setup.cfg") or "")
        except configparser.Error:
            return configparser.ConfigParser()
        return parser

    @cached_property
    def locked(self) -> _Dependencies:
        """What the folder's lock file pins."""
        for name in _LOCKS:
            text = self.text(self.path / name)
            if text is not None:
                parsed = self.parsed_lock(self.path / name, text)
                if parsed.found:
                    return parsed
        return _Dependencies()

    def parsed_lock(self, path: Path, text: str) -> _Dependencies:
        """The packages of a lock file."""
        dependencies = _Dependencies()
        source = self._name(path)
        for name, written in _pipfile_lock(text) if path.name == "Pipfile.lock" else _toml_lock(text):
            try:
                version = Version(written)
            except InvalidVersion:
                dependencies.add(name, VersionRange(None, None, False, source))
            else:
                dependencies.add(name, VersionRange(version, version, True, source))
        return dependencies

    @cached_property
    def _requirements_files(self) -> list[_RequirementsFile]:
        paths = {path for pattern in _REQUIREMENTS for path in self.path.glob(pattern)}
        return [self._requirements_file(path) for path in sorted(paths)]

    def _requirements_file(self, path: Path) -> _RequirementsFile:
        file = _RequirementsFile()
        self._read_requirements(file, path, constraint=False, seen=set())
        return file

    def _read_requirements(
        self, file: _RequirementsFile, path: Path, *, constraint: bool, seen: set[Path]
    ) -> None:
        text = self.text(path) if path not in seen else None
        seen.add(path)
        for line in _logical_lines(text or ""):
            included = _INCLUDE.match(line)
            if included:
                narrows = constraint or included[1] in {"-c", "--constraint"}
                target = Path(normpath(path.parent / included[2]))
                self._read_requirements(file, target, constraint=narrows, seen=seen)
                continue
            try:
                requirement = Requirement(_OPTION.split(line)[0])
            except InvalidRequirement:
                continue  # an option, a path or a URL
            versions = _range(requirement.specifier, self._name(path))
            found = (canonicalize_name(requirement.name), versions)
            if constraint:
                file.constraints.append(found)
            else:
                file.requirements.append(found)
                file.pinned = file.pinned and (versions.exact or requirement.url is not None)

    @cached_property
    def pinned(self) -> _Dependencies:
        """What requirements files tell that pin all they name."""
        return self._from_requirements(pinned=True)

    def _from_requirements(self, *, pinned: bool) -> _Dependencies:
        dependencies = _Dependencies()
        for file in self._requirements_files:
            if file.pinned is pinned:
                for package, versions in file.resolved():
                    dependencies.add(package, versions)
        return dependencies

    @cached_property
    def declared(self) -> list[_Dependencies]:
        """What is declared with a range, in groups of which the first that names a package counts."""
        main, extra = self._pyproject_dependencies()
        config_main, config_extra = self._setup_cfg_dependencies()
        pipfile = _Dependencies()
        pipfile.add_poetry(self.pipfile.get("packages"), "Pipfile")
        pipfile.add_poetry(self.pipfile.get("dev-packages"), "Pipfile")
        requirements = self._from_requirements(pinned=False)
        return [main, config_main, self._setup_py_dependencies, extra, config_extra, requirements, pipfile]

    def _pyproject_dependencies(self) -> tuple[_Dependencies, _Dependencies]:
        main, extra = _Dependencies(), _Dependencies()
        data, source = self.pyproject, self._name(self.path / "pyproject.toml")
        project, tool = _table(data.get("project")), _table(data.get("tool"))
        poetry, uv, pdm = (_table(tool.get(name)) for name in ("poetry", "uv", "pdm"))
        main.add_requirements(project.get("dependencies"), source)
        main.add_poetry(_without_python(poetry.get("dependencies")), source)
        dynamic = _table(_table(tool.get("setuptools")).get("dynamic"))
        for name in _files(_table(dynamic.get("dependencies")).get("file")):
            for package, versions in self._requirements_file(self.path / name).resolved():
                main.add(package, versions)
        for lists in (project.get("optional-dependencies"), data.get("dependency-groups")):
            for requirements in _table(lists).values():
                extra.add_requirements(requirements, source)
        for requirements in _table(pdm.get("dev-dependencies")).values():
            extra.add_requirements(requirements, source)
        extra.add_requirements(uv.get("dev-dependencies"), source)
        extra.add_poetry(poetry.get("dev-dependencies"), source)
        for group in _table(poetry.get("group")).values():
            extra.add_poetry(_table(group).get("dependencies"), source)
        for environment in _table(_table(tool.get("hatch")).get("envs")).values():
            for key in ("dependencies", "extra-dependencies"):
                extra.add_requirements(_table(environment).get(key), source)
        return main, extra

    def _setup_cfg_dependencies(self) -> tuple[_Dependencies, _Dependencies]:
        main, extra = _Dependencies(), _Dependencies()
        config, source = self.setup_cfg, self._name(self.path / "setup.cfg")
        required = config.get("options", "install_requires", fallback="")
        if required.strip().startswith("file:"):
            for name in required.strip().removeprefix("file:").replace(",", " ").split():
                for package, versions in self._requirements_file(self.path / name).resolved():
                    main.add(package, versions)
        else:
            main.add_requirements(list(_logical_lines(required)), source)
        if config.has_section("options.extras_require"):
            for _, listed in config.items("options.extras_require"):
                extra.add_requirements(list(_logical_lines(listed)), source)
        return main, extra

    @cached_property
    def _setup_py_dependencies(self) -> _Dependencies:
        """What a literal list for `install_requires` says, and the text files of requirements it names."""
        dependencies = _Dependencies()
        path = self.path / "setup.py"
        try:
            tree = ast.parse(self.text(path) or "")
        except (SyntaxError, ValueError, RecursionError):
            return dependencies
        for node in ast.walk(tree):
            match node:
                case ast.keyword(arg="install_requires", value=ast.List(elts=items)):
                    texts = [item.value for item in items if isinstance(item, ast.Constant)]
                    dependencies.add_requirements(texts, self._name(path))
                case ast.Constant(value=str(name)) if _REQUIRES.search(name):
                    for folder in (self.path, self.path.parent):
                        for package, versions in self._requirements_file(folder / name).resolved():
                            dependencies.add(package, versions)
        return dependencies

    def python(self) -> VersionRange | None:
        """What the folder's files say about the interpreter."""
        pyproject = self._name(self.path / "pyproject.toml")
        declared = _table(self.pyproject.get("project")).get("requires-python")
        if isinstance(declared, str):
            found = _specified(declared, pyproject)
            if found is not None:
                return found
        poetry = _table(_table(self.pyproject.get("tool")).get("poetry"))
        declared = _table(poetry.get("dependencies")).get("python")
        if isinstance(declared, str):
            found = _poetry_range(declared, pyproject)
            if found is not None:
                return found
        declared = self.setup_cfg.get("options", "python_requires", fallback="")
        found = _specified(declared, self._name(self.path / "setup.cfg")) if declared else None
        return found or self._python_version_file() or self._python_of_image() or self._python_of_pipfile()

    def _python_version_file(self) -> VersionRange | None:
        path = self.path / ".python-version"
        matches = [_PYTHON_VERSION.fullmatch(line.strip()) for line in (self.text(path) or "").splitlines()]
        return _hull(_series(match[1], self._name(path)) for match in matches if match)

    def _python_of_image(self) -> VersionRange | None:
        path = self.path / "Dockerfile"
        images = _FROM.findall(self.text(path) or "")
        return _hull(_series(version, self._name(path)) for version in images)

    def _python_of_pipfile(self) -> VersionRange | None:
        requires = _table(self.pipfile.get("requires"))
        version = requires.get("python_full_version", requires.get("python_version"))
        if isinstance(version, str) and _PYTHON_VERSION.fullmatch(version):
            return _series(version, self._name(self.path / "Pipfile"))
        return None


class Versions:
    """The versions a project declares; every file is read when a question first needs it.

    `root` is the project's folder, `by_hand` the versions of the settings (package to version or
    specifier), `read` gives the content of a file, or None when there is no such file. A root that
    declares nothing is answered for by the folders above it, up to the one under version control.
    `nearer` are folders below the root whose requirements come before its own, nearest first.
    """

    def __init__(
        self,
        root: Path,
        by_hand: Mapping[str, str],
        read: Callable[[Path], bytes | None],
        nearer: Sequence[Path] = (),
    ) -> None:
        self.root = root
        self._nearer = [_Folder(path, root, read) for path in nearer]
        self._by_hand = {str(canonicalize_name(package)): text for package, text in by_hand.items()}
        self._folder = _Folder(root, root, read)
        self._read = read
        self._answers: dict[str, VersionRange | None] = {}

    def get(self, package: str) -> VersionRange | None:
        """What the project says about a package's version; `python` asks for the interpreter.

        None when nothing names the package. A package that is named without any version has a
        range without bounds.
        """
        package = canonicalize_name(package)
        try:
            return self._answers[package]
        except KeyError:
            answer = self._answers[package] = self._find(package)
            return answer

    def declares(self, package: str) -> bool | None:
        """Whether the declared dependencies or the lock file name a package.

        Without a lock file, a framework counts as named when something that always brings it is
        (`fastapi` brings `starlette`). None when it cannot be told: the project declares no
        dependencies, or only in a form that would have to be executed.
        """
        package = canonicalize_name(package)
        if package in self._by_hand or any(package in group.found for group in self._groups()):
            return True
        if self._lock.found:
            return False
        if not self._home.declares_any:
            return None
        prefixes = BROUGHT_BY_PREFIX.get(package, ())
        if any(
            not group.found.keys().isdisjoint(BROUGHT_BY.get(package, ())) for group in self._groups()
        ) or any(name.startswith(prefixes) for group in self._groups() for name in group.found):
            return True
        return None if self._home.opaque else False

    def _find(self, package: str) -> VersionRange | None:
        by_hand = self._by_hand.get(package)
        if by_hand is not None:
            try:
                return range_by_hand(by_hand)
            except ValueError:
                pass  # the settings report what is wrong with it
        if package == "python":
            for folder in (*self._nearer, self._folder):
                found = folder.python()
                if found is not None:
                    return found
            return self._home.python() if self._home is not self._folder else None
        return self._held_back(package, self._declared(package))

    def _declared(self, package: str) -> VersionRange | None:
        mention = None
        for group in self._groups():
            versions = group.get(package)
            if versions is not None and versions.bounded:
                return versions
            mention = mention or versions
        return mention

    def _held_back(self, package: str, declared: VersionRange | None) -> VersionRange | None:
        """The range of a package, narrowed by old releases of others that refuse its newer ones."""
        for other, release, bound in HELD_BACK_BY.get(package, ()):
            known = self._declared(other)
            newest = known.upper if known is not None else None
            if known is None or newest is None or (declared is not None and declared.exact):
                continue
            if newest < release or (newest == release and known.upper_excluded):
                held = VersionRange(None, bound, False, known.source, upper_excluded=True)
                return _both(declared, held) if declared is not None else held
        return declared

    def _groups(self) -> Iterator[_Dependencies]:
        for folder in self._nearer:
            yield from folder.groups
        yield self._lock
        yield self._folder.pinned
        yield from self._folder.declared
        if self._home is not self._folder:
            yield from self._home.groups

    @cached_property
    def _above(self) -> list[Path]:
        """The folders above the root, up to the one under version control; none without one."""
        above: list[Path] = []
        for folder in (self.root, *self.root.parents):
            if folder != self.root:
                above.append(folder)
            if any((folder / name).exists() for name in _VCS):
                return above
        return []

    @cached_property
    def _home(self) -> _Folder:
        """The folder whose declarations count."""
        if not self._folder.declares_any:
            for path in self._above:
                folder = _Folder(path, self.root, self._read)
                if folder.declares_any:
                    return folder
        return self._folder

    @cached_property
    def _lock(self) -> _Dependencies:
        """The root's own lock file, or that of the workspace it is a member of."""
        own = self._folder.locked
        if own.found:
            return own
        for path in self._above:
            text = self._folder.text(path / "uv.lock")
            if text is not None:
                member = re.escape(relpath(self.root, path).replace("\\", "/"))
                if re.search(rf'(?:editable|virtual|directory) = "{member}"', text):
                    return self._folder.parsed_lock(path / "uv.lock", text)
        return own


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _files(value: object) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str)]


def _without_python(table: object) -> dict[str, Any]:
    return {package: value for package, value in _table(table).items() if package != "python"}


def _specified(text: str, source: str) -> VersionRange | None:
    try:
        return _range(SpecifierSet(text), source)
    except InvalidSpecifier:
        return None


def _series(text: str, source: str) -> VersionRange:
    """The range of a version of Python that is chosen by a prefix: `3.12`, `3.12.4`, or only `3`."""
    version = Version(text)
    if len(version.release) == 1:
        return VersionRange(version, _next(version.release), False, source, upper_excluded=True)
    return VersionRange(version, version, True, source)


def _logical_lines(text: str) -> Iterator[str]:
    """The lines of a requirements file without comments and blank lines, continuations joined."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield stripped


def _toml_lock(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions of the `[[package]]` tables of a lock file.

    The formats write these keys at the start of a line of their own, so that a scan finds them in a
    fraction of the time that a parser needs for a file of a megabyte.
    """
    name = version = None
    inside = False
    for match in _LOCK_LINE.finditer(text):
        header, key, value = match.groups()
        if header:
            if inside and name:
                yield name, version or ""
            inside = header != "["
            name = version = None
        elif inside and key == "name":
            name = value
        elif inside:
            version = value
    if inside and name:
        yield name, version or ""


def _pipfile_lock(text: str) -> Iterator[tuple[str, str]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return
    for section in ("default", "develop"):
        for name, entry in _table(_table(data).get(section)).items():
            version = _table(entry).get("version")
            yield name, version.removeprefix("==") if isinstance(version, str) else ""
