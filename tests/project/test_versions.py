"""Versions that a project declares, from real files of every format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.version import Version

from pybackend_lint.engine import Engine
from pybackend_lint.project.project import folders_with_requirements
from pybackend_lint.project.supported import SUPPORTED
from pybackend_lint.project.versions import VersionRange, Versions, range_by_hand, satisfies
from pybackend_lint.settings import Settings


def project(root: Path, files: Mapping[str, str], by_hand: Mapping[str, str] | None = None) -> Versions:
    """The versions of a project of these files below a root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Versions(root, by_hand or {}, read)


def read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def shown(versions: VersionRange | None) -> str | None:
    """A range as text: `==5.2`, `>=4.2,<6`, `*` without bounds."""
    if versions is None:
        return None
    if versions.exact:
        return f"=={versions.lower}"
    lower = [f">={versions.lower}"] if versions.lower else []
    upper = [f"{'<' if versions.upper_excluded else '<='}{versions.upper}"] if versions.upper else []
    return ",".join(lower + upper) or "*"


PYPROJECT = """\
[project]
name = "shop"
requires-python = ">=3.12,<3.15"
dependencies = [
  "Django>=5.2,<6.1",
  "djangorestframework~=3.16",
  "SQLAlchemy[asyncio]==2.0.*",
  "flask",
  "httpx @ https://example.com/httpx.whl",
  "not a requirement!",
  7,
]
[project.optional-dependencies]
api = ["fastapi>=0.115", "django>=4"]
[dependency-groups]
test = ["pytest>=8,!=8.1", { include-group = "lint" }]
lint = ["ruff"]
"""
POETRY = """\
[tool.poetry.dependencies]
python = "^3.11"
django = "^5.2"
flask = "~3.0"
sqlalchemy = { version = "^2.0.30", extras = ["asyncio"] }
httpx = "0.28.1"
pydantic = ">=2.5 <3"
pytest = "^0.3.1"
alembic = "*"
starlette = [
  { version = "^0.40", python = "<3.12" },
  { version = ">=0.41,<1", python = ">=3.12" },
]
fastapi = "^0.110 || ^0.115"
requests = { git = "https://example.com/requests.git" }
werkzeug = "nonsense"
[tool.poetry.group.dev.dependencies]
pytest-asyncio = "^1.0"
"""
UV_LOCK = """\
version = 1
requires-python = ">=3.12"

[manifest]
members = ["shop", "api"]

[[package]]
name = "api"
source = { editable = "services/api" }

[[package]]
name = "django"
version = "5.2.9"
source = { registry = "https://example.com/simple" }
dependencies = [
    { name = "asgiref" },
]

[package.metadata]
name = "misleading"
version = "9"

[[package]]
name = "numpy"
version = "1.26.0"

[[package]]
name = "numpy"
version = "2.1.0"
"""
POETRY_LOCK = """\
[[package]]
name = "django"
version = "5.2.8"
description = "A web framework"
optional = false

[package.dependencies]
asgiref = ">=3.8.1"

[metadata]
lock-version = "2.1"
"""
PIPFILE = """\
[packages]
django = "~=5.2"
flask = {version = "==3.1.0", extras = ["async"]}
[dev-packages]
pytest = "*"
[requires]
python_version = "3.12"
"""
SETUP_CFG = """\
[options]
python_requires = >=3.11
install_requires =
    django>=5.2  # the LTS
    flask
[options.extras_require]
test =
    pytest>=8
"""

