"""Whole projects: every marked line is found and nothing else, in any order and from one file alone.

The projects in tests/projects look like real ones. A comment `# PBnnn` marks each line that must be
found; beside it stands the right way to do the same, on which nothing may be found.
"""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

from pybackend_lint import cli
from pybackend_lint.cache import DIRECTORY
from pybackend_lint.engine import Engine
from pybackend_lint.finding import Finding
from pybackend_lint.settings import Selection, Settings
from tests.processes import lint, run
from tests.rules.harness import PROJECTS, check, markers

MARKED = (
    "django_library",
    "django_shop",
    "fastapi_booking",
    "fastapi_orders",
    "fastapi_tickets",
    "flask_invoices",
    "monorepo_media",
)
# The rules whose facts come from several files, by what they need; each is marked in some project.
ACROSS_FILES = {
    "relations of Django": "100 101 102 103 104 105 108 130 131 148 153 247",
    "loading in SQLAlchemy": "506 507 520 521 522 523 524 525 526 536 537",
    "blocking calls": "134 600 633",
    "coroutines": "137 607 608 609 635",
    "routes": "224 225 226 306 308 309 310 311 312 313 326 327 328 330 331 332 938",
    "transactions": "123 124 125 127",
    "errors": "902 910 911 912 914",
    "data of requests": "920 921 922 923 934 935 936",
    "tests": "800 801 802 803 810 814 815 816 818 819",
    "layers": "958 961",
}


@pytest.fixture(params=MARKED)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a project, outside of the folders of tests."""
    root = tmp_path.resolve() / str(request.param)
    shutil.copytree(PROJECTS / str(request.param), root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def files_of(root: Path) -> list[str]:
    """The Python files of a project, sorted."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.py"))


def settings_of(root: Path) -> Settings:
    """Settings with the default rules and those that are marked."""
    marked = {code for path in files_of(root) for _, code in markers((root / path).read_text())}
    return Settings(root=root, selections=(Selection(extend_select=tuple(sorted(marked))),))


def whole(root: Path) -> dict[str, list[Finding]]:
    """The findings in every file, all checked by one engine."""
    settings = settings_of(root)
    engine = Engine(settings)
    return {path: check(root, path, settings, engine) for path in files_of(root)}


def test_finds_every_marked_line_and_no_other(project: Path) -> None:
    found = {path: sorted((f.start.row, f.code) for f in all_) for path, all_ in whole(project).items()}
    assert found == {path: markers((project / path).read_text()) for path in files_of(project)}
    assert any(found.values())


# Rules of the table that may find all they need in the file itself, or a lack of something everywhere: a name
# that nothing has, a transaction that nobody opens, a library's coroutine.
ALONE = "127 137 226 306 313 326 332 609 800 802 803 810 814 815"


def test_findings_of_several_files_say_where(project: Path) -> None:
    numbers = {number for line in ACROSS_FILES.values() for number in line.split()} - {*ALONE.split()}
    codes = {f"PB{number}" for number in numbers}
    for path, found in whole(project).items():
        for finding in found:
            assert finding.related or finding.code not in codes, f"{path}: {finding}"
            for place in finding.related:
                text = (project / place.path).read_text()
                kinds = [".toml"] if "contract" in place.message else [".py", ".html"]
                assert Path(place.path).suffix in kinds
                assert 1 <= place.start.row <= len(text.split("\n"))
                assert place.message


