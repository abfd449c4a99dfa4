"""Traps of renamed-model-method, and the results of old and new methods under Pydantic."""

from __future__ import annotations

import warnings

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "a response": """
        import requests
        def load():
            return requests.get("/").json()
    """,
    "a dictionary": "def copied(data: dict):\n    return data.copy()\n",
    "a field of that name": """
        from pydantic import BaseModel
        class Page(BaseModel):
            copy: str
        def text(page: Page):
            return page.copy
    """,
    "overridden in a base of the project": """
        from pydantic import BaseModel
        class Base(BaseModel):
            def json(self): return "{}"
        class Order(Base): ...
        def dump(order: Order):
            return order.json()
    """,
    "a base that nobody knows may override it": """
        from pydantic import BaseModel
        from elsewhere import Mixin
        class Order(Mixin, BaseModel): ...
        def dump(order: Order):
            return order.json()
    """,
    "the old generation": """
        from pydantic.v1 import BaseModel
        class Order(BaseModel): ...
        def dump(order: Order):
            return order.dict()
    """,
    "the override calls its parent": """
        from pydantic import BaseModel
        class Order(BaseModel):
            def dict(self, **options):
                return super().dict(**options)
    """,
}
FOUND = """
    from pydantic import BaseModel
    class Row(BaseModel): ...
    class Order(BaseModel):
        rows: list[Row] = []
        @classmethod
        def load(cls, text: str) -> "Order":
            return cls.parse_raw(text)  # PB425
    def dump(orders: list[Order], order: Order | None):
        parsed = Order.parse_obj({})  # PB425
        parsed.copy()  # PB425
        for each in orders:
            each.rows[0].dict()  # PB425
        if order is not None:
            order.json()  # PB425
        print(Order.__fields__)  # PB425
"""
CALLS = {
    "order.dict(exclude={'id'})": ("order.model_dump(exclude={'id'})", "safe"),
    "order.json()": ("order.model_dump_json()", "safe"),
    "order.json(indent=2)": ("order.model_dump_json(indent=2)", "unsafe"),
    "order.copy(update={'id': 2})": ("order.model_copy(update={'id': 2})", "safe"),
    "Order.construct(id=1)": ("Order.model_construct(id=1)", "safe"),
    "Order.parse_raw('{}')": ("Order.model_validate_json('{}')", "unsafe"),
    "Order.from_orm(row)": ("Order.model_validate(row, from_attributes=True)", "unsafe"),
    "Mapped.from_orm(row)": ("Mapped.model_validate(row)", "safe"),
    "Order.update_forward_refs()": ("Order.model_rebuild(force=True)", "safe"),
    "order.__fields__": ("type(order).model_fields", "safe"),
    "order.__fields_set__": ("order.model_fields_set", "safe"),
    "Order.schema()": ("Order.model_json_schema()", "safe"),
    "order.copy(exclude={'id'})": (None, None),
    "order.json(encoder=str)": (None, None),
    "Order.parse_raw(text, content_type='json')": (None, None),
}
MODELS = """
from pydantic import BaseModel, ConfigDict
class Order(BaseModel):
    id: int = 1
class Mapped(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int = 1
def use(order: Order, row, text):
    return """


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB425", source) == []


def test_found_through_annotations_and_results() -> None:
    assert findings("PB425", FOUND) != []


@pytest.mark.parametrize(("call", "expected"), CALLS.items(), ids=CALLS)
def test_fix(call: str, expected: tuple[str | None, str | None]) -> None:
    (found,) = findings("PB425", f"{MODELS}{call}  # PB425\n")
    new, applicability = expected
    if new is None:
        assert found.fix is None
        return
    assert found.fix is not None
    assert found.fix.applicability == applicability
    assert fix("PB425", f"{MODELS}{call}\n") == f"{MODELS}{new}\n".lstrip("\n")


@pytest.mark.parametrize(
    "call",
    # rebuilding a model answers with None or True, which nobody reads
    [call for call, (_, kind) in CALLS.items() if kind == "safe" and "forward" not in call],
    ids=str,
)
def test_old_and_new_give_the_same(call: str) -> None:
    class Row:
        id = 3

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = executed(f"{MODELS}{call}\n")
        before = one["use"](one["Order"](id=3), Row(), "{}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = executed(fix("PB425", f"{MODELS}{call}\n"))
        after = other["use"](other["Order"](id=3), Row(), "{}")
    assert str(after) == str(before)


def test_an_override_in_a_subclass_elsewhere_makes_it_unsafe() -> None:
    files = {"shop.py": "import example\nclass Special(example.Order):\n    def dict(self): return {}\n"}
    (found,) = findings("PB425", f"{MODELS}order.dict()  # PB425\n", files=files)
    assert found.fix is not None
    assert found.fix.applicability == "unsafe"
