"""An index that follows changes gives the answers of one that is built anew."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Settings
from pybackend_lint.source import Source

PROJECTS = Path(__file__).parents[1] / "projects"


def findings(engine: Engine, contents: dict[Path, bytes]) -> list[tuple[str, str, int, str]]:
    found = []
    for path, data in contents.items():
        report = engine.check(Source(str(path), data), path)
        assert not report.errors
        found += [(path.name, item.code, item.start.row, item.message) for item in report.findings]
    return found


def mutations(data: bytes, choose: random.Random) -> bytes:
    """A content without one statement, or with a name that is another one; it can still be parsed."""
    tree = ast.parse(data)
    lines = data.decode().split("\n")
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    for _ in range(20):
        if names and choose.random() < 0.4:
            name = choose.choice(names)
            changed = "\n".join(lines).replace(name, f"{name}_")
        elif statements:
            node = choose.choice(statements)
            kept = [*lines[: node.lineno - 1], " " * node.col_offset + "pass"]
            changed = "\n".join([*kept, *lines[(node.end_lineno or node.lineno) :]])
        else:
            changed = "\n".join([*lines, "x = 1", ""])
        try:
            ast.parse(changed)
        except SyntaxError:
            continue
        return changed.encode()
    return data


@pytest.mark.parametrize("name", sorted(path.name for path in PROJECTS.iterdir() if path.is_dir()))
def test_changes_are_followed(name: str) -> None:
    root = PROJECTS / name
    contents = {
        path: path.read_bytes()
        for path in sorted(root.rglob("*.py"))
        if not (set(path.relative_to(root).parts) & {"__pycache__", "migrations"})
    }
    if not contents:
        pytest.skip("no Python files")
    original = dict(contents)
    choose = random.Random(name)
    settings = Settings(root=root)
    engine = Engine(settings)
    findings(engine, contents)
    for number in range(12):
        path = choose.choice(list(contents))
        contents[path] = original[path] if number % 4 == 3 else mutations(contents[path], choose)
        engine.files.overlay[str(path)] = contents[path]
        engine.index.change(str(path), Source(str(path), contents[path]))
        fresh = Engine(settings, contents)
        assert findings(engine, contents) == findings(fresh, contents), f"{path.name}, step {number}"
