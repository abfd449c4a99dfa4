"""Traps of missing-asyncio-extra, and what SQLAlchemy requires."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pybackend_lint.engine import Engine
from tests.rules.harness import findings, fix, settings_for, write

HEAD = '[project]\nname = "shop"\nrequires-python = ">=3.12"\n'
USE = {"shop/database.py": "from sqlalchemy.ext.asyncio import create_async_engine\n"}
LOCK = '[[package]]\nname = "sqlalchemy"\nversion = "{version}"\n'
SILENT = {
    "with the extra": '"sqlalchemy[asyncio]>=2.1"',
    "with the extra in another spelling": '"SQLAlchemy[postgresql, asyncio]>=2.1"',
    "an older one": '"sqlalchemy>=2.0,<2.1"',
    "a pinned older one": '"sqlalchemy==2.0.40"',
    "greenlet beside it": '"sqlalchemy>=2.1", "greenlet>=3"',
    "a package that brings it": '"sqlalchemy>=2.1", "advanced-alchemy>=1"',
    "not named": '"asyncpg"',
}
FOUND = {
    "a minimum": '"sqlalchemy>=2.1"',
    "any version": '"SQLAlchemy"',
    "an open range": '"sqlalchemy>=2.0.30", "asyncpg"',
    "with a marker": "'sqlalchemy>=2.1; python_version >= \"3.12\"'",
}
ELSEWHERE = {
    "nothing imports it": {"shop/database.py": "from sqlalchemy import create_engine\n"},
    "only mentioned": {"shop/database.py": '"""See sqlalchemy.ext.asyncio."""\n'},
    "tests only": {"tests/test_database.py": USE["shop/database.py"]},
    "another project below": {
        "other/pyproject.toml": HEAD,
        "other/database.py": USE["shop/database.py"],
    },
    "locked at an older one": {**USE, "uv.lock": LOCK.format(version="2.0.40")},
    "locked with greenlet": {
        **USE,
        "uv.lock": LOCK.format(version="2.1.9") + '[[package]]\nname = "greenlet"\nversion = "3.2"\n',
    },
    "in another file of requirements": {**USE, "requirements.txt": "greenlet==3.2.0\n"},
}


@pytest.mark.parametrize("requirements", SILENT.values(), ids=SILENT)
def test_silent(requirements: str) -> None:
    findings("PB553", f"{HEAD}dependencies = [{requirements}]\n", files=USE, path="pyproject.toml")


@pytest.mark.parametrize("files", ELSEWHERE.values(), ids=ELSEWHERE)
def test_silent_for_other_files(files: dict[str, str]) -> None:
    findings("PB553", f'{HEAD}dependencies = ["sqlalchemy>=2.0"]\n', files=files, path="pyproject.toml")


@pytest.mark.parametrize("requirements", FOUND.values(), ids=FOUND)
def test_found_until_it_is_fixed(requirements: str) -> None:
    text = f"{HEAD}dependencies = [{requirements}]  # PB553\n"
    found = findings("PB553", text, files=USE, path="pyproject.toml")
    assert found[0].related[0].path.endswith("database.py")
    fixed = fix("PB553", text, files=USE, path="pyproject.toml")
    assert "sqlalchemy[asyncio]" in fixed.lower()
    findings("PB553", fixed.replace("# PB553", ""), files=USE, path="pyproject.toml")


def test_locked_without_greenlet() -> None:
    files = {**USE, "uv.lock": LOCK.format(version="2.1.9")}
    findings("PB553", f'{HEAD}dependencies = ["sqlalchemy"]  # PB553\n', files=files, path="pyproject.toml")


def test_no_fix_beside_other_extras_and_for_poetry() -> None:
    for text in (
        f'{HEAD}dependencies = ["sqlalchemy[postgresql]>=2.1"]  # PB553\n',
        '[tool.poetry.dependencies]\npython = "^3.12"\nSQLAlchemy = ">=2.0"  # PB553\n',
    ):
        assert findings("PB553", text, files=USE, path="pyproject.toml")[0].fix is None


def test_poetry_with_the_extra() -> None:
    text = '[tool.poetry.dependencies]\npython = "^3.12"\nsqlalchemy = {version = ">=2.1", extras = ["asyncio"]}\n'
    findings("PB553", text, files=USE, path="pyproject.toml")


def test_sqlalchemy_needs_greenlet_and_brings_it_with_the_extra_only() -> None:
    greenlet = [Requirement(text) for text in requires("sqlalchemy") or () if text.startswith("greenlet")]
    assert [str(item.marker) for item in greenlet] == ['extra == "asyncio"']
    program = "import sys; sys.modules['greenlet'] = None; import sqlalchemy.ext.asyncio"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError" in done.stderr
    assert "sqlalchemy[asyncio]" in done.stderr


def test_kept_answers_follow_the_code(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": f'{HEAD}dependencies = ["sqlalchemy>=2.1"]\n', "shop.py": "A = 1\n"})
    command = [sys.executable, "-m", "pybackend_lint", "check", "--select", "PB553", "--cache-dir", "kept"]
    counts = []
    for text in ("A = 1\n", "A = 2\n", "import sqlalchemy.ext.asyncio\n", "A = 3\n"):
        (tmp_path / "shop.py").write_text(text)
        done = subprocess.run([*command, "."], cwd=tmp_path, capture_output=True, text=True)
        counts.append(done.stdout.count("PB553"))
    assert counts == [0, 0, 1, 0]


def test_postponed_where_many_files_would_be_read(tmp_path: Path) -> None:
    text = f'{HEAD}dependencies = ["sqlalchemy>=2.1"]\n'
    write(tmp_path, {"pyproject.toml": text, **USE})
    engine = Engine(settings_for(tmp_path, "PB553"))
    engine.index.most_files = 0
    first = engine.check_project_file(tmp_path / "pyproject.toml", "pyproject.toml", text.encode())
    assert (first.findings, first.errors, first.complete) == ([], [], False)
    engine.index.most_files = None
    again = engine.check_project_file(tmp_path / "pyproject.toml", "pyproject.toml", text.encode())
    assert ([finding.code for finding in again.findings], again.complete) == (["PB553"], True)
