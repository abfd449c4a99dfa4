"""Runs over many files: which are found, how the work is split, what happens when a file fails."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pybackend_lint.runner import Target, check, discover, fix
from pybackend_lint.settings import Resolver, Selection, Settings
from pybackend_lint.source import Source
from tests.processes import JOBS, SCHEMAS, shop, write


def found(root: Path, *paths: str, force_exclude: bool = False, **settings: Any) -> list[str]:
    """The files that are checked, relative to the root."""
    fixed = Settings(root, **settings) if settings else None
    resolver = Resolver(fixed=fixed)
    targets = discover([str(root / path) for path in paths or ("",)], resolver, force_exclude=force_exclude)
    assert targets.errors == []
    return sorted(os.path.relpath(target.path, root) for target in targets.files)


def test_python_files_and_project_files(tmp_path: Path) -> None:
    names = [
        "a.py",
        "b.pyi",
        "pyproject.toml",
        "lib/pyproject.toml",
        "lib/c.py",
        "notes.txt",
        "script",
        "x.pyc",
    ]
    write(tmp_path, dict.fromkeys(names, ""))
    assert found(tmp_path) == ["a.py", "b.pyi", "lib/c.py", "lib/pyproject.toml", "pyproject.toml"]
    assert found(tmp_path, "script", "lib", "a.py", "lib/c.py") == [
        "a.py",
        "lib/c.py",
        "lib/pyproject.toml",
        "script",
    ]


def test_default_excludes(tmp_path: Path) -> None:
    names = [".venv/a.py", "lib/node_modules/a.py", "build/a.py", "dist/a.py", "x/site-packages/a.py"]
    write(tmp_path, dict.fromkeys([*names, "builder/a.py", "x/a.py"], ""))
    assert found(tmp_path) == ["builder/a.py", "x/a.py"]
    assert found(tmp_path, "build", "dist/a.py") == ["build/a.py", "dist/a.py"]
    named = ("build", "dist/a.py", "x/a.py")
    assert found(tmp_path, *named, force_exclude=True, opt_in=False) == ["x/a.py"]


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        ((), ["a.py", "build/a.py", "lib/a.py", "lib/gen/a.py", "lib/gen/b.py"]),
        (("gen",), ["a.py", "build/a.py", "lib/a.py"]),
        (("lib/gen",), ["a.py", "build/a.py", "lib/a.py"]),
        (("gen/a.py",), ["a.py", "build/a.py", "lib/a.py", "lib/gen/a.py", "lib/gen/b.py"]),
        (("lib/**/a.py",), ["a.py", "build/a.py", "lib/gen/b.py"]),
        (("a.py",), ["lib/gen/b.py"]),
        (("/a.py",), ["build/a.py", "lib/a.py", "lib/gen/a.py", "lib/gen/b.py"]),
        (("*/gen/",), ["a.py", "build/a.py", "lib/a.py"]),
        (("{lib,/build}",), ["a.py"]),
        (("lib", "!lib"), ["a.py", "build/a.py", "lib/a.py", "lib/gen/a.py", "lib/gen/b.py"]),
    ],
)
def test_exclude(tmp_path: Path, exclude: tuple[str, ...], expected: list[str]) -> None:
    write(tmp_path, dict.fromkeys(["a.py", "build/a.py", "lib/a.py", "lib/gen/a.py", "lib/gen/b.py"], ""))
    assert found(tmp_path, exclude=exclude) == expected
    assert found(tmp_path, exclude=("build",), extend_exclude=exclude) == [
        path for path in expected if not path.startswith("build")
    ]


def test_what_is_excluded_by_default_can_be_taken_back(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["a.py", "build/a.py", "dist/a.py"], ""))
    assert found(tmp_path, extend_exclude=("!build",)) == ["a.py", "build/a.py"]


def test_gitignore(tmp_path: Path) -> None:
    files = {
        ".git/info/exclude": "local.py\n",
        ".gitignore": "*.gen.py\n/top/\n# comment\n\n!keep.gen.py\nlogs/*.py\n",
        "lib/.gitignore": "inner.py\n!x.gen.py\n",
        "nested/.git/HEAD": "",
    }
    names = [
        "a.py",
        "a.gen.py",
        "keep.gen.py",
        "top/a.py",
        "lib/top/a.py",
        "lib/inner.py",
        "lib/x.gen.py",
        "lib/y.gen.py",
        "logs/a.py",
        "logs/deep/a.py",
        "local.py",
        "nested/a.gen.py",
    ]
    write(tmp_path, files | dict.fromkeys(names, ""))
    expected = [
        "a.py",
        "keep.gen.py",
        "lib/top/a.py",
        "lib/x.gen.py",
        "logs/deep/a.py",
        "nested/a.gen.py",
    ]
    assert found(tmp_path) == expected
    assert found(tmp_path, "lib") == ["lib/top/a.py", "lib/x.gen.py"]
    assert found(tmp_path, "top", "lib/inner.py") == ["lib/inner.py", "top/a.py"]
    assert len(found(tmp_path, respect_gitignore=False)) == len(names)


def test_gitignore_as_git_sees_it(tmp_path: Path) -> None:
    names = [f"{directory}{stem}.py" for directory in ("", "a/", "a/b/", "c/") for stem in ("x", "y", "z")]
    patterns = [
        "x.py\n!a/x.py\n",
        "a/*\n!a/b/\n",
        "/a\n",
        "**/b\n",
        "c/?.py\n!c/z.py\n",
        "[xy].py\n",
        "\\x.py\n",
        "*\n!*/\n!y.py\n",
        "/*\n!/a/\n/a/*\n!/a/b\n",
        "a\n!a/\nx.py\n",
        "**/*.py\n!a/**\n",
        "a/**\n!a/b/\n!a/b/x.py\n",
        "\ufeffx.py\r\ny.py  \r\n",
        "z\\ .py\n\\!x.py\n[!x].py\n",
        "[\nc/[xy\nz.py\n{x,y}.py\n",
        "a**\n*c/*\n",
        "**\n!c/\n!c/x.py\n",
        "[x-]?py\n[]].py\n[^]x].py\n",
    ]
    for number, text in enumerate(patterns):
        root = tmp_path / str(number)
        write(root, {".gitignore": text, **dict.fromkeys(names, "")})
        git = ["git", "-c", "core.excludesFile=/dev/null", "-c", "safe.directory=*"]
        subprocess.run([*git, "init", "-q"], cwd=root, check=True)
        listed = subprocess.run(
            [*git, "ls-files", "-co", "--exclude-standard", "*.py"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found(root) == sorted(listed.stdout.split()), text


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"lib/a.py": ""})
    (tmp_path / "lib" / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["lib/a.py"]


class Recorder(Executor):
    """Does the work at once, and remembers which files it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def submit(self, work: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        """See `Executor`."""
        self.batches.append([os.path.basename(path) for path, _ in arguments[0].files])
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **more))
        return future


