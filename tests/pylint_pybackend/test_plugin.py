"""The pylint plugin, in real runs of pylint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import SYNTAX_ERROR
from pylint_pybackend import message_id
from tests.processes import JOBS, PYPROJECT, Run, run, write

SLEEP = "    time.sleep(1)"
NAME = "blocking-sleep-or-wait-in-async"
OURS = ("--disable=all", "--enable=pybackend-lint")


def pylint(root: Path, *arguments: str, **more: Any) -> Run:
    return run("pylint", "--rcfile=", "--load-plugins=pylint_pybackend", *arguments, cwd=root, **more)


def messages(done: Run) -> list[tuple[str, int, int, str]]:
    return [(m["path"], m["line"], m["column"], m["messageId"]) for m in done.json["messages"]]


def found(root: Path, *arguments: str, **more: Any) -> list[tuple[str, int, int, str]]:
    done = pylint(root, "--output-format=json2", *arguments, **more)
    assert done.errors == ""
    return messages(done)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"pyproject.toml": PYPROJECT, "jobs.py": JOBS})
    return tmp_path


def test_message(project: Path) -> None:
    done = pylint(project, "--output-format=json2", *OURS, "jobs.py")
    (message,) = done.json["messages"]
    assert (message["messageId"], message["symbol"], message["type"]) == ("W9604", NAME, "warning")
    assert (message["line"], message["column"]) == (5, 4)
    assert (message["endLine"], message["endColumn"]) == (5, 14)
    assert "coroutines" in message["message"]


def test_text_output_and_other_checkers_beside_ours(project: Path) -> None:
    done = pylint(project, "--score=no", "jobs.py")
    assert "jobs.py:1:0: C0114:" in done.output
    assert "jobs.py:5:4: W9604:" in done.output
    assert f"({NAME})" in done.output


@pytest.mark.parametrize("disabled", ["W9604", NAME, "W"])
def test_disable(project: Path, disabled: str) -> None:
    assert found(project, *OURS, f"--disable={disabled}", "jobs.py") == []


@pytest.mark.parametrize("enabled", ["W9604", NAME])
def test_enable(project: Path, enabled: str) -> None:
    assert found(project, "--disable=all", f"--enable={enabled}", "jobs.py") == [("jobs.py", 5, 4, "W9604")]


@pytest.mark.parametrize(
    "source",
    [
        JOBS.replace(SLEEP, f"{SLEEP}  # pylint: disable={NAME}"),
        JOBS.replace(SLEEP, f"{SLEEP}  # pylint: disable=W9604"),
        JOBS.replace(SLEEP, f"    # pylint: disable={NAME}\n{SLEEP}"),
        JOBS.replace(SLEEP, f"    # pylint: disable-next={NAME}\n{SLEEP}"),
        f"# pylint: disable={NAME}\n{JOBS}",
        JOBS.replace(SLEEP, f"{SLEEP}  # noqa: {NAME}"),
    ],
)
def test_pragmas(project: Path, source: str) -> None:
    write(project, {"jobs.py": source})
    assert found(project, *OURS, "jobs.py") == []


def test_pragmas_for_other_lines(project: Path) -> None:
    source = f"{JOBS}    time.sleep(2)  # pylint: disable={NAME}\n{SLEEP}\n"
    write(project, {"jobs.py": source})
    assert [line for _, line, _, _ in found(project, *OURS, "jobs.py")] == [5, 7]


def test_processes_report_once(project: Path) -> None:
    names = [f"jobs{number}.py" for number in range(6)]
    write(project, dict.fromkeys(names, JOBS))
    assert sorted(found(project, "--jobs=2", *OURS, *names)) == [(name, 5, 4, "W9604") for name in names]


def test_standard_input(project: Path) -> None:
    source = '# coding: latin-1\n"é"\n' + JOBS.replace(SLEEP, '    "é"; time.sleep(1)')
    piped = found(project, *OURS, "--from-stdin", "jobs.py", stdin='"é"\n' + source.split("\n", 1)[1])
    assert piped == [("jobs.py", 7, 9, "W9604")]
    (project / "jobs.py").write_bytes(source.encode("latin-1"))
    assert found(project, *OURS, "jobs.py") == [("jobs.py", 7, 9, "W9604")]


def test_every_rule_has_a_message_that_is_on_as_the_rule_is(tmp_path: Path) -> None:
    listed = pylint(tmp_path, "--list-msgs-enabled").output
    enabled, disabled = listed.split("Disabled messages:")
    rules = [entry for entry in ENTRIES if entry.code != SYNTAX_ERROR]
    for entry in rules:
        # Where pylint has a message of the same name, ours has a prefix.
        symbols = [f"  {prefix}{entry.name} ({message_id(entry)})\n" for prefix in ("", "backend-")]
        assert sum(enabled.count(symbol) for symbol in symbols) == entry.default
        assert sum(disabled.count(symbol) for symbol in symbols) == (not entry.default)
    assert {message_id(entry)[0] for entry in rules} <= {"W", "E"}


def test_our_settings_count(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.pybackend-lint]\nignore = ['PB604']\n")
    assert found(project, *OURS, "jobs.py") == []


def test_wrong_settings_are_named(project: Path) -> None:
    write(project, {"pyproject.toml": "[tool.pybackend-lint]\nselct = []\n"})
    done = pylint(project, "jobs.py")
    assert done.code != 0
    assert "unknown key 'selct'; did you mean 'select'?" in done.errors
    assert "Traceback" not in done.errors


def test_syntax_errors_are_pylints(project: Path) -> None:
    write(project, {"jobs.py": "def f(:\n"})
    assert [identifier for *_, identifier in found(project, "jobs.py")] == ["E0001"]
