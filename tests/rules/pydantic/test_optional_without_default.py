"""Traps of optional-without-default, and what Pydantic says about such fields."""

from __future__ import annotations

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

MODEL = """
    from pydantic import BaseModel, Field
    class Customer(BaseModel{keywords}):
        name: str
        phone: str | None{default}
        {more}
"""
USE = "from example import Customer\ncustomer = Customer(name='Eve')\n"
SILENT = {
    "the field is given": (
        MODEL.format(keywords="", default="", more=""),
        "Customer(name='Eve', phone=None)",
    ),
    "what is given is not known": (MODEL.format(keywords="", default="", more=""), "Customer(**data)"),
    "another class of that name": (
        MODEL.format(keywords="", default="", more=""),
        "from shop import Customer\nCustomer(name='Eve')",
    ),
    "it has a default": (MODEL.format(keywords="", default=" = None", more=""), "Customer(name='Eve')"),
    "it has a factory": (
        MODEL.format(keywords="", default=" = Field(default_factory=str)", more=""),
        "Customer(name='Eve')",
    ),
    "it is said to be required": (
        MODEL.format(keywords="", default=" = Field(...)", more=""),
        "Customer(name='Eve')",
    ),
    "it may be given by its alias": (
        MODEL.format(keywords="", default=" = Field(alias='tel')", more=""),
        "Customer(name='Eve', tel='1')",
    ),
    "the project's own constructor": (
        MODEL.format(keywords="", default="", more="def __init__(self, name): super().__init__(phone=None)"),
        "Customer(name='Eve')",
    ),
    "it cannot be None": (
        "from pydantic import BaseModel\nclass Customer(BaseModel):\n    phone: str\n",
        "Customer()",
    ),
}


@pytest.mark.parametrize(("source", "use"), SILENT.values(), ids=SILENT)
def test_silent(source: str, use: str) -> None:
    assert findings("PB414", source, files={"use.py": f"from example import Customer\n{use}\n"}) == []


def test_calls_in_tests_are_no_evidence() -> None:
    source = MODEL.format(keywords="", default="", more="")
    assert findings("PB414", source, files={"tests/test_customer.py": USE}) == []


def test_a_call_without_the_field_fails_until_it_has_a_default() -> None:
    source = MODEL.format(keywords="", default="{}  # PB414", more="").format("")
    (found,) = findings("PB414", source, files={"use.py": USE})
    assert [related.path.endswith("use.py") for related in found.related] == [True]
    with pytest.raises(ValueError, match="Field required"):
        executed(source)["Customer"](name="Eve")
    fixed = fix("PB414", source.replace("  # PB414", ""), files={"use.py": USE})
    assert executed(fixed)["Customer"](name="Eve").phone is None


@pytest.mark.parametrize(
    ("default", "expected"),
    [(" = Field()", "Field(default=None)"), (" = Field(title='T')", "Field(default=None, title='T')")],
)
def test_the_default_goes_into_the_call_of_field(default: str, expected: str) -> None:
    source = MODEL.format(keywords="", default=default, more="")
    assert expected in fix("PB414", source, files={"use.py": USE})


OLD = """
from pydantic import BaseModel, validator
class Row(BaseModel):
    name: str | None{marker}
"""
FROM_OUTSIDE = {
    "the body of a route": """
        from fastapi import FastAPI
        from example import Row
        app = FastAPI()
        @app.post("/rows")
        def add(row: Row): ...
    """,
    "in a list of them": """
        from fastapi import FastAPI
        import example
        app = FastAPI()
        @app.post("/rows")
        def add(rows: list[example.Row]): ...
    """,
    "a base of a body": """
        from fastapi import APIRouter
        from example import Row
        router = APIRouter()
        class RowCreate(Row): ...
        @router.post("/rows")
        def add(row: RowCreate): ...
    """,
    "a part of a body": """
        from fastapi import APIRouter
        from pydantic import BaseModel
        from example import Row
        router = APIRouter()
        class Rows(BaseModel):
            rows: list[Row] = []
        @router.post("/rows")
        def add(rows: Rows): ...
    """,
    "parsed": "from example import Row\nrow = Row.parse_raw(open('row.json').read())\n",
}
ONLY_SENT = {
    "an answer": """
        from fastapi import FastAPI
        from example import Row
        app = FastAPI()
        @app.get("/rows", response_model=Row)
        def row(): ...
        @app.get("/all")
        def rows() -> list[Row]: ...
    """,
    "a parameter of no route": "from example import Row\ndef show(row: Row): ...\n",
    "another class of that name": """
        from fastapi import FastAPI
        from shop import Row
        app = FastAPI()
        @app.post("/rows")
        def add(row: Row): ...
    """,
}


@pytest.mark.parametrize("use", FROM_OUTSIDE.values(), ids=FROM_OUTSIDE)
def test_files_of_the_first_generation(use: str) -> None:
    assert len(findings("PB414", OLD.format(marker="  # PB414"), files={"use.py": use})) == 1
    mixed = OLD.format(marker="").replace("validator", "validator, field_validator")
    assert findings("PB414", mixed, files={"use.py": use}) == []


@pytest.mark.parametrize("use", ONLY_SENT.values(), ids=ONLY_SENT)
def test_models_that_are_only_sent(use: str) -> None:
    assert findings("PB414", OLD.format(marker=""), files={"use.py": use}) == []
