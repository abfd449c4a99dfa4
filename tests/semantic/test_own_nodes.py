"""The nodes that run in a function itself, all of them and those of one type."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.semantic.modules import module_of

CODE = """
@decorated(outside())
def function(argument=outside()):
    inside(0)
    both = [inside(1) for row in inside(2) if {inside(3): inside(4) for cell in row}]
    later = lambda: outside()
    ordered = sorted(both, key=lambda row: [inside(8) for cell in row])
    run(lambda row: outside())
    kept = map(lambda row: outside(), both), list(map(lambda row: inside(9), both))

    def inner(argument=inside(5)):
        return outside()

    class Local(inside(6)):
        value = outside()

    return any(inside(7) for row in both)
"""


def test_own_nodes_of_one_type(tmp_path: Path) -> None:
    module = module_of(tmp_path, {"main.py": CODE})
    (node,) = (node for node in module.source.nodes(ast.FunctionDef) if node.name == "function")
    function = module.function_info(node)
    calls = function.own(ast.Call)
    named = [
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"inside", "outside"}
    ]
    assert {ast.unparse(call) for call in named} == {f"inside({number})" for number in range(10)}
    for cls in (ast.Call, ast.Name, ast.Constant, ast.GeneratorExp):
        expected = {id(one) for one in function.own_nodes() if type(one) is cls}
        assert {id(one) for one in function.own(cls)} == expected
