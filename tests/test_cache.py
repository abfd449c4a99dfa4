"""Results kept between runs: what is checked again, and what is not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from pybackend_lint.cache import DIRECTORY
from pybackend_lint.runner import check, discover
from pybackend_lint.settings import Resolver, Selection, Settings
from tests.processes import JOBS, PYPROJECT, lint, shop, write
from tests.test_runner import Recorder

HELPER = "import time\n\n\ndef pause() -> None:\n    time.sleep(1)\n"
HARMLESS = "import time\n\n\ndef pause() -> float:\n    return time.time()\n"
CALLER = "from shop.helper import pause\n\n\nasync def handler() -> None:\n    pause()\n"
MIDDLE = "from shop.helper import pause\n\n\ndef rest() -> None:\n    pause()\n"
FAR = "from shop.middle import rest\n\n\nasync def far() -> None:\n    rest()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            "pyproject.toml": PYPROJECT,
            "shop/__init__.py": "",
            "shop/helper.py": HELPER,
            "shop/middle.py": MIDDLE,
            "shop/caller.py": CALLER,
            "shop/far.py": FAR,
            "shop/jobs.py": JOBS,
            "shop/alone.py": "x = 1\n",
        },
    )
    return settled(tmp_path)


def settled(root: Path) -> Path:
    """Make all files and directories older than any run."""
    past = time.time() - 100
    for path in (root, *root.rglob("*")):
        if DIRECTORY not in path.parts:
            os.utime(path, (past, past))
    return root


def change(path: Path, text: str | None) -> None:
    """Write or remove a file, some time after the last run and some time before the next one."""
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        past = time.time() - 50
        os.utime(path, (past, past))
    past = time.time() - 50
    os.utime(path.parent, (past, past))


def run(project: Path, *ignore: str, **options: object) -> tuple[set[str], list[tuple[str, int, str]]]:
    """The names of the files that were checked again, and all findings."""
    settings = Settings(project, selections=(Selection(ignore=ignore),))
    recorder = Recorder()
    found = discover([str(project)], Resolver(fixed=settings))
    result = check(found.files, executor=recorder, **options)  # type: ignore[arg-type]
    assert result.errors == []
    checked = {name for batch in recorder.batches for name in batch}
    return checked, [(os.path.basename(f.path), f.start.row, f.code) for f in result.findings]


EVERYTHING = {
    "pyproject.toml",
    "__init__.py",
    "helper.py",
    "middle.py",
    "caller.py",
    "far.py",
    "jobs.py",
    "alone.py",
}
FINDINGS = [("caller.py", 5, "PB600"), ("far.py", 5, "PB600"), ("jobs.py", 5, "PB604")]


def test_nothing_is_checked_twice(project: Path) -> None:
    assert run(project) == (EVERYTHING, FINDINGS)
    assert run(project) == (set(), FINDINGS)
    assert run(project) == (set(), FINDINGS)


def test_findings_come_back_whole(project: Path) -> None:
    found = discover([str(project)], Resolver(fixed=Settings(project))).files
    fresh = check(found, cache=None, jobs=1)
    assert check(found, jobs=1) == fresh
    assert check(found, jobs=1) == fresh
    assert any(finding.related for finding in fresh.findings)
    assert any(finding.fix for finding in fresh.findings)


def test_a_changed_file_is_checked_again(project: Path) -> None:
    run(project)
    change(project / "shop/alone.py", "import time\n\nasync def f():\n    time.sleep(1)\n")
    assert run(project) == ({"alone.py"}, [("alone.py", 4, "PB604"), *FINDINGS])
    assert run(project)[0] == set()


def test_those_who_consulted_a_changed_file_are_checked_again(project: Path) -> None:
    run(project)
    change(project / "shop/helper.py", HARMLESS)
    checked, findings = run(project)
    assert checked == {"helper.py", "middle.py", "caller.py", "far.py"}
    assert findings == [("jobs.py", 5, "PB604")]
    change(project / "shop/helper.py", HELPER)
    assert run(project)[1] == FINDINGS


def test_who_asked_for_callers_is_checked_again_when_a_file_begins_to_mention_the_function(
    project: Path,
) -> None:
    start = "import asyncio\n\nfrom shop.caller import handler\n\nasyncio.run(handler())\n"
    run(project)
    change(project / "shop/alone.py", "x = 2\n")
    assert run(project)[0] == {"alone.py"}
    change(project / "shop/alone.py", start)
    checked, findings = run(project)
    assert "caller.py" in checked
    assert findings == [finding for finding in FINDINGS if finding[0] != "caller.py"]
    change(project / "shop/alone.py", "x = 2\n")
    assert run(project)[1] == FINDINGS


def test_a_touched_file_is_not_checked_again(project: Path) -> None:
    run(project)
    for path in project.rglob("*.py"):
        os.utime(path)
    assert run(project) == (set(), FINDINGS)


def test_a_removed_module_changes_its_readers(project: Path) -> None:
    run(project)
    change(project / "shop/helper.py", None)
    checked, findings = run(project)
    assert {"caller.py", "far.py"} <= checked
    assert "jobs.py" not in checked
    assert findings == [("jobs.py", 5, "PB604")]


@pytest.mark.parametrize(
    "name",
    ["billing.py", "billing/__init__.py", "src/billing.py", "shop/billing.py", "services/pay/billing.py"],
)
def test_a_module_that_was_missing_changes_those_who_looked_for_it(project: Path, name: str) -> None:
    package = "shop.billing" if name.startswith("shop") else "billing"
    change(project / "shop/caller.py", CALLER.replace("shop.helper", package))
    assert run(project)[1] == [("far.py", 5, "PB600"), ("jobs.py", 5, "PB604")]
    assert run(project)[0] == set()
    if name.startswith("services"):
        change(project / "services/pay/pyproject.toml", "")
    change(project / name, HELPER)
    checked, findings = run(project)
    assert "caller.py" in checked
    assert findings[-3:] == FINDINGS


def test_versions_change_everything(project: Path) -> None:
    run(project)
    change(project / "pyproject.toml", PYPROJECT.replace("3.11", "3.12"))
    assert run(project)[0] == EVERYTHING
    change(project / "uv.lock", "version = 1\n")
    assert run(project)[0] == EVERYTHING


def test_settings_have_results_of_their_own(project: Path) -> None:
    run(project)
    assert run(project, "PB604") == (EVERYTHING, FINDINGS[:2])
    assert run(project, "PB604") == (set(), FINDINGS[:2])
    assert run(project) == (set(), FINDINGS)


def test_part_of_the_files(project: Path) -> None:
    run(project)
    change(project / "shop/helper.py", HARMLESS)
    settings = Resolver(fixed=Settings(project, selections=(Selection(),)))
    recorder = Recorder()
    check(discover([str(project / "shop/caller.py")], settings).files, executor=recorder)
    assert recorder.batches == [["caller.py"]]
    # What was not checked then is not taken for valid later.
    checked, findings = run(project)
    assert {"far.py", "middle.py"} <= checked
    assert findings == [("jobs.py", 5, "PB604")]


def test_a_file_that_changes_during_the_run_is_checked_again(project: Path) -> None:
    run(project)
    (project / "shop/alone.py").write_text("x = 2\n")
    future = time.time() + 5
    os.utime(project / "shop/alone.py", (future, future))
    assert run(project)[0] == {"alone.py"}
    assert run(project)[0] == {"alone.py"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"paths": []}', b"\xff\xfe", None])
def test_a_damaged_cache_is_no_cache(project: Path, damage: bytes | None) -> None:
    run(project)
    (file,) = (project / DIRECTORY).glob("*.json")
    file.write_bytes(damage if damage is not None else file.read_bytes()[:-20])
    assert run(project) == (EVERYTHING, FINDINGS)
    assert run(project) == (set(), FINDINGS)


def test_what_lies_in_the_directory(project: Path) -> None:
    run(project)
    names = {path.name for path in (project / DIRECTORY).iterdir()}
    (result,) = names - {".gitignore", "CACHEDIR.TAG"}
    assert isinstance(json.loads((project / DIRECTORY / result).read_bytes()), dict)
    assert (project / DIRECTORY / ".gitignore").read_text() == "*\n"
    assert (
        (project / DIRECTORY / "CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_old_results_go(project: Path) -> None:
    for number in range(20):
        settings = Settings(project, extra_blocking=(f"a.b{number}",))
        check(discover([str(project / "shop/alone.py")], Resolver(fixed=settings)).files, jobs=1)
    assert len(list((project / DIRECTORY).glob("*.json"))) == 16


def test_a_cache_that_cannot_be_written_is_left_out(project: Path) -> None:
    (project / DIRECTORY).write_text("a file in its place")
    assert run(project) == (EVERYTHING, FINDINGS)
    assert run(project) == (EVERYTHING, FINDINGS)


def test_command_line_options(tmp_path: Path) -> None:
    shop(tmp_path / "a")
    lint("check", "--no-cache", cwd=tmp_path / "a")
    assert not (tmp_path / "a" / DIRECTORY).exists()
    lint("check", "--cache-dir", tmp_path / "elsewhere", cwd=tmp_path / "a")
    assert not (tmp_path / "a" / DIRECTORY).exists()
    assert list((tmp_path / "elsewhere").glob("*.json"))
    with (tmp_path / "a/pyproject.toml").open("a") as file:
        file.write("[tool.pybackend-lint]\ncache-dir = 'kept'\n")
    lint("check", cwd=tmp_path / "a")
    assert list((tmp_path / "a/kept").glob("*.json"))


AUTHORS = "from django.db import models\n\n\nclass Author(models.Model):\n    name = models.CharField(max_length=50)\n"
BOOKS = """from django.db import models

