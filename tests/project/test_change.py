"""An index that follows changes gives the answers of one that is built anew."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.project.inventory import files_with
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


def test_a_file_that_was_never_parsed_begins_to_mention_a_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    for name, text in (("one", "def ship(): ...\n"), ("two", "ship = 1\n"), ("three", "x = 1\n")):
        (tmp_path / f"{name}.py").write_text(text)
    engine = Engine(Settings(root=tmp_path))
    one, three = tmp_path / "one.py", tmp_path / "three.py"
    asker = engine.index.add(str(one), one.read_bytes())
    assert files_with(engine.index, asker, b"ship") == [str(one), str(tmp_path / "two.py")]

    three.write_text("from one import ship\n")
    engine.index.change(str(three), None)

    asker = engine.index.add(str(one), one.read_bytes())
    assert str(three) in files_with(engine.index, asker, b"ship")
    assert files_with(engine.index, asker, b"x") == []


def test_readers_are_forgotten_with_what_they_read(tmp_path: Path) -> None:
    base, middle, top = (tmp_path / f"{name}.py" for name in ("base", "middle", "top"))
    (tmp_path / "pyproject.toml").write_text("")
    base.write_text("class Base: ...\n")
    middle.write_text("from base import Base\n\n\nclass Middle(Base): ...\n")
    top.write_text("from middle import Middle\n\n\nclass Top(Middle): ...\n")
    engine = Engine(Settings(root=tmp_path))

    def classes_of_top() -> int:
        module = engine.index.add(str(top), top.read_bytes())
        info = engine.index.class_info(f"{module.name}.Top")
        assert info is not None
        return len(info.mro)

    def affected(path: Path) -> set[str]:
        return engine.index.change(str(path), None) & {str(base), str(middle), str(top)}

    for _ in range(2):
        assert classes_of_top() == 3
        base.write_text(base.read_text() + "\n")
        assert affected(base) == {str(middle), str(top)}

    assert classes_of_top() == 3
    middle.write_text("class Middle: ...\n")
    assert affected(middle) == {str(top)}
    assert classes_of_top() == 2
    base.write_text("")
    assert affected(base) == set()
