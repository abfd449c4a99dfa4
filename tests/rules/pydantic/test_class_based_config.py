"""Traps of class-based-config, and what the fixed models do under Pydantic."""

from __future__ import annotations

import textwrap
import warnings

import pytest
from pydantic import PydanticUserError

from pybackend_lint.frameworks.data.pydantic_v2 import (
    INVERTED_KEYS,
    KEPT_KEYS,
    LOST_KEYS,
    NEEDLESS_KEYS,
    RENAMED_KEYS,
)
from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "a plain class": """
        class Job:
            class Config:
                orm_mode = True
    """,
    "a model that is called Config": """
        from pydantic import BaseModel
        class Deployment(BaseModel):
            class Config(BaseModel):
                name: str
    """,
    "a base that depends on the version": """
        import pydantic
        if pydantic.VERSION.startswith("1"):
            from pydantic import BaseModel
        else:
            from pydantic.v1 import BaseModel
        class Event(BaseModel):
            class Config:
                orm_mode = True
    """,
    "already a dictionary": """
        from pydantic import BaseModel, ConfigDict
        class Event(BaseModel):
            model_config = ConfigDict(frozen=True)
    """,
}
FOUND = {
    "through an alias of the module": """
        import pydantic as p
        class Order(p.BaseModel):
            class Config:  # PB400
                orm_mode = True
    """,
    "both ways at once": """
        from pydantic import BaseModel
        class Order(BaseModel):
            model_config = {"extra": "forbid"}
            class Config:  # PB400
                frozen = True
    """,
    "inside a function": """
        from pydantic import BaseModel
        def make():
            class Order(BaseModel):
                class Config:  # PB400
                    frozen = True
            return Order
    """,
}
FIXED = {
    "an empty class goes": (
        """
        from pydantic import BaseModel
        class Order(BaseModel):
            id: int

            class Config:
                pass

            name: str
        """,
        """
        from pydantic import BaseModel
        class Order(BaseModel):
            id: int

            name: str
        """,
    ),
    "the class was the whole body": (
        """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:
                smart_union = True
        """,
        """
        from pydantic import BaseModel
        class Order(BaseModel):
            pass
        """,
    ),
    "settings": (
        """
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            debug: bool = False
            class Config:
                env_prefix = "SHOP_"
        """,
        """
        from pydantic_settings import BaseSettings, SettingsConfigDict
        class Settings(BaseSettings):
            debug: bool = False
            model_config = SettingsConfigDict(env_prefix="SHOP_")
        """,
    ),
    "needless keys go, long values stay as they are written": (
        """
        from pydantic import BaseModel
        class Order(BaseModel):
            id: int
            class Config:
                smart_union = True
                json_schema_extra = {
                    "example": {"id": 1},  # shown in the documentation
                }
                allow_mutation = False
                copy_on_model_validation = "none"
        """,
        """
        from pydantic import BaseModel, ConfigDict
        class Order(BaseModel):
            id: int
            model_config = ConfigDict(
                json_schema_extra={
                    "example": {"id": 1},  # shown in the documentation
                },
                frozen=True,
            )
        """,
    ),
    "the Config of the one base": (
        """
        from pydantic import BaseModel
        class Schema(BaseModel):
            class Config:
                extra = "forbid"
        class Order(Schema):
            class Config(Schema.Config):
                title: str = "An order"
        """,
        """
        from pydantic import BaseModel, ConfigDict
        class Schema(BaseModel):
            model_config = ConfigDict(extra="forbid")
        class Order(Schema):
            model_config = ConfigDict(title="An order")
        """,
    ),
}
KEPT = {
    "a method": """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:
                orm_mode = True
                @staticmethod
                def schema_extra(schema):
                    schema.pop("title")
    """,
    "a key without counterpart": """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:
                orm_mode = True
                fields = {"id": "ID"}
    """,
    "a key of the user's own": """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:
                frozen = True
                table_name = "orders"
    """,
    "a base that may hold keys": """
        from pydantic import BaseModel
        class Common:
            frozen = True
        class Order(BaseModel):
            class Config(Common):
                title = "Order"
    """,
    "a key under both of its names": """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:
                orm_mode = True
                from_attributes = True
    """,
    "a value that names a field": """
        from pydantic import BaseModel
        title = "Order"
        class Order(BaseModel):
            title: str = "none"
            class Config:
                json_schema_extra = {"title": title}
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB400", source) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB400", source) != []


@pytest.mark.parametrize(("source", "expected"), FIXED.values(), ids=FIXED)
def test_fixed(source: str, expected: str) -> None:
    after = fix("PB400", source)
    assert after == fix("PB400", expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        executed(after)


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_no_fix(source: str) -> None:
    assert fix("PB400", source) == textwrap.dedent(source).lstrip("\n")


LOST = {
    "several": ("fields = {}\n                getter_dict = dict", ["fields", "getter_dict"]),
    "hidden in a call": ("json_loads = staticmethod(str)", ["json_loads"]),
    "a method": ("def json_dumps(value, **kwargs): ...", ["json_dumps"]),
    "next to renamed ones": (
        "orm_mode = True\n                error_msg_templates = {}",
        ["error_msg_templates"],
    ),
}


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize(("body", "lost"), LOST.values(), ids=LOST)
def test_lost_keys_are_named(body: str, lost: list[str], merged: bool) -> None:
    source = f"""
        from pydantic import BaseModel
        class Order(BaseModel):
            {"model_config = {'title': 'An order'}" if merged else ""}
            class Config:  # PB400
                {body}
    """
    (found,) = findings("PB400", source)
    assert [name for name in LOST_KEYS if f"`{name}`" in found.message] == lost
    assert found.fix is None


def test_keys_are_those_that_pydantic_warns_about() -> None:
    removed = LOST_KEYS.keys() | NEEDLESS_KEYS | INVERTED_KEYS.keys()
    for key in removed | RENAMED_KEYS.keys():
        with pytest.warns(UserWarning, match=f"'{key}' has been (removed|renamed)"):
            executed(
                f"from pydantic import BaseModel\nclass Order(BaseModel):\n    model_config = {{{key!r}: None}}\n"
            )
    assert not (removed | RENAMED_KEYS.keys()) & KEPT_KEYS


def test_only_lost_settings_make_the_fix_unsafe() -> None:
    text = """
        from pydantic import BaseModel, Extra
        class Order(BaseModel):
            class Config:  # PB400
                {key}
    """
    for key, applicability in {
        "extra = Extra.allow": "safe",
        "frozen = True": "safe",
        "orm_mode = True": "unsafe",
        "allow_mutation = False": "unsafe",
    }.items():
        (found,) = findings("PB400", text.format(key=key))
        assert found.fix is not None
        assert (key, found.fix.applicability) == (key, applicability)


def test_a_class_that_others_read_is_not_safe_to_remove() -> None:
    files = {"other.py": "import example\nprint(example.Order.Config.frozen)\n"}
    source = """
        from pydantic import BaseModel
        class Order(BaseModel):
            class Config:  # PB400
                frozen = True
    """
    (found,) = findings("PB400", source, files=files)
    assert found.fix is not None
    assert found.fix.applicability == "unsafe"


def test_pydantic_loses_the_old_keys_and_honours_the_fixed_ones() -> None:
    source = """
        from pydantic import BaseModel
        class Row:
            id = 7
        class Order(BaseModel):
            id: int
            class Config:
                orm_mode = True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = executed(source)
    with pytest.raises(ValueError, match="dictionary or instance"):
        before["Order"].model_validate(before["Row"]())
    after = executed(fix("PB400", source))
    assert after["Order"].model_validate(after["Row"]()).id == 7


def test_pydantic_refuses_both_ways() -> None:
    (found,) = findings("PB400", FOUND["both ways at once"])
    assert found.severity == "error"
    with pytest.raises(PydanticUserError, match="cannot be used together"):
        executed(FOUND["both ways at once"])


def test_old_versions_are_left_alone() -> None:
    files = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["pydantic<2"]\n'}
    assert findings("PB400", FOUND["inside a function"].replace("  # PB400", ""), files=files) == []
