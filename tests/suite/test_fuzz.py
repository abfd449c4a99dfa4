"""Generated programs: no rule fails, findings lie inside the file, fixes parse."""

from __future__ import annotations

import ast
import random
from functools import cache
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybackend_lint.engine import Engine
from pybackend_lint.finding import Finding
from pybackend_lint.fixer import fix_source
from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import Selection, Settings
from pybackend_lint.source import Source, SourceError
from tests.rules.harness import documentation, examples

ROOT = Path("/nowhere")  # nothing is read from disk
EVERYTHING = Settings(root=ROOT, selections=(Selection(select=("ALL",)),))


def check(data: bytes) -> list[Finding]:
    path = ROOT / "app" / "views.py"
    report = Engine(EVERYTHING, {path: data}).check(Source("app/views.py", data), path)
    assert report.errors == []
    return report.findings


def assert_sound(data: bytes) -> None:
    """What must hold for any file: positions inside it, edits inside it, fixes that parse."""
    source = Source("app/views.py", data)
    found = check(data)
    try:
        _ = source.tree
    except SourceError:
        assert {finding.code for finding in found} == {"PB000"}
        return
    rows = len(source.line_starts)
    for finding in found:
        assert 1 <= finding.start.row <= finding.end.row <= rows
        assert finding.start < finding.end
        assert finding.start.column <= len(source.line(finding.start.row)) + 1
        assert finding.end.column <= len(source.line(finding.end.row)) + 1
        for edit in finding.fix.edits if finding.fix else ():
            assert 0 <= edit.start <= edit.end <= len(source.text)
    result = fix_source(source, lambda changed: check(changed.data), unsafe=True)
    assert result.dropped == []
    ast.parse(result.data)


@cache
def programs() -> list[str]:
    """The examples of all rules: programs in which many rules have something to say."""
    rules = [
        entry
        for entry in ENTRIES
        if entry.module.startswith("pybackend_lint.rules.") and entry.file == "python"
    ]
    return [
        example.text
        for entry in rules
        for title in ("Bad", "Good", "Not reported")
        for example in examples(documentation(entry), title)
        if example.path.endswith(".py")
    ]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(hypothesmith.from_grammar())
def test_generated_from_the_grammar(text: str) -> None:
    assert_sound(text.encode(errors="surrogatepass"))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0), st.integers(min_value=1, max_value=4))
def test_spliced_examples(seed: int, cuts: int) -> None:
    """Statements of the examples, mixed: programs close to real ones that nobody wrote on purpose."""
    chooser = random.Random(seed)
    texts = programs()
    body: list[ast.stmt] = []
    for _ in range(cuts):
        body.extend(ast.parse(chooser.choice(texts)).body)
    functions = [s for s in body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for function in functions:
        if chooser.random() < 0.5:
            function.body = chooser.choice(functions).body
    chooser.shuffle(body)
    tree = ast.Module(body=body, type_ignores=[])
    assert_sound(ast.unparse(ast.fix_missing_locations(tree)).encode())


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0))
def test_damaged_examples(seed: int) -> None:
    """Examples with a few lines lost, doubled or moved, as in an editor."""
    chooser = random.Random(seed)
    lines = chooser.choice(programs()).split("\n")
    for _ in range(chooser.randint(1, 3)):
        index = chooser.randrange(len(lines))
        action = chooser.choice(("drop", "double", "indent", "crlf"))
        if action == "drop" and len(lines) > 1:
            del lines[index]
        elif action == "double":
            lines.insert(index, lines[index])
        elif action == "indent":
            lines[index] = "    " + lines[index]
        else:
            lines[index] += "\r"
    assert_sound("\n".join(lines).encode())
