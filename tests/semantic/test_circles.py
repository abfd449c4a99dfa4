"""The order of questions does not matter, not even where definitions need each other."""

from __future__ import annotations

import ast
import random
import shutil
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Settings
from tests.rules.harness import PROJECTS, write


def answers(root: Path, seed: int | None) -> dict[tuple[str, int], tuple[object, str | None]]:
    """Type and name of every expression below a folder, asked in the order of the files or in another one."""
    index = Engine(Settings(root=root)).index
    questions = []
    for path in sorted(root.rglob("*.py")):
        module = index.add(str(path), path.read_bytes())
        nodes = (node for node in ast.walk(module.source.tree) if isinstance(node, ast.expr))
        questions += [((str(path), number), module, node) for number, node in enumerate(nodes)]
    if seed is not None:
        random.Random(seed).shuffle(questions)
    return {key: (module.type_of(node), module.qualified_name(node)) for key, module, node in questions}


def entangled(seed: int) -> dict[str, str]:
    """Three modules whose functions and variables are made from each other."""
    choose = random.Random(seed)
    names = [f"{module}.{kind}{n}" for module in "abc" for kind in "fv" for n in range(4)]

    def value() -> str:
        name = choose.choice(names)
        read = f"{name}()" if ".f" in name else name
        return choose.choice([read, read, read, '"text"', f"str({read})", f"len([{read}, 1])"])

    files = {}
    for module in "abc":
        lines = ["import a, b, c"]
        for n in range(4):
            lines += [f"v{n} = {value()}", f"def f{n}():"]
            if choose.random() < 0.4:
                lines += [f"    if {value()}:", f"        return {value()}"]
            lines += [f"    return {value()}"]
        files[f"{module}.py"] = "\n".join(lines) + "\n"
    return files


@pytest.mark.parametrize("seed", [*range(20), 32, 49])
def test_definitions_that_need_each_other(seed: int, tmp_path: Path) -> None:
    write(tmp_path, entangled(seed))
    expected = answers(tmp_path, None)
    assert any(known for known, _ in expected.values())
    for order in range(4):
        assert answers(tmp_path, order) == expected


@pytest.mark.parametrize("project", sorted(path.name for path in PROJECTS.iterdir() if path.is_dir()))
def test_projects(project: str, tmp_path: Path) -> None:
    root = tmp_path / project
    shutil.copytree(PROJECTS / project, root)
    expected = answers(root, None)
    for order in range(3):
        assert answers(root, order) == expected


def test_a_long_way(tmp_path: Path) -> None:
    steps = 3_000
    lines = ["def f0():", "    return 'text'"]
    for n in range(1, steps):
        lines += [f"def f{n}():", f"    return f{n - 1}()"]
    write(tmp_path, {"a.py": "\n".join([*lines, f"last = f{steps - 1}()"]) + "\n"})
    module = Engine(Settings(root=tmp_path)).index.at(str(tmp_path / "a.py"))
    assert module is not None
    (last,) = module.source.calls[f"f{steps - 1}"]
    known = module.type_of(last)
    assert known is not None
    assert known.name == "builtins.str"


def test_a_long_circle_ends(tmp_path: Path) -> None:
    steps = 500
    lines = []
    for n in range(steps):
        lines += [f"def f{n}():", f"    return f{(n + 1) % steps}()"]
    write(tmp_path, {"a.py": "\n".join(lines) + "\n"})
    assert set(answers(tmp_path, None)) == set(answers(tmp_path, 1))
    calls = [value for value in answers(tmp_path, 2).values() if value == (None, None)]
    assert len(calls) == steps


def test_variables_that_are_set_to_each_other_share_a_name(tmp_path: Path) -> None:
    texts = {"a.py": "import c\nx = c.z\n", "b.py": "import a\ny = a.x\n", "c.py": "import b\nz = b.y\n"}
    write(tmp_path, texts)
    for first in texts:
        index = Engine(Settings(root=tmp_path)).index
        for path in (first, *texts):
            module = index.at(str(tmp_path / path))
            assert module is not None
            assert module.export("xyz"["abc".index(module.name)]) == "a.x"
