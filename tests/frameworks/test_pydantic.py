"""What Pydantic's names mean: models of both generations, fields, configuration, values."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pybackend_lint.frameworks import pydantic
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from tests.semantic.modules import module_of, types

FILES = {
    "base.py": """
        import pydantic
        from pydantic_settings import BaseSettings as Environment
        from pydantic.v1 import BaseModel as Old
        from sqlmodel import SQLModel

        class Schema(pydantic.BaseModel, extra="forbid"):
            model_config = pydantic.ConfigDict(from_attributes=True, frozen=False)
            id: int

        class Settings(Environment):
            class Config:
                env_prefix = "SHOP_"

        class Legacy(Old):
            a: int

        class Table(SQLModel, table=True):
            a: int
    """,
    "main.py": """
        from typing import ClassVar, List, Optional
        from base import Legacy, Schema, Settings, Table

        class Item(Schema):
            model_config = {"frozen": True}
            kind: ClassVar[str] = "item"
            _cache: dict = {}
            id: str
            name: Optional[str] = None
            tags: List[str] = []

            def copy(self):
                return None

        class Plain:
            name: str
    """,
}


def model(module: Module, name: str) -> ClassInfo:
    """A class by its name in a module."""
    info = module.modules.class_info(module.export(name) or "")
    assert info is not None
    return info


@pytest.mark.parametrize("name", ["Item", "Schema", "Settings", "Table"])
def test_models_through_files(tmp_path: Path, name: str) -> None:
    assert pydantic.is_model(model(module_of(tmp_path, FILES), name))


@pytest.mark.parametrize("name", ["Legacy", "Plain"])
def test_no_models(tmp_path: Path, name: str) -> None:
    info = model(module_of(tmp_path, FILES), name)
    assert not pydantic.is_model(info)
    assert pydantic.is_v1_model(info) == (name == "Legacy")


def test_fields_of_a_class_and_its_bases(tmp_path: Path) -> None:
    found = pydantic.fields(model(module_of(tmp_path, FILES), "Item"))
    written = {name: ast.unparse(field.annotation) for name, field in found.items()}
    assert written == {"id": "str", "name": "Optional[str]", "tags": "List[str]"}


def test_configuration_is_merged_over_the_bases(tmp_path: Path) -> None:
    module = module_of(tmp_path, FILES)
    merged = {key: ast.unparse(value) for key, value in pydantic.config(model(module, "Item")).items()}
    assert merged == {"from_attributes": "True", "frozen": "True", "extra": "'forbid'"}
    settings = pydantic.config(model(module, "Settings"))
    assert {key: ast.unparse(value) for key, value in settings.items()} == {"env_prefix": "'SHOP_'"}


def test_what_a_type_adapter_validates(tmp_path: Path) -> None:
    text = """
        from pydantic import TypeAdapter
        from base import Schema

        schemas = TypeAdapter(list[Schema])

        def use(data):
            probe(schemas.validate_python(data), schemas.validate_json(data)[0])
            probe(schemas.dump_json([]), TypeAdapter(int).validate_strings("1"))
    """
    module = module_of(tmp_path, FILES | {"use.py": text}, "use.py")
    assert types(module) == ["builtins.list[base.Schema]", "base.Schema", None, "builtins.int"]


def test_values_of_models(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        FILES
        | {
            "use.py": """
                from base import Legacy, Schema
                from main import Item

                def use(schema: Schema, rows: list[Schema]):
                    probe(Schema.model_validate({}), Schema(id=1).model_copy(update={}), schema.dict())
                    probe(schema.json(), Item.parse_obj({}), Item.parse_obj({}).copy())
                    probe(schema.id, [row for row in rows][0], Legacy.parse_obj({}))
            """
        },
        "use.py",
    )
    assert types(module) == [
        "base.Schema", "base.Schema", "builtins.dict[builtins.str, None]",
        "builtins.str", "main.Item", "builtins.None",
        "builtins.int", "base.Schema", None,
    ]  # fmt: skip
