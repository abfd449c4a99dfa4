"""Traps of response-model-needs-from-attributes, and what Pydantic does."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import SQLModel
class Base(DeclarativeBase):
    pass
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
shared = ConfigDict(from_attributes=True)
"""
CALL = """
def read(order: Order):
    return Read.model_validate(order{}){}
"""
SCHEMAS = {
    "nothing": "class Read(BaseModel):\n    id: int\n",
    "a docstring": 'class Read(BaseModel):\n    """A schema."""\n    id: int\n',
    "another option": "class Read(BaseModel):\n    model_config = ConfigDict(extra='ignore')\n    id: int\n",
    "options of a dictionary": "class Read(BaseModel):\n    model_config = {'extra': 'ignore'}\n    id: int\n",
    "a base": "class Common(BaseModel):\n    pass\nclass Read(Common):\n    id: int\n",
}
SILENT = {
    "the option": "class Read(BaseModel):\n    model_config = ConfigDict(from_attributes=True)\n    id: int\n",
    "a shared configuration": "class Read(BaseModel):\n    model_config = shared\n    id: int\n",
    "an unpacked one": "class Read(BaseModel):\n    model_config = ConfigDict(**shared)\n    id: int\n",
    "a keyword of the class": "class Read(BaseModel, from_attributes=True):\n    id: int\n",
    "of a base": "class C(BaseModel):\n    model_config = ConfigDict(from_attributes=True)\nclass Read(C):\n    id: int\n",
    "a schema of SQLModel": "class Read(SQLModel):\n    id: int\n",
    "a validator in front": (
        "class Read(BaseModel):\n    id: int\n    @model_validator(mode='before')\n    @classmethod\n"
        "    def convert(cls, value):\n        return {'id': value.id}\n"
    ),
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_call_raises(schema: str) -> None:
    findings("PB330", HEAD + schema + CALL.format("", "  # PB330"))
    source = HEAD + schema + CALL.format("", "")
    names = executed(source)
    with pytest.raises(ValidationError, match="dictionary or instance"):
        names["read"](names["Order"](id=1))
    fixed = fix("PB330", source)
    if "{'extra'" not in schema:
        names = executed(fixed)
        assert names["read"](names["Order"](id=1)).id == 1


@pytest.mark.parametrize("schema", SILENT.values(), ids=SILENT)
def test_the_call_works(schema: str) -> None:
    source = HEAD + schema + CALL.format("", "")
    assert findings("PB330", source) == []
    names = executed(source)
    assert names["read"](names["Order"](id=1)).id == 1


def test_an_argument() -> None:
    assert findings("PB330", HEAD + SCHEMAS["nothing"] + CALL.format(", from_attributes=True", "")) == []


def test_the_schema_of_another_file() -> None:
    text = "from models import Order\nfrom schemas import Read\n" + CALL.format("", "  # PB330")
    schemas = f"from pydantic import BaseModel\n{SCHEMAS['nothing']}"
    (found,) = findings("PB330", text, files={"models.py": HEAD, "schemas.py": schemas})
    assert found.fix is None
    assert found.related[0].path.endswith("schemas.py")
