"""Pydantic does not run a validator that stands below `@classmethod`; after the fix it does."""

from __future__ import annotations

import warnings

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

FIELD = """
    from pydantic import BaseModel, field_validator
    class Order(BaseModel):
        quantity: int = 1
        @classmethod{marker}
        @field_validator("quantity")
        def positive(cls, value):
            raise ValueError("refused")
"""
MODEL = """
    import pydantic
    class Order(pydantic.BaseModel):
        quantity: int = 1
        @classmethod{marker}
        @pydantic.model_validator(mode="before")
        def positive(cls, value):
            raise ValueError("refused")
"""
OLD = """
    from pydantic import BaseModel, validator
    class Order(BaseModel):
        quantity: int = 1
        @classmethod{marker}
        @validator("quantity")
        def positive(cls, value):
            raise ValueError("refused")
"""


@pytest.mark.parametrize("source", [FIELD, MODEL, OLD])
def test_the_validator_never_runs_until_it_is_fixed(source: str) -> None:
    assert len(findings("PB408", source.format(marker="  # PB408"))) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert executed(source.format(marker=""))["Order"](quantity=-1).quantity == -1
        fixed = executed(fix("PB408", source.format(marker="")))
    with pytest.raises(ValueError, match="refused"):
        fixed["Order"](quantity=-1)


def test_right_order_and_other_decorators_are_silent() -> None:
    source = """
        import functools
        from pydantic import BaseModel, field_validator
        class Order(BaseModel):
            quantity: int
            @field_validator("quantity")
            @classmethod
            def positive(cls, value):
                return value
            @classmethod
            @functools.cache
            def load(cls): ...
    """
    assert findings("PB408", source) == []