from shop.authors import Author


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
"""
LOOP = """from shop.authors import Author


def titles() -> list[object]:
    return [list(author.books.all()) for author in Author.objects.all()]
"""


def test_an_answer_that_looked_backward_rests_on_files_that_do_not_exist_yet(tmp_path: Path) -> None:
    pyproject = PYPROJECT.replace("pydantic>=2.5,<3", "django>=5.2")
    files = {"pyproject.toml": pyproject, "shop/__init__.py": "", "shop/authors.py": AUTHORS}
    write(tmp_path, {**files, "shop/first.py": LOOP, "shop/second.py": LOOP, "shop/books.py": "x = 1\n"})
    settled(tmp_path)
    assert run(tmp_path)[1] == []
    change(tmp_path / "shop/books.py", BOOKS)
    assert run(tmp_path)[1] == [("first.py", 5, "PB101"), ("second.py", 5, "PB101")]
    change(tmp_path / "shop/books.py", None)
    assert run(tmp_path)[1] == []
    change(tmp_path / "library/later.py", BOOKS)
    assert run(tmp_path)[1] == [("first.py", 5, "PB101"), ("second.py", 5, "PB101")]


def test_who_shows_a_template_is_checked_again_when_it_changes(tmp_path: Path) -> None:
    page = "{% for order in orders %}{{ order.customer.name }}{% endfor %}"
    write(
        tmp_path,
        {
            "pyproject.toml": PYPROJECT,
            "shop/__init__.py": "",
            "shop/models.py": "from django.db import models\n\n\nclass Customer(models.Model):\n    pass\n\n\n"
            "class Order(models.Model):\n    customer = models.ForeignKey(Customer, models.CASCADE)\n",
            "shop/views.py": "from django.shortcuts import render\n\nfrom shop.models import Order\n\n\n"
            "def orders(request):\n"
            "    return render(request, 'orders.html', {'orders': Order.objects.all()})\n",
            "shop/alone.py": "x = 1\n",
            "shop/templates/orders.html": page,
        },
    )
    settled(tmp_path)
    template = tmp_path / "shop/templates/orders.html"
    found = [("views.py", 7, "PB148")]
    assert run(tmp_path)[1] == found
    assert run(tmp_path) == (set(), found)
    change(template, "")
    assert run(tmp_path) == ({"views.py"}, [])
    change(template, page)
    assert run(tmp_path) == ({"views.py"}, found)
    change(template, None)
    assert run(tmp_path)[1] == []
    change(tmp_path / "shop/extra/templates/orders.html", page)
    assert run(tmp_path)[1] == found
    change(template, page)
    assert run(tmp_path)[1] == []  # which of the two is shown depends on the settings
