"""Traps of implicit-optional-in-model, and what Pydantic and FastAPI make of such defaults."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "None is allowed": """
        from typing import Annotated, Optional, Union
        from pydantic import BaseModel, Field
        class Filter(BaseModel):
            a: int | None = None
            b: Optional[int] = None
            c: Union[int, None] = Field(None)
            d: Annotated[int | None, Field(gt=0)] = None
            e: "int | None" = None
            f: None = None
    """,
    "an alias that allows None": """
        from pydantic import BaseModel
        Maybe = int | None
        class Filter(BaseModel):
            a: Maybe = None
    """,
    "an annotation that may allow None": """
        from typing import Any, TypeVar
        from elsewhere import Thing
        from pydantic import BaseModel, JsonValue
        T = TypeVar("T")
        class Filter(BaseModel):
            a: Any = None
            b: object = None
            c: JsonValue = None
            d: Thing = None
            e: T = None
    """,
    "no field": """
        from typing import ClassVar
        from pydantic import BaseModel
        class Filter(BaseModel):
            cache: ClassVar[dict] = None
            _private: int = None
    """,
    "defaults are validated": """
        from pydantic import BaseModel, ConfigDict
        class Base(BaseModel):
            model_config = ConfigDict(validate_default=True)
        class Filter(Base):
            a: int = None
    """,
    "a validator of the model fills it in": """
        from pydantic import BaseModel, model_validator
        class Filter(BaseModel):
            a: int = None
            @model_validator(mode="after")
            def fill(self):
                self.a = self.a or 1
                return self
    """,
    "no model": """
        from dataclasses import dataclass
        class Plain:
            a: int = None
        @dataclass
        class Data:
            a: int = None
    """,
    "a base that is not known": """
        from elsewhere import Base
        from pydantic import BaseModel
        class Filter(make(Base), BaseModel):
            a: int = None
    """,
    "Pydantic 1": """
        from pydantic import BaseModel, validator, root_validator, BaseSettings
        class Filter(BaseModel):
            a: int = None
    """,
    "a dependency and a plain function": """
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def session(): ...
        def search(q: int = None): ...
        @app.get("/")
        def index(db: int = Depends(session), q: int | None = None): ...
    """,
    "a dependency that only needs a default because of its place": """
        from typing import Annotated
        from fastapi import Depends, FastAPI, Security
        from users import CurrentUser
        app = FastAPI()
        def user(): ...
        @app.get("/")
        def index(
            page: int = 1,
            a: Annotated[int, Depends(user)] = None,
            b: Annotated[int, Security(user, scopes=["read"])] = None,
            c: CurrentUser = None,
        ): ...
    """,
}
USERS = {
    "users.py": """
        from typing import Annotated
        from fastapi import Depends
        def user() -> int: ...
        CurrentUser = Annotated[int, Depends(user)]
    """,
}
FOUND = {
    "with Field": """
        from pydantic import BaseModel, Field
        class Filter(BaseModel):
            a: int = Field(None, gt=0)  # PB022
            b: list[str] = Field(default=None)  # PB022
    """,
    "a class of the project": """
        import enum
        from pydantic import BaseModel
        class Status(enum.Enum):
            OPEN = 1
        class Filter(BaseModel):
            status: Status = None  # PB022
            forward: "Status" = None  # PB022
    """,
    "settings": """
        from pydantic import PostgresDsn
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            url: PostgresDsn = None  # PB022
    """,
    "routes": """
        from typing import Annotated
        from fastapi import FastAPI, Query
        app = FastAPI()
        @app.get("/")
        def index(
            a: int = None,  # PB022
            b: str = Query(None, max_length=3),  # PB022
            c: Annotated[int, Query(gt=0)] = None,  # PB022
        ): ...
    """,
}
MODEL = """
    from typing import Annotated
    from pydantic import BaseModel, Field
    class Filter(BaseModel):
        a: int = None  # of the page
        b: Annotated[int, Field(gt=0)] = None
        c: "Filter" = None
"""
RUFF = {"pyproject.toml": '[project]\nname = "shop"\n[tool.ruff.lint]\nselect = ["RUF"]\n'}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB022", source, files=USERS)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB022", source)


def test_parameters_are_left_to_ruff_where_it_looks_for_them() -> None:
    findings("PB022", FOUND["routes"].replace("  # PB022", ""), files=RUFF)


def test_fix() -> None:
    fixed = fix("PB022", MODEL)
    assert "a: int | None = None  # of the page" in fixed
    assert "b: Annotated[int | None, Field(gt=0)] = None" in fixed
    assert 'c: "Filter | None" = None' in fixed
    assert executed(fixed)["Filter"].model_validate({"a": None, "b": None}).a is None


def test_model_refuses_what_it_produces() -> None:
    model = executed("""
        from pydantic import BaseModel
        class Filter(BaseModel):
            a: int = None
    """)["Filter"]
    assert model().a is None
    with pytest.raises(ValidationError):
        model.model_validate(model().model_dump())
