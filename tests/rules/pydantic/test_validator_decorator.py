"""Traps of validator-decorator, and what the converted validators do under Pydantic."""

from __future__ import annotations

import textwrap
import warnings

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "a validator of another library": """
        from wtforms import validator
        class Form:
            @validator("name")
            def check(cls, value):
                return value
    """,
    "the old generation": """
        import pydantic.v1 as pydantic
        class Order(pydantic.BaseModel):
            id: int
            @pydantic.validator("id")
            def check(cls, value):
                return value
    """,
}
HEAD = "from pydantic import BaseModel, validator\nclass Order(BaseModel):\n    id: int = 1\n"
KEPT = {
    "always needs a field that validates its default": '@validator("id", always=True)\ndef f(cls, v): ...',
    "items need an annotation": '@validator("id", each_item=True)\ndef f(cls, v): ...',
    "the field is refused": '@validator("id")\ndef f(cls, v, field): ...',
    "names that are computed": "@validator(*NAMES)\ndef f(cls, v): ...",
    "an argument that the project calls info": '@validator("id")\ndef f(cls, v, values): info = values',
    "everything else": '@validator("id")\ndef f(cls, v, **rest): ...',
    "a decorator that may change the signature": '@validator("id")\n@shop.cached\ndef f(cls, v): ...',
    "an instance": '@validator("id")\ndef f(self, v): ...',
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB404", source) == []


@pytest.mark.parametrize("method", KEPT.values(), ids=KEPT)
def test_found_without_fix(method: str) -> None:
    first, _, rest = method.partition("\n")
    source = HEAD + textwrap.indent(f"{first}  # PB404\n{rest}\n", "    ")
    (found,) = findings("PB404", source)
    assert found.fix is None


def test_a_function_that_models_share() -> None:
    source = "def upper(cls, value): ...\n" + HEAD
    (found,) = findings("PB404", source + '    _upper = validator("id", allow_reuse=True)(upper)  # PB404\n')
    assert "`upper`" in found.message
    assert found.fix is None
    assert findings("PB404", source + '    check = validator("id")\n') == []


def test_unsupported_arguments_are_named() -> None:
    source = HEAD + '    @validator("id", always=True)  # PB404\n    def f(cls, v): ...\n'
    (found,) = findings("PB404", source)
    assert "`always`" in found.message


def test_the_mode_and_other_arguments() -> None:
    source = HEAD + textwrap.indent(
        textwrap.dedent("""
            @validator("id", allow_reuse=True, check_fields=False, pre=False)
            @classmethod
            def check(cls, value):
                return value
        """),
        "    ",
    )
    assert '@field_validator("id", check_fields=False)\n    @classmethod\n    def' in fix("PB404", source)


def test_converted_validators_run_as_before() -> None:
    source = """
        from pydantic import BaseModel, validator
        class Order(BaseModel):
            currency: str
            low: int
            high: int
            @validator("currency", pre=True)
            def upper(cls, value):
                return str(value).upper()
            @validator("high")
            def ordered(cls, value, values):
                if value < values["low"]:
                    raise ValueError("too low")
                return value
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = executed(source)["Order"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        after = executed(fix("PB404", source))["Order"]
    for data in ({"currency": "eur", "low": 1, "high": 2}, {"currency": 7, "low": 1, "high": 1}):
        assert before(**data).model_dump() == after(**data).model_dump()
    for model in (before, after):
        with pytest.raises(ValueError, match="too low"):
            model(currency="eur", low=2, high=1)