DECLARED = {
    "a range": ({"pyproject.toml": PYPROJECT}, "django", ">=5.2,<6.1"),
    "compatible release": ({"pyproject.toml": PYPROJECT}, "djangorestframework", ">=3.16,<4"),
    "wildcard": ({"pyproject.toml": PYPROJECT}, "sqlalchemy", ">=2.0,<2.1"),
    "no specifier": ({"pyproject.toml": PYPROJECT}, "flask", "*"),
    "a direct reference": ({"pyproject.toml": PYPROJECT}, "httpx", "*"),
    "optional": ({"pyproject.toml": PYPROJECT}, "fastapi", ">=0.115"),
    "a dependency group": ({"pyproject.toml": PYPROJECT}, "pytest", ">=8"),
    "not declared": ({"pyproject.toml": PYPROJECT}, "pydantic", None),
    "Poetry: caret": ({"pyproject.toml": POETRY}, "django", ">=5.2,<6"),
    "Poetry: tilde": ({"pyproject.toml": POETRY}, "flask", ">=3.0,<3.1"),
    "Poetry: table": ({"pyproject.toml": POETRY}, "sqlalchemy", ">=2.0.30,<3"),
    "Poetry: bare version": ({"pyproject.toml": POETRY}, "httpx", "==0.28.1"),
    "Poetry: clauses without comma": ({"pyproject.toml": POETRY}, "pydantic", ">=2.5,<3"),
    "Poetry: caret below one": ({"pyproject.toml": POETRY}, "pytest", ">=0.3.1,<0.4"),
    "Poetry: any": ({"pyproject.toml": POETRY}, "alembic", "*"),
    "Poetry: by marker": ({"pyproject.toml": POETRY}, "starlette", ">=0.40,<1"),
    "Poetry: alternatives": ({"pyproject.toml": POETRY}, "fastapi", ">=0.110,<0.116"),
    "Poetry: a repository": ({"pyproject.toml": POETRY}, "requests", "*"),
    "Poetry: malformed": ({"pyproject.toml": POETRY}, "werkzeug", "*"),
    "Poetry: a group": ({"pyproject.toml": POETRY}, "pytest-asyncio", ">=1.0,<2"),
    "Poetry: python": ({"pyproject.toml": POETRY}, "python", ">=3.11,<4"),
    "alternatives by marker": (
        {"requirements.txt": "django>=4.2,<5; python_version<'3.10'\ndjango>=5.2,<7; python_version>='3.10'\n"},
        "django",
        ">=4.2,<7",
    ),
    "requirements for several jobs": (
        {"requirements/old.txt": "django~=4.2.0\n", "requirements/new.txt": "django>=5.2\nflask>=3\n"},
        "django",
        ">=4.2.0",
    ),
    "a mention without version tells nothing": (
        {"requirements.txt": "django>=5.2,<6\n", "requirements-docs.txt": "django\n"}, "django", ">=5.2,<6",
    ),
    "an included file": (
        {"requirements.txt": "-r requirements/base.in\n", "requirements/base.in": "flask>=3 # why\n"}, "flask", ">=3",
    ),
    "an inclusion without space": ({"requirements.txt": "-rdeps.txt\n", "deps.txt": "flask>=3\n"}, "flask", ">=3"),
    "files that include each other": (
        {"requirements.txt": "-r requirements-b.txt\nflask>=3\n", "requirements-b.txt": "-r requirements.txt\n"},
        "flask",
        ">=3",
    ),
    "constraints": (
        {"requirements.txt": "-c limits.txt\nflask>=3\n", "limits.txt": "flask<3.2\ndjango<6\n"}, "flask", ">=3,<3.2",
    ),
    "a constraint pins": ({"requirements.txt": "-c limits.txt\nflask\n", "limits.txt": "flask==3.1.0"}, "flask", "==3.1.0"),
    "a constraint is no requirement": (
        {"requirements.txt": "-c limits.txt\nflask>=3\n", "limits.txt": "flask<3.2\ndjango<6\n"}, "django", None,
    ),
    "options and continuations": (
        {"requirements.txt": "--index-url https://example.com\n-e .\nflask>=3 \\\n  ,<4 --config-settings a=b\n"},
        "flask",
        ">=3,<4",
    ),
    "pinned with hashes": (
        {"requirements.txt": "flask==3.1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"}, "flask", "==3.1.0",
    ),
    "pinned requirements are stronger than ranges": (
        {"pyproject.toml": PYPROJECT, "requirements.txt": "django==5.2.3\nasgiref==3.9\n"}, "django", "==5.2.3",
    ),
    "requirements that pin only some are not": (
        {"pyproject.toml": PYPROJECT, "requirements.txt": "django==5.2.3\nasgiref\n"}, "django", ">=5.2,<6.1",
    ),
    "a mention does not hide a range": (
        {"pyproject.toml": PYPROJECT, "requirements.txt": "flask>=3\n"}, "flask", ">=3",
    ),
    "setup.cfg": ({"setup.cfg": SETUP_CFG}, "django", ">=5.2"),
    "setup.cfg: extra": ({"setup.cfg": SETUP_CFG}, "pytest", ">=8"),
    "setup.cfg: a file": (
        {"setup.cfg": "[options]\ninstall_requires = file: deps.txt\n", "deps.txt": "flask>=3\n"}, "flask", ">=3",
    ),
    "setuptools: a file": (
        {
            "pyproject.toml": '[tool.setuptools.dynamic]\ndependencies = { file = ["deps.txt"] }\n',
            "deps.txt": "flask>=3\n",
        },
        "flask",
        ">=3",
    ),
    "Pipfile": ({"Pipfile": PIPFILE}, "django", ">=5.2,<6"),
    "Pipfile: pinned": ({"Pipfile": PIPFILE}, "flask", "==3.1.0"),
    "Pipfile: any": ({"Pipfile": PIPFILE}, "pytest", "*"),
    "uv.lock": ({"pyproject.toml": PYPROJECT, "uv.lock": UV_LOCK}, "django", "==5.2.9"),
    "uv.lock: two versions": ({"uv.lock": UV_LOCK}, "numpy", ">=1.26.0,<=2.1.0"),
    "uv.lock: a member without version": ({"uv.lock": UV_LOCK}, "api", "*"),
    "uv.lock: not in it": ({"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT}, "flask", "*"),
    "uv.lock: other tables": ({"uv.lock": UV_LOCK}, "misleading", None),
    "poetry.lock": ({"poetry.lock": POETRY_LOCK, "pyproject.toml": POETRY}, "django", "==5.2.8"),
    "pdm.lock": ({"pdm.lock": POETRY_LOCK}, "django", "==5.2.8"),
    "pylock.toml": (
        {"pylock.toml": 'lock-version = "1.0"\n[[packages]]\nname = "django"\nversion = "5.2.7"\n'}, "django", "==5.2.7",
    ),
    "Pipfile.lock": (
        {"Pipfile.lock": json.dumps({"default": {"django": {"version": "==5.2.6"}}, "develop": {}})}, "django", "==5.2.6",
    ),
    "calendar versions": ({"requirements.txt": "django>=2028.1\nflask\n"}, "django", ">=2028.1"),
    "names are normalized": ({"requirements.txt": "Flask_SQLAlchemy>=3.1\n"}, "flask-sqlalchemy", ">=3.1"),
    "requires-python": ({"pyproject.toml": PYPROJECT, ".python-version": "3.13\n"}, "python", ">=3.12,<3.15"),
    "setup.cfg: python": ({"setup.cfg": SETUP_CFG}, "python", ">=3.11"),
    ".python-version": ({".python-version": "3.13.1\n"}, "python", "==3.13.1"),
    ".python-version: several": ({".python-version": "3.13\n3.12\npypy3.10-7.3\n"}, "python", ">=3.12,<=3.13"),
    ".python-version: an environment": ({".python-version": "my-env\n"}, "python", None),
    "Dockerfile": ({"Dockerfile": "# build\nFROM docker.io/library/python:3.12-slim AS base\nFROM base\n"}, "python", "==3.12"),
    "Dockerfile: platform": ({"Dockerfile": "from --platform=$P python:3.13.1\n"}, "python", "==3.13.1"),
    "Dockerfile: major only": ({"Dockerfile": "FROM python:3\n"}, "python", ">=3,<4"),
    "Dockerfile: other images": ({"Dockerfile": "FROM acme/micropython:1.20\nFROM node:22\n"}, "python", None),
    "Pipfile: python": ({"Pipfile": PIPFILE}, "python", "==3.12"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "package", "expected"), DECLARED.values(), ids=DECLARED.keys())
def test_versions_are_read(files: dict[str, str], package: str, expected: str | None, tmp_path: Path) -> None:
    assert shown(project(tmp_path, files).get(package)) == expected


def test_the_source_is_named(tmp_path: Path) -> None:
    versions = project(tmp_path, {"pyproject.toml": PYPROJECT, "requirements/a.txt": "alembic==1.16\n"})
    found = [versions.get(package) for package in ("django", "alembic", "python")]
    assert [one.source for one in found if one] == ["pyproject.toml", "requirements/a.txt", "pyproject.toml"]


def test_settings_by_hand_come_first(tmp_path: Path) -> None:
    by_hand = {"Django": "6.0", "flask": ">=3,<4", "python": "3.14", "broken": "x"}
    versions = project(tmp_path, {"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT}, by_hand)
    assert [shown(versions.get(name)) for name in ("django", "flask", "python")] == [
        "==6.0",
        ">=3,<4",
        "==3.14",
    ]
    assert versions.get("broken") is None
    with pytest.raises(ValueError, match="Invalid"):
        range_by_hand("x")


def test_a_file_is_read_only_when_a_question_needs_it(tmp_path: Path) -> None:
    asked: list[str] = []

    def recorded(path: Path) -> bytes | None:
        asked.append(path.name)
        return read(path)

    project(tmp_path, {"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT, "requirements.txt": "a\n"})
    versions = Versions(tmp_path, {"flask": "3.1"}, recorded)
    versions.get("flask")
    assert asked == []
    versions.get("python")
    assert asked == ["pyproject.toml"]
    versions.get("django")
    versions.get("Django")
    assert asked == ["pyproject.toml", "uv.lock"]


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "uv.lock",
        "Pipfile",
        "Pipfile.lock",
        "setup.cfg",
        "requirements.txt",
        ".python-version",
        "Dockerfile",
    ],
)
@pytest.mark.parametrize(
    "text", ["]]]\n[[", '{"default": 7}', "\0\udcff", "[project]\ndependencies = 7\n", "[options\n"]
)
def test_malformed_files_say_nothing(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", errors="surrogateescape"))
    versions = Versions(tmp_path, {}, read)
    assert versions.get("django") is None
    assert versions.get("python") is None
    assert versions.declares("django") is None


def test_requirements_of_powershell(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("django==5.2.1\n", encoding="utf-16")
    assert shown(Versions(tmp_path, {}, read).get("django")) == "==5.2.1"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    project(tmp_path, {"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT})
    return tmp_path


def test_a_member_of_a_workspace_has_its_lock_file(workspace: Path) -> None:
    files = {"pyproject.toml": '[project]\nname = "api"\ndependencies = ["django>=4"]\n'}
    found = project(workspace / "services" / "api", files).get("django")
    assert shown(found) == "==5.2.9"
    assert found
    assert found.source == "../../uv.lock"


def test_a_project_beside_a_workspace_has_not(workspace: Path) -> None:
    files = {"pyproject.toml": '[project]\nname = "tool"\ndependencies = ["django>=4"]\n'}
    assert shown(project(workspace / "tools" / "tool", files).get("django")) == ">=4"


def test_a_folder_that_declares_nothing_belongs_to_the_one_above(workspace: Path) -> None:
    versions = project(workspace / "backend", {"pyproject.toml": "[tool.ruff]\n"})
    assert shown(versions.get("django")) == "==5.2.9"
    assert shown(versions.get("python")) == ">=3.12,<3.15"
    assert versions.declares("pydantic-settings") is False


def test_requirements_below_the_root_come_first(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    project(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["pydantic>=2.5", "flask>=3.1"]\n',
            "backend/requirements.txt": "pydantic==1.10.7\nfastapi==0.88.0\n",
            "backend/Dockerfile": "FROM python:3.12\n",
            "backend/shop/main.py": "",
        },
    )
    index = Engine(Settings(root=tmp_path)).index
    folders = folders_with_requirements(index, str(tmp_path / "backend" / "shop"), str(tmp_path))
    assert folders == (str(tmp_path / "backend"),)
    versions = Versions(tmp_path, {}, read, [tmp_path / "backend"])
    assert shown(versions.get("pydantic")) == "==1.10.7"
    assert shown(versions.get("flask")) == ">=3.1"
    assert shown(versions.get("python")) == "==3.12"
    assert versions.declares("fastapi") is True


SETUP_PY = """\
import os
from setuptools import setup

setup(name="shop", install_requires=["Django>=5.2,<6", "flask"], extras_require={"api": open("x").read()})
"""
SETUP_PY_WITH_FILE = """\
from setuptools import setup

with open("requires.txt") as file:
    required = file.read().splitlines()
setup(name="shop", long_description=open("README.txt").read(), install_requires=required)
"""


@pytest.mark.parametrize(
    ("files", "package", "expected"),
    [
        ({"setup.py": SETUP_PY}, "django", ">=5.2,<6"),
        ({"setup.py": SETUP_PY}, "flask", "*"),
        ({"setup.py": SETUP_PY_WITH_FILE, "requires.txt": "pydantic<2\n"}, "pydantic", "<2"),
        ({"setup.py": SETUP_PY_WITH_FILE, "README.txt": "pydantic<2\n"}, "pydantic", None),
        ({"setup.py": "setup(install_requires=[", "requires.txt": "pydantic<2\n"}, "pydantic", None),
    ],
)
def test_setup_py_is_read_and_not_run(
    files: dict[str, str], package: str, expected: str | None, tmp_path: Path
) -> None:
    assert shown(project(tmp_path, files).get(package)) == expected


def test_setup_py_that_computes_its_requirements_leaves_open_what_is_declared(tmp_path: Path) -> None:
    files = {"setup.py": "from setuptools import setup\nsetup(install_requires=read())\n"}
    assert project(tmp_path, {**files, "requirements.txt": "flask\n"}).declares("django") is None
    assert (
        project(tmp_path, {"setup.py": SETUP_PY, "requirements.txt": "flask\n"}).declares("fastapi") is False
    )


@pytest.mark.parametrize(
    ("requirements", "package", "expected"),
    [
        ("pydantic\nfastapi==0.88.0\n", "pydantic", "<2"),
        ("pydantic>=1.8\nfastapi<0.100\n", "pydantic", ">=1.8,<2"),
        ("sqlmodel==0.0.8\n", "sqlalchemy", "<2"),
        ("sqlmodel==0.0.8\n", "pydantic", "<2"),
        ("pydantic\nfastapi==0.115.0\n", "pydantic", "*"),
        ("pydantic\nfastapi>=0.88\n", "pydantic", "*"),
        ("pydantic==2.9\nfastapi==0.88.0\n", "pydantic", "==2.9"),
    ],
)
def test_old_releases_hold_others_back(
    requirements: str, package: str, expected: str, tmp_path: Path
) -> None:
    assert shown(project(tmp_path, {"requirements.txt": requirements}).get(package)) == expected


def test_nothing_is_looked_for_outside_of_version_control(tmp_path: Path) -> None:
    project(tmp_path, {"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT})
    assert project(tmp_path / "backend", {"pyproject.toml": "[tool.ruff]\n"}).get("django") is None


DECLARES = {
    "named": ({"pyproject.toml": PYPROJECT}, "django", True),
    "not named": ({"pyproject.toml": PYPROJECT}, "pydantic-settings", False),
    "nothing is declared": ({"pyproject.toml": "[project]\nname = 'a'\n"}, "django", None),
    "a lock file names all": ({"uv.lock": UV_LOCK, "setup.py": ""}, "flask", False),
    "brought by another": ({"requirements.txt": "fastapi\n"}, "starlette", True),
    "brought by an extension": ({"requirements.txt": "django-filter\n"}, "django", True),
    "executed metadata": ({"setup.py": "setup()", "requirements.txt": "flask\n"}, "django", None),
    "dynamic metadata": (
        {"pyproject.toml": '[project]\ndynamic = ["dependencies"]\noptional-dependencies = { a = ["flask"] }\n'}, "django", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "package", "expected"), DECLARES.values(), ids=DECLARES.keys())
def test_declarations_are_known(
    files: dict[str, str], package: str, expected: bool | None, tmp_path: Path
) -> None:
    assert project(tmp_path, files).declares(package) is expected


SATISFIED = {
    "no requirement": ("", "", "lower", True),
    "no specifier": ("", "django", "lower", True),
    "exact, inside": ("django==5.2.1\n", "django>=5.2", "lower", True),
    "exact, outside": ("django==5.1.9\n", "django>=5.2", "upper", False),
    "exact prerelease": ("django==6.0b1\n", "django>=5.2", "lower", True),
    "exact development release": ("django==6.0.dev1\n", "django>=6.0", "lower", False),
    "lower end inside": ("django>=5.2,<7\n", "django>=5.2", "lower", True),
    "lower end outside": ("django>=4.2,<7\n", "django>=5.2", "lower", False),
    "no lower end": ("django<7\n", "django>=5.2", "lower", True),
    "no lower end, the oldest supported is outside": ("django<7\n", "django>=6", "lower", False),
    "no lower end below the oldest supported": ("django<4\n", "django>=5.2", "lower", False),
    "upper end inside": ("django>=4.2,<=6.1\n", "django>=6.1", "upper", True),
    "upper end excluded": ("django>=4.2,<6.1\n", "django>=6.1", "upper", False),
    "upper end just inside": ("django>=4.2,<6.1\n", "django>=6.0", "upper", True),
    "upper end far away": ("django>=4.2,<10\n", "django>=6.1", "upper", True),
    "upper end beyond what exists": ("django>=4.2,<10\n", "django>=9", "upper", False),
    "no upper end": ("django>=4.2\n", "django>=6.1", "upper", True),
    "no upper end above the newest": ("django>=2028.1\n", "django>=7", "upper", True),
    "a mention": ("django\n", "django>=6.1", "upper", True),
    "a mention, oldest": ("django\n", "django>=6.1", "lower", False),
    "unknown, both ends inside": ("", "sqlalchemy>=2.0", "lower", True),
    "unknown, one end outside": ("", "sqlalchemy>=2.1", "upper", False),
    "unknown, other end outside": ("", "sqlalchemy<2.1", "lower", False),
    "unknown package": ("", "nosuchpackage>=1", "lower", False),
    "several packages": ("django>=5.2\nflask>=3.1\n", "django>=5.2,<7, flask>=3.1", "lower", True),
    "several packages, one outside": (
        "django>=5.2\nflask>=3.0\n",
        "django>=5.2,<7, flask>=3.1",
        "lower",
        False,
    ),
    "a range for the rule": ("django==6.0\n", "django>=5.2, <6", "lower", False),
}


@pytest.mark.parametrize(
    ("declared", "applies", "bound", "expected"), SATISFIED.values(), ids=SATISFIED.keys()
)
def test_requirements_of_rules(
    declared: str, applies: str, bound: str, expected: bool, tmp_path: Path
) -> None:
    versions = project(tmp_path, {"requirements.txt": f"{declared}other\n"})
    assert satisfies(applies, versions, bound=bound) is expected


@pytest.mark.parametrize(
    ("declared", "lower", "upper"),
    [
        (">=3.11", True, True),
        (">=3.10", False, True),
        ("<3.13", True, True),
        (">=3.9,<3.11", False, False),
        ("==3.12.*", True, True),
    ],
)
def test_the_python_of_rules(declared: str, lower: bool, upper: bool, tmp_path: Path) -> None:
    versions = project(tmp_path, {"pyproject.toml": f'[project]\nrequires-python = "{declared}"\n'})
    assert satisfies("python>=3.11", versions, bound="lower") is lower
    assert satisfies("python>=3.11", versions, bound="upper") is upper


def test_malformed_questions_are_refused(tmp_path: Path) -> None:
    versions = project(tmp_path, {})
    with pytest.raises(ValueError, match="bound"):
        satisfies("django", versions, bound="middle")
    with pytest.raises(ValueError, match="xpected"):
        satisfies("django>=", versions, bound="lower")


def test_the_table_is_in_order() -> None:
    assert all(oldest <= newest for oldest, newest in SUPPORTED.values())
    assert SUPPORTED["django"][0] == Version("5.2")


def test_a_large_lock_file_is_read_to_its_end(tmp_path: Path) -> None:
    wheels = "".join(
        f'    {{ url = "https://example.com/{at}.whl", hash = "sha256:{at:064}" }},\n' for at in range(12)
    )
    entry = '[[package]]\nname = "package-{0}"\nversion = "{0}.0"\nsource = {{ registry = "x" }}\nwheels = [\n{1}]\n\n'
    text = "version = 1\n\n" + "".join(entry.format(at, wheels) for at in range(800))
    assert len(text) > 1_000_000
    versions = project(tmp_path, {"uv.lock": text})
    assert shown(versions.get("package-799")) == "==799.0"