def test_related_places_are_in_all_outputs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = ",".join(settings_of(project).selections[0].extend_select)
    monkeypatch.chdir(project)

    def printed(form: str) -> str:
        cli.main(["check", "--no-cache", f"--extend-select={codes}", f"--output-format={form}", "."])
        return capsys.readouterr().out

    expected = sorted(
        (finding.code, finding.start.row, Path(place.path).name, place.start.row, place.message)
        for found in whole(project).values()
        for finding in found
        for place in finding.related
    )
    assert expected
    assert expected == sorted(
        (
            item["code"],
            item["location"]["row"],
            Path(place["filename"]).name,
            place["location"]["row"],
            place["message"],
        )
        for item in json.loads(printed("json"))
        for place in item["related"]
    )
    assert expected == sorted(
        (
            result["ruleId"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
            Path(place["physicalLocation"]["artifactLocation"]["uri"]).name,
            place["physicalLocation"]["region"]["startLine"],
            place["message"]["text"],
        )
        for result in json.loads(printed("sarif"))["runs"][0]["results"]
        for place in result.get("relatedLocations", [])
    )
    chain = re.findall(r"^ +-> (\S+?):(\d+):\d+: (.*)$", printed("text"), re.MULTILINE)
    assert sorted((name, row, message) for _, _, name, row, message in expected) == sorted(
        (Path(path).name, int(row), message) for path, row, message in chain
    )


def test_every_file_alone_has_the_same_findings(project: Path) -> None:
    together = whole(project)
    settings = settings_of(project)
    assert {path: check(project, path, settings) for path in files_of(project)} == together


def test_the_order_of_files_does_not_matter(project: Path) -> None:
    together = whole(project)
    settings = settings_of(project)
    for seed in range(4):
        paths = files_of(project)
        random.Random(seed).shuffle(paths)
        engine = Engine(settings)
        shuffled = {path: check(project, path, settings, engine) for path in paths}
        assert shuffled == together, paths


def test_the_shop_of_the_examples_has_the_same_findings_in_any_order(tmp_path: Path) -> None:
    root = tmp_path.resolve() / "shop"
    examples = PROJECTS.parent.parent / "examples" / "shop"
    shutil.copytree(examples, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    settings = Settings(root=root, opt_in=True)
    paths = files_of(root)
    engine = Engine(settings)
    together = {path: check(root, path, settings, engine) for path in paths}
    assert any(found for found in together.values())
    assert {path: check(root, path, settings) for path in paths} == together
    engine = Engine(settings)
    assert {path: check(root, path, settings, engine) for path in reversed(paths)} == together


def test_a_small_memory_does_not_matter(project: Path) -> None:
    together = whole(project)
    settings = settings_of(project)
    engine = Engine(settings)
    engine.index.keep = 0
    assert {path: check(project, path, settings, engine) for path in files_of(project)} == together


def test_standard_input_has_the_same_findings(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = ",".join(settings_of(project).selections[0].extend_select)
    monkeypatch.chdir(project)
    for path, expected in whole(project).items():
        if not expected:
            continue
        data = io.BytesIO((project / path).read_bytes())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        arguments = ["check", f"--extend-select={codes}", "--output-format=json", "--no-cache"]
        cli.main([*arguments, f"--stdin-filename={path}", "-"])
        reported = json.loads(capsys.readouterr().out)
        assert [(item["location"]["row"], item["code"]) for item in reported] == [
            (finding.start.row, finding.code) for finding in expected
        ]


@pytest.mark.parametrize("ability", ACROSS_FILES)
def test_every_rule_across_files_is_marked(ability: str) -> None:
    marked = {
        code
        for name in MARKED
        for path in files_of(PROJECTS / name)
        for _, code in markers((PROJECTS / name / path).read_text())
    }
    assert {f"PB{number}" for number in ACROSS_FILES[ability].split()} <= marked


def reported(root: Path, *options: str) -> list[str]:
    """What the command line says about a project, as `path:row:code`, sorted."""
    codes = ",".join(settings_of(root).selections[0].extend_select)
    done = lint("check", f"--extend-select={codes}", "--output-format=json", *options, ".", cwd=root)
    assert done.errors == ""
    return sorted(
        f"{Path(item['filename']).relative_to(root)}:{item['location']['row']}:{item['code']}"
        for item in done.json
        if item["filename"].endswith(".py")
    )


@pytest.mark.slow
def test_processes_and_kept_results_do_not_matter(project: Path) -> None:
    expected = sorted(
        f"{path}:{row}:{code}"
        for path in files_of(project)
        for row, code in markers((project / path).read_text())
    )
    assert reported(project, "--no-cache", "--jobs=1") == expected
    assert reported(project, "--no-cache", "--jobs=2") == expected
    cold = reported(project, "--jobs=2")
    assert (project / DIRECTORY).is_dir()
    assert cold == reported(project, "--jobs=1") == expected
    changed = project / next(line for line in expected).partition(":")[0]
    changed.write_text("\n" + changed.read_text())
    moved = sorted(
        f"{path}:{row}:{code}"
        for path in files_of(project)
        for row, code in markers((project / path).read_text())
    )
    assert reported(project, "--jobs=2") == moved != expected


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["flake8", "pylint"])
def test_other_linters_report_the_same(tool: str, project: Path) -> None:
    expected = [
        f"{path}:{row}" for path in files_of(project) for row, _ in markers((project / path).read_text())
    ]
    codes = settings_of(project).selections[0].extend_select
    arguments = {
        "flake8": [f"--select=PB,{','.join(codes)}", "--format=%(path)s:%(row)d"],
        "pylint": [
            "--rcfile=", "--load-plugins=pylint_pybackend", "--disable=all", "--enable=pybackend-lint",
            "--score=no", "--msg-template={path}:{line}",
        ],
    }  # fmt: skip
    done = run(tool, *arguments[tool], *files_of(project), cwd=project)
    lines = [line.removeprefix("./") for line in done.output.splitlines() if not line.startswith("*")]
    assert sorted(lines) == sorted(expected)


PAGE = (PROJECTS.parent.parent / "docs" / "across-files.md").read_text()
SHOWN = [block for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if ": PB" in block]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.partition(":")[0])
def test_the_documentation_shows_real_output(
    shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, code = re.findall(r"^(\S+?):\d+:\d+: (PB\d+)", shown)[0]
    (source,) = (PROJECTS / name for name in MARKED if (PROJECTS / name / path).is_file())
    shutil.copytree(source, tmp_path / source.name)
    for file in (tmp_path / source.name).rglob("*.py"):
        file.write_text(re.sub(r"  # PB\d+$", "", file.read_text(), flags=re.MULTILINE))
    monkeypatch.chdir(tmp_path / source.name)
    cli.main(["check", "--no-cache", f"--select={code}", path])
    assert shown in capsys.readouterr().out
