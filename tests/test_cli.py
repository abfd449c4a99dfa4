"""The command line, as real processes."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pybackend_lint.cli import main
from pybackend_lint.registry import ENTRIES
from tests.processes import JOBS, SCHEMAS, lint, shop, write

JOB = ("jobs.py", 5, 5, "PB604")
SCHEMA = ("schemas.py", 7, 5, "PB400")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shop(tmp_path)


def places(project: Path, *arguments: str | Path) -> list[tuple[str, int, int, str]]:
    return lint("check", "--output-format", "json", *arguments, cwd=project).places


def test_findings_exit_with_1_and_nothing_with_0(project: Path) -> None:
    found = lint("check", cwd=project)
    assert found.code == 1
    assert "shop/jobs.py:5:5: PB604 Use" in found.output
    assert "shop/schemas.py:7:5: PB400 [*] Replace" in found.output
    assert found.output.endswith("Found 2 findings (1 fixable with --fix, 1 more with --unsafe-fixes)\n")
    assert found.errors == ""
    assert "\x1b" not in found.output
    clean = lint("check", "pyproject.toml", cwd=project)
    assert (clean.code, clean.output, clean.errors) == (0, "No findings\n", "")
    assert lint("check", "--exit-zero", cwd=project).code == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[project]\nname = 'shop'  # noqa\n", [("pyproject.toml", 1, 1, "PB002")]),
        ("[project]  # noqa: PB002\nname = 'shop'\n", []),
    ],
)
def test_project_files_have_suppressions(
    text: str, expected: list[tuple[str, int, int, str]], project: Path
) -> None:
    (project / "shop" / "__init__.py").touch()
    (project / "pyproject.toml").write_text(text)
    assert places(project, "pyproject.toml") == expected
    command = [sys.executable, "-m", "flake8", "--isolated", "--select=PB0", "shop"]
    flake8 = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert flake8.stdout.count("PB002") == len(expected)
    assert flake8.stderr == ""


def test_paths(project: Path) -> None:
    assert places(project) == [JOB, SCHEMA]
    assert places(project, ".", "shop", "shop/jobs.py") == [JOB, SCHEMA]
    assert places(project, "shop/schemas.py", "shop/jobs.py") == [JOB, SCHEMA]
    assert places(project, project / "shop" / "jobs.py") == [JOB]
    assert places(project / "shop", "jobs.py") == [JOB]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--select", "PB6"], [JOB]),
        (["--select", "PB6,class-based-config"], [JOB, SCHEMA]),
        (["--select", "PB6", "--select", "PB4"], [JOB, SCHEMA]),
        (["--select", "PB6", "--extend-select", "PB400"], [JOB, SCHEMA]),
        (["--ignore", "PB604"], [SCHEMA]),
        (["--extend-ignore", "PB6", "--ignore", "PB4"], []),
    ],
)
def test_selection(project: Path, options: list[str], expected: list[object]) -> None:
    assert places(project, *options) == expected


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["check", "--selct", "PB1"], "unknown argument '--selct'; did you mean '--select'?"),
        (["check", "--jobs", "0"], "'0' is not a number of processes"),
        (["check", "--output-format", "xml"], "'xml'"),
        (["chekc"], "'chekc'"),
        (["check", "--select", "PB999"], "--select: unknown rule 'PB999'"),
        (["check", "--extend-select", "class-based-confg"], "did you mean 'class-based-config'?"),
        (["check", "--config", "absent.toml"], "absent.toml: No such file or directory"),
        (["check", "absent.py"], "absent.py: No such file or directory"),
        (["check", "pyproject.toml", "--output-file", "."], ".: Is a directory"),
        (["rule", "PB999"], "unknown rule 'PB999'"),
        (["rule", "PB6"], "'PB6' is not one rule"),
    ],
)
def test_mistakes_are_named_on_one_line(tmp_path: Path, arguments: list[str], named: str) -> None:
    done = lint(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert named in done.errors
    assert done.errors.count("\n") == 1
    assert "Traceback" not in done.errors


def test_unknown_rules_to_ignore_are_warned_about(project: Path) -> None:
    done = lint("check", "--ignore", "PB999,PB604", cwd=project)
    assert done.errors == "warning: --ignore: unknown rule 'PB999'\n"
    assert "Found 1 finding" in done.output


def test_other_files_are_checked_when_one_cannot_be(project: Path) -> None:
    write(project, {"broken.py": "def f(:\n", "latin.py": ""})
    (project / "latin.py").write_bytes(b"x = '\xe9'\n")
    (project / "gone.py").symlink_to("nowhere.py")
    done = lint("check", "--output-format", "json", ".", "gone.py", cwd=project)
    assert done.code == 2
    assert done.errors == "error: gone.py: No such file or directory\n"
    assert [(name, row, code) for name, row, _, code in done.places] == [
        ("broken.py", 1, "PB000"),
        ("latin.py", 1, "PB000"),
        ("jobs.py", 5, "PB604"),
        ("schemas.py", 7, "PB400"),
    ]


def test_directories_that_cannot_be_read_are_named(project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    (project / "closed").mkdir(mode=0)
    done = lint("check", cwd=project)
    assert done.code == 2
    assert "closed: Permission denied" in done.errors
    assert "Found 2 findings" in done.output
    done = lint("check", "closed", cwd=project)
    assert (done.code, done.errors) == (2, "error: closed: Permission denied\n")


def test_pipes_are_not_read(project: Path) -> None:
    os.mkfifo(project / "shop" / "pipe.py")
    assert places(project) == [JOB, SCHEMA]
    assert places(project) == [JOB, SCHEMA]  # from the cache


def test_settings_of_the_project(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write(
            "[tool.pybackend-lint]\nselect = ['PB4']\nper-file-ignores = { '*/schemas.py' = ['PB400'] }\n"
        )
    assert places(project) == []
    assert places(project, "--isolated") == [JOB, SCHEMA]
    assert places(project, "--extend-select", "PB6") == [JOB]
    write(project, {"other.toml": "[tool.pybackend-lint]\nignore = ['PB604']\n"})
    assert places(project, "--config", "other.toml") == [SCHEMA]


def test_a_wrong_setting_keeps_only_its_own_files_from_being_checked(project: Path) -> None:
    write(project, {"lib/pyproject.toml": "[tool.pybackend-lint]\nselct = []\n", "lib/jobs.py": JOBS})
    done = lint("check", cwd=project)
    assert done.code == 2
    assert done.errors == (
        "error: lib/pyproject.toml: [tool.pybackend-lint]: unknown key 'selct'; did you mean 'select'?\n"
    )
    assert "Found 2 findings" in done.output


def test_show_settings(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.pybackend-lint]\nselect = ['PB604']\nversions = { Django = '5.2' }\n")
    shown = lint("check", "--show-settings", "--output-format", "json", "shop", cwd=project)
    assert shown.code == 0
    assert shown.json["configuration"] == str(project / "pyproject.toml")
    assert [rule.split()[0] for rule in shown.json["rules"]] == ["PB000", "PB604"]
    assert shown.json["versions"] == {"django": "5.2"}
    text = lint("check", "--show-settings", "--extend-select", "PB400", cwd=project).output
    assert "\nrules:\n    PB000 syntax-error\n    PB400 class-based-config\n    PB604 " in text


def test_fix_writes_and_reports_what_remains(project: Path) -> None:
    done = lint("check", "--fix", cwd=project)
    assert done.code == 1
    assert "model_config = ConfigDict(frozen=True)" in (project / "shop/schemas.py").read_text()
    assert (project / "shop/jobs.py").read_text() == JOBS
    assert done.output.endswith("Found 2 findings (1 fixed, 1 remaining, 1 with --unsafe-fixes)\n")
    done = lint("check", "--fix", "--unsafe-fixes", "--no-cache", cwd=project)
    assert (done.code, done.output) == (0, "Found 1 finding (1 fixed, 0 remaining)\n")
    assert "await asyncio.sleep(1)" in (project / "shop/jobs.py").read_text()
    assert lint("check", "--fix", cwd=project).output == "No findings\n"


def test_exit_non_zero_on_fix(project: Path) -> None:
    (project / "shop/jobs.py").unlink()
    assert lint("check", "--fix", "--exit-non-zero-on-fix", cwd=project).code == 1
    assert lint("check", "--fix", "--exit-non-zero-on-fix", cwd=project).code == 0


def test_fix_names_files_that_cannot_be_written(project: Path) -> None:
    (project / "shop/schemas.py").chmod(0o444)
    done = lint("check", "--fix", cwd=project)
    assert done.code == 2
    assert done.errors == "error: shop/schemas.py: cannot be written: the file is read-only\n"
    assert (project / "shop/schemas.py").read_text() == SCHEMAS
    assert "Found 2 findings" in done.output


def test_diff_changes_nothing(project: Path) -> None:
    done = lint("check", "--diff", cwd=project)
    assert done.code == 1
    assert done.output.startswith("--- shop/schemas.py\n+++ shop/schemas.py\n@@ ")
    assert "+    model_config = ConfigDict(frozen=True)\n" in done.output
    assert "jobs.py" not in done.output
    assert done.errors == "Would fix 1 finding (1 more with --unsafe-fixes)\n"
    assert (project / "shop/schemas.py").read_text() == SCHEMAS
    # The diff is one that patch accepts, and leads where --fix leads.
    patched = project / "patched"
    shop(patched)
    subprocess.run(["git", "apply", "-p0", "-"], cwd=patched, input=done.output, text=True, check=True)
    lint("check", "--fix", cwd=project)
    assert (patched / "shop/schemas.py").read_text() == (project / "shop/schemas.py").read_text()
    done = lint("check", "--diff", "shop", cwd=project)
    assert (done.code, done.output, done.errors) == (0, "", "No fixes to apply (1 with --unsafe-fixes)\n")


def test_standard_input(project: Path) -> None:
    found = lint("check", "-", "--output-format", "json", cwd=project, stdin=JOBS)
    assert found.code == 1
    assert found.json[0]["filename"] == "-"
    named = lint("check", "-", "--stdin-filename", "shop/jobs.py", cwd=project, stdin="\n" + JOBS)
    assert "shop/jobs.py:6:5: PB604" in named.output
    assert "6 |     time.sleep(1)" in named.output
    tests = lint("check", "-", "--stdin-filename", "tests/test_jobs.py", cwd=project, stdin="def f(:\n")
    assert "tests/test_jobs.py:1:7: PB000" in tests.output
    project_file = lint("check", "-", "--stdin-filename", "pyproject.toml", cwd=project, stdin="[project")
    assert project_file.code == 2
    assert "pyproject.toml: not valid TOML" in project_file.errors


def test_standard_input_is_fixed_to_standard_output(project: Path) -> None:
    done = lint("check", "--fix", "-", "--stdin-filename", "shop/a.py", cwd=project, stdin=SCHEMAS)
    assert done.code == 0
    assert "model_config = ConfigDict(frozen=True)" in done.output
    assert done.errors == "Found 1 finding (1 fixed, 0 remaining)\n"
    assert not (project / "shop/a.py").exists()
    unchanged = lint("check", "--fix", "-", cwd=project, stdin=JOBS.replace("\n", "\r\n"))
    assert unchanged.output == JOBS.replace("\n", "\r\n")
    assert "PB604" in unchanged.errors
    diff = lint("check", "--diff", "-", "--stdin-filename", "shop/a.py", cwd=project, stdin=SCHEMAS)
    assert diff.code == 1
    assert diff.output.startswith("--- shop/a.py\n")


def test_excluded_standard_input(project: Path) -> None:
    arguments = ("check", "-", "--force-exclude", "--stdin-filename", "build/a.py", "--quiet")
    done = lint(*arguments, cwd=project, stdin=JOBS)
    assert (done.code, done.output) == (0, "")
    fixed = lint(*arguments, "--fix", cwd=project, stdin=SCHEMAS)
    assert (fixed.code, fixed.output) == (0, SCHEMAS)


def test_output_file_and_statistics(project: Path) -> None:
    done = lint("check", "--output-format", "sarif", "--output-file", "out/log.sarif", cwd=project)
    assert (done.code, done.output) == (1, "")
    log = json.loads((project / "out/log.sarif").read_text())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["PB604", "PB400"]
    counted = lint("check", "--statistics", cwd=project)
    assert counted.output.splitlines() == [
        "1  PB400  [*]  class-based-config",
        "1  PB604       blocking-sleep-or-wait-in-async",
    ]
    counted = lint("check", "--statistics", "--output-format", "json", cwd=project)
    assert [(item["code"], item["count"]) for item in counted.json] == [("PB400", 1), ("PB604", 1)]
    commands = lint("check", "--output-format", "github", cwd=project).output.splitlines()
    assert [line.split(" ")[0] for line in commands] == ["::warning", "::warning"]
    assert lint("check", "--quiet", "pyproject.toml", cwd=project).output == ""


def test_rule(tmp_path: Path) -> None:
    by_code = lint("rule", "PB604", cwd=tmp_path)
    by_name = lint("rule", "blocking-sleep-or-wait-in-async", cwd=tmp_path)
    assert by_code.code == by_name.code == 0
    assert by_code.output == by_name.output
    assert by_code.output.startswith("# PB604: blocking-sleep-or-wait-in-async\n")
    assert "\n## Bad\n```python\nimport time\n" in by_code.output
    described = lint("rule", "PB604", "--output-format", "json", cwd=tmp_path).json
    assert described["documentation"].strip() in by_code.output
    assert described["name"] == "blocking-sleep-or-wait-in-async"


def test_rules(tmp_path: Path) -> None:
    table = lint("rules", cwd=tmp_path).output.splitlines()
    assert [line.split()[0] for line in table] == ["code", *(entry.code for entry in ENTRIES)]
    described = lint("rules", "--output-format", "json", cwd=tmp_path).json
    assert [(item["code"], item["default"]) for item in described] == [(e.code, e.default) for e in ENTRIES]


def test_version_imports_no_engine(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pybackend_lint.cli import main\n"
        "try:\n    main(['--version'])\nfinally:\n"
        "    loaded = [m for m in sys.modules if m.startswith(('pybackend_lint', 'rich', 'pathspec', 'bracex'))]\n"
        "    print(*sorted(loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    version, loaded = done.stdout.splitlines()
    assert version.startswith("pybackend-lint 0.")
    assert loaded.split() == ["pybackend_lint", "pybackend_lint.cli"]


def test_without_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "check files and directories" in capsys.readouterr().out


def on_terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    """What the command line prints on a terminal."""
    leader, follower = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "pybackend_lint", *arguments],
        cwd=cwd,
        stdout=follower,
        stderr=follower,
        env={**kept, "TERM": "xterm-256color", "PYTHONPATH": os.getcwd(), **environment},
    )
    os.close(follower)
    printed = io.BytesIO()
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        printed.write(data)
    process.wait(timeout=300)
    os.close(leader)
    return printed.getvalue().decode()


def test_colours_only_where_they_are_wanted(project: Path) -> None:
    assert "\x1b[1;31mPB604\x1b[0m" in on_terminal("check", cwd=project)
    assert "\x1b[" not in on_terminal("check", cwd=project, NO_COLOR="1")
    assert "\x1b[" not in on_terminal("check", "--output-format", "json", cwd=project)
    assert "\x1b[" in lint("check", cwd=project, environment={"FORCE_COLOR": "1"}).output
    assert "\x1b[" in on_terminal("rule", "PB604", cwd=project)
    assert "\x1b[" in on_terminal("rules", cwd=project)


def test_a_reader_that_leaves_early(project: Path) -> None:
    write(project, {"many.py": JOBS + "    time.sleep(1)\n" * 500})
    process = subprocess.Popen(
        [sys.executable, "-m", "pybackend_lint", "check", "--no-cache"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=300) == 1
    assert errors == b""


def long_run(project: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A run with two processes at work, and these two."""
    for number in range(60):
        write(project, {f"package{number}/jobs.py": JOBS + "    time.sleep(1)\n" * 100})
    process = subprocess.Popen(
        [sys.executable, "-m", "pybackend_lint", "check", "--no-cache", "--jobs", "2", "--statistics"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's job ignores it
    )
    children: list[str] = []
    while len(children) < 2:
        assert process.poll() is None
        time.sleep(0.01)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, [int(child) for child in children]


ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for processes")


@ON_LINUX
def test_a_process_that_is_killed_loses_nothing(project: Path) -> None:
    process, children = long_run(project)
    os.kill(children[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=300)
    assert errors == b""
    assert output.split() == [
        b"6061",
        b"PB604",
        b"blocking-sleep-or-wait-in-async",
        *b"1 PB400 [*] class-based-config".split(),
    ]
    assert process.returncode == 1


@ON_LINUX
def test_interrupt(project: Path) -> None:
    process, _ = long_run(project)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert b"Traceback" not in errors + output
