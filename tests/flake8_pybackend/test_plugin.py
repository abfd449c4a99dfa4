"""The flake8 plugin, in real runs of flake8."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pybackend_lint.registry import ENTRIES
from tests.processes import JOBS, PYPROJECT, Run, run, write

SLEEP = "    time.sleep(1)"
NAME = "blocking-sleep-or-wait-in-async"


def flake8(root: Path, *arguments: str, **more: Any) -> Run:
    return run("flake8", *arguments, cwd=root, **more)


def codes(done: Run) -> list[str]:
    """Our findings as `file:line:column: code`."""
    assert "critical error" not in done.output + done.errors
    return [
        match[1]
        for line in done.output.splitlines()
        if (match := re.match(r"(?:\./)?(.+:\d+:\d+: PB\d+) ", line)) is not None
    ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"pyproject.toml": PYPROJECT, "jobs.py": JOBS})
    return tmp_path


def test_finding(project: Path) -> None:
    done = flake8(project)
    assert done.code == 1
    assert codes(done) == ["jobs.py:5:5: PB604"]
    assert "coroutines" in done.output


def test_version_names_the_plugin(tmp_path: Path) -> None:
    assert "pybackend-lint: 0." in flake8(tmp_path, "--version").output


@pytest.mark.parametrize(
    ("comment", "hidden"),
    [
        ("# noqa: PB604", True),
        (f"# noqa: {NAME}", True),
        (f"# noqa: E501, {NAME}", True),
        ("# noqa: PB604 -- at start-up only", True),
        ("# noqa: E501", False),
        ("# pybackend-lint: noqa: PB604", True),
    ],
)
def test_noqa(project: Path, comment: str, hidden: bool) -> None:
    write(project, {"jobs.py": JOBS.replace(SLEEP, f"{SLEEP}  {comment}")})
    assert codes(flake8(project)) == ([] if hidden else ["jobs.py:5:5: PB604"])
    assert codes(flake8(project, "--disable-noqa")) == ["jobs.py:5:5: PB604"]


def test_selection_and_per_file_ignores(project: Path) -> None:
    write(project, {"lib/jobs.py": JOBS})
    both = ["jobs.py:5:5: PB604", "lib/jobs.py:5:5: PB604"]
    assert sorted(codes(flake8(project, "--select", "PB6"))) == both
    assert codes(flake8(project, "--extend-ignore", "PB604")) == []
    assert codes(flake8(project, "--per-file-ignores", "lib/*:PB6")) == both[:1]
    write(project, {"setup.cfg": "[flake8]\nper-file-ignores =\n    lib/jobs.py:PB604\n"})
    assert codes(flake8(project, "--jobs", "2")) == both[:1]


def test_standard_input(project: Path) -> None:
    source = '# -*- coding: latin-1 -*-\n"é"\n' + JOBS.replace(SLEEP, '    "é"; time.sleep(1)')
    done = flake8(project, "--stdin-display-name", "lib/x.py", "-", stdin=source.encode("latin-1"))
    assert codes(done) == ["lib/x.py:7:10: PB604"]
    assert codes(flake8(project, "-", stdin="\ufeff" + JOBS)) == ["stdin:5:5: PB604"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_columns_count_characters(project: Path, encoding: str, newline: str) -> None:
    text = JOBS.replace(SLEEP, '    "äöü"; time.sleep(1)').replace("\n", newline)
    if "utf" not in encoding:
        text = f"# coding: {encoding}{newline}{text}"
    (project / "jobs.py").write_bytes(text.encode(encoding))
    row = 5 + ("utf" not in encoding)
    assert codes(flake8(project)) == [f"jobs.py:{row}:12: PB604"]


def test_our_settings_count(project: Path) -> None:
    calls = [
        "import billing\n\n\ndef charge() -> None:\n    billing.charge()\n",
        "async def pay() -> None:\n    charge()\n",
    ]
    write(project, {"jobs.py": "\n\n".join(calls)})
    assert codes(flake8(project)) == []
    settings = f"{PYPROJECT}\n[tool.pybackend-lint]\nextra-blocking = ['billing.charge']\n"
    write(project, {"pyproject.toml": settings})
    assert codes(flake8(project)) == ["jobs.py:9:5: PB600"]
    write(project, {"pyproject.toml": settings + "ignore = ['PB6']\n"})
    assert codes(flake8(project)) == []


def test_wrong_settings_are_named(project: Path) -> None:
    write(project, {"pyproject.toml": "[tool.pybackend-lint]\nselct = []\n"})
    done = flake8(project)
    assert done.code == 1
    assert "unknown key 'selct'; did you mean 'select'?" in done.output + done.errors
    assert "Traceback" not in done.output + done.errors


def test_syntax_errors_are_flake8s(project: Path) -> None:
    write(project, {"jobs.py": "def f(:\n"})
    done = flake8(project)
    assert "E999" in done.output
    assert codes(done) == []


def test_rules_that_are_off_by_default_are_on_flake8s_own_list(project: Path) -> None:
    opt_in = sorted(entry.code for entry in ENTRIES if not entry.default)
    done = flake8(project, "--bug-report")
    assert done.code == 0
    script = (
        "from flake8.main.application import Application\n"
        "app = Application()\napp.initialize(['.']) if hasattr(app, 'initialize') else None\n"
        "print(*sorted(c for c in app.options.extended_default_ignore if c.startswith('PB')))\n"
    )
    (project / "ask.py").write_text(script)
    assert run("ask", cwd=project, environment={"PYTHONPATH": str(project)}).output.split() == opt_in


@pytest.mark.skipif(all(entry.code != "PB002" for entry in ENTRIES), reason="no rule checks project files")
def test_project_files_are_reported_once_on_the_first_file(project: Path) -> None:
    write(project, {"pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n", "shop/__init__.py": ""})
    write(project, {"jobs.py": "", "shop/jobs.py": ""})
    done = flake8(project, "--select", "PB0")
    assert codes(done) == ["shop/__init__.py:1:1: PB002"]
    assert "(pyproject.toml:1)" in done.output
    assert codes(flake8(project, "--select", "PB0", "shop/jobs.py", "jobs.py")) == []
