"""Runs rules over small projects: the examples in their docstrings and the tables of their traps."""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pybackend_lint.engine import Engine
from pybackend_lint.finding import Finding
from pybackend_lint.fixer import fix_source
from pybackend_lint.registry import ENTRIES
from pybackend_lint.registry_lookup import find, load
from pybackend_lint.rule_entry import Entry
from pybackend_lint.settings import Selection, Settings
from pybackend_lint.source import Source

_BLOCK = re.compile(
    r"^```(?P<language>python|toml|html)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_MARKER = re.compile(r"#\s*(PB\d{3})\b")
PROJECTS = Path(__file__).parent.parent / "projects"


@dataclass(frozen=True)
class Example:
    """One block of a rule's documentation: the file that is checked and the files around it."""

    section: str
    path: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


def section(documentation: str, title: str) -> str:
    """The text of a section of a rule's documentation; empty when there is none."""
    match = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", documentation, re.MULTILINE | re.DOTALL)
    return match.group(1) if match else ""


def examples(rule_documentation: str, title: str) -> list[Example]:
    """The examples of a section.

    A block without `file=`, or with `check`, starts an example; blocks with `file=` behind it are
    the other files of its small project.
    """
    documentation = textwrap.dedent("    " + rule_documentation)
    found: list[Example] = []
    for match in _BLOCK.finditer(section(documentation, title)):
        info = dict(part.partition("=")[::2] for part in match["info"].split())
        path = info.get("file", "example.py")
        if "file" not in info or "check" in info:
            found.append(Example(title, path, match["text"], {}))
        else:
            last = found[-1]
            found[-1] = Example(title, last.path, last.text, {**last.files, path: match["text"]})
    return found


@cache
def default_codes() -> frozenset[str]:
    """The codes of the rules that are on by default."""
    return frozenset(entry.code for entry in ENTRIES if entry.default)


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files of a small project; a `pyproject.toml` marks its root."""
    for name, text in {"pyproject.toml": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def settings_for(root: Path, rule: str | None) -> Settings:
    """Settings that select the default rules and one more."""
    selection = Selection(extend_select=(rule,) if rule else ())
    return Settings(root=root, selections=(selection,))


def check(root: Path, path: str, settings: Settings, engine: Engine | None = None) -> list[Finding]:
    """The findings in one file of a project; fails when a rule fails."""
    engine = engine or Engine(settings)
    absolute = root / path
    data = absolute.read_bytes()
    if path.endswith(".py"):
        report = engine.check(Source(path, data), absolute)
    else:
        report = engine.check_project_file(absolute, path, data)
    assert report.errors == []
    return report.findings


def fixed(root: Path, path: str, settings: Settings, codes: Iterable[str]) -> str:
    """The text of a file after all fixes of some rules were applied."""
    wanted = frozenset(codes)
    absolute = root / path

    def again(source: Source) -> list[Finding]:
        engine = Engine(settings, {absolute: source.data})
        if path.endswith(".py"):
            report = engine.check(source, absolute)
        else:
            report = engine.check_project_file(absolute, path, source.data)
        assert report.errors == []
        return [finding for finding in report.findings if finding.code in wanted]

    result = fix_source(Source(path, absolute.read_bytes()), again, unsafe=True)
    assert result.dropped == []
    return result.data.decode()


def entry_of(rule: str) -> Entry:
    """The entry of a rule, by code or name."""
    entry = find(rule)
    assert entry is not None, f"no rule {rule}"
    return entry


def markers(text: str) -> list[tuple[int, str]]:
    """The findings that comments on the lines of a text ask for: (row, code)."""
    return sorted(
        (row, code) for row, line in enumerate(text.split("\n"), 1) for code in _MARKER.findall(line)
    )


def findings(
    rule: str,
    source: str,
    *,
    project: str | None = None,
    files: Mapping[str, str] | None = None,
    path: str = "example.py",
) -> list[Finding]:
    """The findings of one rule in a text, which must stand exactly on the lines marked `# PBnnn`.

    `project` names a directory of tests/projects whose files surround the text; `files` adds more.
    Fails when markers and findings differ in either direction.
    """
    entry = entry_of(rule)
    text = textwrap.dedent(source).lstrip("\n")
    surrounding: dict[str, str] = {}
    if project is not None:
        for file in sorted((PROJECTS / project).rglob("*")):
            if file.is_file():
                surrounding[str(file.relative_to(PROJECTS / project))] = file.read_text()
    surrounding |= {name: textwrap.dedent(content).lstrip("\n") for name, content in (files or {}).items()}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        write(root, {**surrounding, path: text})
        found = [f for f in check(root, path, settings_for(root, entry.name)) if f.code == entry.code]
    expected = [(row, code) for row, code in markers(text) if code == entry.code]
    assert sorted((finding.start.row, finding.code) for finding in found) == expected
    return found


def fix(rule: str, source: str, *, files: Mapping[str, str] | None = None, path: str = "example.py") -> str:
    """The text after all fixes of one rule were applied."""
    entry = entry_of(rule)
    text = textwrap.dedent(source).lstrip("\n")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        write(root, {**{k: textwrap.dedent(v).lstrip("\n") for k, v in (files or {}).items()}, path: text})
        return fixed(root, path, settings_for(root, entry.name), [entry.code])


def documentation(entry: Entry) -> str:
    """The docstring of a rule."""
    return load(entry).documentation
