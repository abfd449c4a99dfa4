"""Traps of constrained-call-annotation, and the same validation before and after its fix."""

from __future__ import annotations

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "a call where calls may stand": "from pydantic import conint\nPort = conint(gt=0)\n",
    "metadata of Annotated": """
        from typing import Annotated
        from pydantic import BaseModel, conint
        class Sound(BaseModel):
            length: Annotated[int, conint(ge=1)] = 2
    """,
    "the project's own function": """
        def conint(**options): ...
        def route(port: conint(gt=0)): ...
    """,
    "the old generation": """
        from pydantic.v1 import BaseModel, conint
        class Sound(BaseModel):
            length: conint(gt=0)
    """,
}
HEAD = "from pydantic import BaseModel, Field, {name}\nclass Model(BaseModel):\n    field: "
CASES: dict[str, tuple[list[object], list[object]]] = {
    "conint(gt=0, multiple_of=2)": ([2, 4], [0, 3, "x"]),
    "confloat(ge=0.5, allow_inf_nan=False)": ([0.5], [0.4, float("inf")]),
    "constr(min_length=2, pattern='^a')": (["ab"], ["a", "ba"]),
    "constr(strip_whitespace=True, max_length=2)": ([" ab "], ["abc"]),
    "conlist(int, min_length=1)": ([[1]], [[], ["x"]]),
    "conset(item_type=str, max_length=1)": ([{"a"}], [{"a", "b"}]),
    "condecimal(max_digits=3, decimal_places=1)": (["12.3"], ["123.4", "1.23"]),
    "conbytes(max_length=1)": ([b"a"], [b"ab"]),
    "constr()": (["a"], [1]),
    "conint(gt=0) | None": ([1, None], [0]),
    "list[conint(gt=0)] = Field(..., max_length=1)": ([[1]], [[0], [1, 1]]),
    "conint(gt=0) = Field(default=3, lt=9)": ([8], [0, 9]),
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB429", source) == []


@pytest.mark.parametrize("annotation", CASES)
def test_the_same_values_pass(annotation: str) -> None:
    name = next(part for part in annotation.replace("(", " ").replace("[", " ").split() if "con" in part)
    source = HEAD.format(name=name) + annotation
    (found,) = findings("PB429", f"{source}  # PB429\n")
    assert found.fix is not None
    assert found.fix.applicability == "safe"
    before, after = executed(source), executed(fix("PB429", f"{source}\n"))
    assert name not in fix("PB429", f"{source}\n")
    good, bad = CASES[annotation]
    for value in good:
        assert before["Model"](field=value).field == after["Model"](field=value).field
    for value in bad:
        for names in (before, after):
            with pytest.raises(ValueError, match="validation error"):
                names["Model"](field=value)


def test_old_keywords_get_their_new_names() -> None:
    source = HEAD.format(name="constr") + "constr(regex='^a')  # PB429\n"
    (found,) = findings("PB429", source)
    assert found.fix is not None
    assert found.fix.applicability == "unsafe"
    with pytest.raises(TypeError, match="regex"):
        executed(source)
    assert executed(fix("PB429", source))["Model"](field="ab").field == "ab"


def test_keywords_without_counterpart() -> None:
    (found,) = findings("PB429", HEAD.format(name="conlist") + "conlist(int, unique_items=True)  # PB429\n")
    assert found.fix is None
