"""Traps of multiple-migration-heads, and what Alembic says of such revisions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from alembic.script.revision import MultipleHeads, RevisionError

from pybackend_lint import cli
from tests.rules.harness import documentation, entry_of, examples, findings, write

RULE = "multiple-migration-heads"
FOLDER = "migrations/versions"
ORDERS = 'revision = "a1"\ndown_revision = None\n'


def revision(name: str, parent: str, *more: str, created: str = "") -> str:
    docstring = f'"""A change\n\nCreate Date: {created}\n"""\n' if created else ""
    return f'{docstring}from alembic import op\nrevision = "{name}"\ndown_revision = {parent}\n' + "".join(
        f"{line}\n" for line in more
    )


def at(**revisions: str) -> dict[str, str]:
    return {f"{FOLDER}/{name}.py": text for name, text in revisions.items()}


# The checked file, and the others.
SILENT: Mapping[str, tuple[str, dict[str, str]]] = {
    "a line": (revision("b2", "'a1'"), at(a1=ORDERS)),
    "merged": (
        revision("d4", '("b2", "c3")'),
        at(a1=ORDERS, b2=revision("b2", "'a1'"), c3=revision("c3", "'a1'")),
    ),
    "a tuple over several lines": (
        revision("d4", '(\n    "b2",\n    "c3",\n)'),
        at(a1=ORDERS, b2=revision("b2", "'a1'"), c3=revision("c3", "'a1'")),
    ),
    "the older head": (
        revision("b2", "'a1'", created="2026-01-01"),
        at(a1=ORDERS, c3=revision("c3", "'a1'", created="2026-01-02")),
    ),
    "a labelled branch": (revision("b2", "None", "branch_labels = 'reports'"), at(a1=ORDERS)),
    "depends on another branch": (revision("b2", "None", "depends_on = 'a1'"), at(a1=ORDERS)),
    "below a labelled branch": (
        revision("c3", "'b2'"),
        at(a1=ORDERS, b2=revision("b2", "None", "branch_labels: tuple[str, ...] = ('reports',)")),
    ),
    "several folders": (
        revision("b2", "'a1'"),
        at(a1=ORDERS, c3=revision("c3", "'z9'"))
        | {"migrations/alembic.ini": "[alembic]\nversion_locations = %(here)s/versions %(here)s/reports\n"},
    ),
    "a parent in another folder": (
        revision("b2", "'z9'"),
        {"migrations/env.py": "config.set_main_option('version_locations', LOCATIONS)\n"},
    ),
    "folders of years": (revision("b2", "'z9'"), {f"{FOLDER}/2025/z9.py": revision("z9", "None")}),
    "a computed name": (revision("b2", "'a1'"), at(a1=ORDERS, c3="revision = NAME\ndown_revision = 'z9'\n")),
    "an unknown parent is another file's": (revision("b2", "'a1'"), at(a1=ORDERS, c3=revision("c3", "'z9'"))),
    "another file that mentions it": (revision("b2", "'a1'"), at(a1=ORDERS, check="print('revision')\n")),
    "written otherwise": (
        'from alembic import op\nrevision: str = "b2"  # the second\ndown_revision: str | None = "a1"  # the first\n',
        at(a1=ORDERS),
    ),
}
FOUND: Mapping[str, tuple[str, dict[str, str], str]] = {
    "the younger head": (
        revision("c3", "'a1'", created="2026-01-02").replace('"c3"', '"c3"  # PB571'),
        at(a1=ORDERS, b2=revision("b2", "'a1'", created="2026-01-01")),
        "Run `alembic merge b2 c3`: `upgrade head` refuses to choose between them",
    ),
    "three heads": (
        revision("d4", "'a1'").replace('"d4"', '"d4"  # PB571'),
        at(a1=ORDERS, b2=revision("b2", "'a1'"), c3=revision("c3", "'a1'")),
        "Run `alembic merge b2 c3 d4`: `upgrade head` refuses to choose between them",
    ),
    "two beginnings": (
        revision("z9", "None").replace('"z9"', '"z9"  # PB571'),
        at(a1=ORDERS),
        "Run `alembic merge a1 z9`: `upgrade head` refuses to choose between them",
    ),
    "a label that both heads share": (
        revision("c3", "'a1'").replace('"c3"', '"c3"  # PB571'),
        at(a1=ORDERS + "branch_labels = ('shop',)\n", b2=revision("b2", "'a1'")),
        "Run `alembic merge b2 c3`: `upgrade head` refuses to choose between them",
    ),
    "a lost parent": (
        revision("c3", "'b2'  # PB571"),
        at(a1=ORDERS),
        "Name a revision that exists: no file here is `b2`",
    ),
    "a name twice": (
        revision("a1", "None").replace('"a1"', '"a1"  # PB571'),
        at(a1=ORDERS),
        "Give this revision a name of its own: another file is `a1` as well",
    ),
}
PATH = f"{FOLDER}/zz_change.py"
PROJECT = {"requirements.txt": "alembic\n"}


@pytest.mark.parametrize(("source", "files"), SILENT.values(), ids=SILENT)
def test_silent(source: str, files: dict[str, str]) -> None:
    assert findings(RULE, source, files=PROJECT | files, path=PATH) == []


@pytest.mark.parametrize(("source", "files", "message"), FOUND.values(), ids=FOUND)
def test_found(source: str, files: dict[str, str], message: str) -> None:
    [finding] = findings(RULE, source, files=PROJECT | files, path=PATH)
    assert finding.message == message


def test_other_heads_are_related() -> None:
    source, files, _ = FOUND["three heads"]
    [finding] = findings(RULE, source, files=PROJECT | files, path=PATH)
    assert [(Path(other.path).name, other.start.row) for other in finding.related] == [
        ("b2.py", 2),
        ("c3.py", 2),
    ]


def head(folder: Path, files: Mapping[str, str]) -> str | None:
    """The head that Alembic finds among the revisions of some files."""
    versions = folder / FOLDER
    versions.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return ScriptDirectory(str(folder / "migrations")).get_current_head()


def test_another_folder_outdates_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = at(a1=ORDERS, b2=revision("b2", "'a1'"), c3=revision("c3", "'a1'"))
    write(tmp_path, {**heads, "migrations/env.py": "", "requirements.txt": "alembic\n"})
    for path in tmp_path.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))  # results about files of this moment are not kept
    monkeypatch.chdir(tmp_path)
    command = ["check", "--isolated", "--select=PB571", f"--cache-dir={tmp_path / 'cache'}", "migrations"]
    assert cli.main(command) == 1
    assert "alembic merge b2 c3" in capsys.readouterr().out
    write(tmp_path, {"migrations/env.py": "config.set_main_option('version_locations', LOCATIONS)\n"})
    assert cli.main(command) == 0


def test_what_alembic_says(tmp_path: Path) -> None:
    bad, lost = examples(documentation(entry_of(RULE)), "Bad")
    good = examples(documentation(entry_of(RULE)), "Good")[0]
    with pytest.raises(Exception, match="multiple heads") as raised:
        head(tmp_path / "bad", {**bad.files, bad.path: bad.text})
    assert isinstance(raised.value.__cause__, MultipleHeads)
    assert head(tmp_path / "good", {**bad.files, good.path: good.text}) == "c3"
    with pytest.raises((RevisionError, KeyError)), pytest.warns(UserWarning, match="not present"):
        head(tmp_path / "lost", {lost.path: lost.text})
