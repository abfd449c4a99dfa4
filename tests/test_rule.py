"""What the context of a rule makes of the fixes that it is given."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings

VALIDATED = """\
from pydantic import BaseModel, validator
class Order(BaseModel):
    currency: str
    @validator(  # PB404
        {})
    def upper(cls, value: str) -> str:
        return value.upper()
"""


@pytest.mark.parametrize(
    ("arguments", "applicability"),
    {
        '"currency", pre=True': "safe",
        '"currency",  # the # of ISO 4217\npre=True': "safe",
        '"currency", pre=  # because\nTrue': "unsafe",
        '"currency", pre=True, allow_reuse="#" == "#"': "safe",
    }.items(),
)
def test_no_safe_fix_deletes_a_comment(arguments: str, applicability: str) -> None:
    (found,) = findings("PB404", VALIDATED.format(arguments))
    assert found.fix is not None
    assert found.fix.applicability == applicability