def targets(root: Path, *selectors: str) -> list[Target]:
    settings = Settings(root, selections=(Selection(select=selectors),) if selectors else ())
    return discover([str(root)], Resolver(fixed=settings)).files


def test_any_executor_and_any_order_give_the_same(tmp_path: Path) -> None:
    shop(tmp_path)
    write(tmp_path, {f"package{number}/jobs.py": JOBS for number in range(12)})
    files = targets(tmp_path)
    expected = check(files, cache=None, jobs=1)
    assert len(expected.findings) == 14
    assert check(files[::-1], cache=None, jobs=1) == expected
    assert check(files, cache=None, jobs=2) == expected
    assert check(files, cache=None, executor=Recorder()) == expected
    with ThreadPoolExecutor(3) as executor:
        assert check(files, cache=None, executor=executor) == expected


def test_neighbours_stay_together(tmp_path: Path) -> None:
    write(tmp_path, {f"p{number}/{name}.py": "x = 1\n" * 50 for number in range(6) for name in "abcd"})
    recorder = Recorder()
    check(targets(tmp_path), cache=None, jobs=2, executor=recorder)
    assert sorted(name for batch in recorder.batches for name in batch) == sorted(
        [f"{n}.py" for n in "abcd"] * 6
    )
    # The first two tasks start the two halves of the files, so each process keeps to one half.
    assert 2 < len(recorder.batches) <= 24


def test_progress(tmp_path: Path) -> None:
    shop(tmp_path)
    told: list[tuple[int, int]] = []
    check(targets(tmp_path), cache=None, jobs=1, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    assert told == sorted(told)


def test_a_file_that_vanishes_is_an_error_and_the_rest_is_checked(tmp_path: Path) -> None:
    shop(tmp_path)
    files = targets(tmp_path)
    (tmp_path / "shop" / "schemas.py").unlink()
    result = check(files, cache=None, jobs=2)
    assert [finding.code for finding in result.findings] == ["PB604"]
    (error,) = result.errors
    assert error.endswith("schemas.py: No such file or directory")


@pytest.mark.parametrize("text", ["x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 200_000 + "1", "\0"])
def test_files_that_no_parser_survives(tmp_path: Path, text: str) -> None:
    shop(tmp_path)
    write(tmp_path, {"deep.py": text})
    result = check(targets(tmp_path), cache=None, jobs=2)
    assert result.errors == []
    assert [finding.code for finding in result.findings] == ["PB000", "PB604", "PB400"]


def test_contents_replace_files(tmp_path: Path) -> None:
    shop(tmp_path)
    path = str(tmp_path / "shop" / "jobs.py")
    result = check(targets(tmp_path), jobs=1, contents={path: ("\n" + JOBS).encode()})
    assert [(finding.start.row, finding.code) for finding in result.findings] == [(6, "PB604"), (7, "PB400")]


def test_fix_without_writing(tmp_path: Path) -> None:
    shop(tmp_path)
    result = fix(targets(tmp_path), unsafe=True, write=False, cache=None, jobs=1)
    assert result.findings == []
    assert result.fixed == {"PB604": 1, "PB400": 1}
    assert {Path(path).name for path in result.changes} == {"jobs.py", "schemas.py"}
    assert (tmp_path / "shop/jobs.py").read_text() == JOBS
    assert (tmp_path / "shop/schemas.py").read_text() == SCHEMAS
    for path, data in result.changes.items():
        assert Source(path, data).tree.body


def test_fix_in_processes_writes_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shop(tmp_path / name)
        write(tmp_path / name, {f"package{number}/jobs.py": JOBS for number in range(5)})
    one = fix(targets(tmp_path / "one"), unsafe=True, cache=None, jobs=1)
    two = fix(targets(tmp_path / "two"), unsafe=True, cache=None, jobs=2)
    assert one.fixed == two.fixed == {"PB604": 6, "PB400": 1}
    for path in (tmp_path / "one").rglob("*.py"):
        assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_text() == path.read_text()
