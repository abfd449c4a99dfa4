"""Traps of type-checking-import-needed-at-runtime, and what the frameworks do without the import."""

from __future__ import annotations

import asyncio
import textwrap
from typing import Any

import pytest
from pydantic import PydanticUserError
from sqlalchemy.orm.exc import MappedAnnotationError

from pybackend_lint.finding import Applicability
from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
from __future__ import annotations
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Optional
from pydantic import BaseModel, Field, SkipValidation, validate_call
from fastapi import Depends, FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
if TYPE_CHECKING:
    from fastapi import Request
    from datetime import datetime
    from decimal import Decimal
    from customers import Customer
app = FastAPI()
"""
SILENT = {
    "methods and class variables": """
        class Order(BaseModel):
            limit: ClassVar[Decimal]
            def at(self, now: datetime) -> Request: ...
    """,
    "a plain class": """
        class Order:
            at: datetime
    """,
    "text of a Literal": """
        class Order(BaseModel):
            kind: Literal["Decimal", "datetime"]
    """,
    "completed later": """
        class Order(BaseModel):
            at: datetime
        def complete():
            from datetime import datetime
            Order.model_rebuild()
    """,
    "not validated": """
        class Order(BaseModel):
            at: SkipValidation[datetime]
    """,
    "a relation": """
        class Base(DeclarativeBase): ...
        class Order(Base):
            __tablename__ = "order"
            id: Mapped[int] = mapped_column(primary_key=True)
            customer: Mapped[Customer] = relationship()
            customers: Mapped[list["Customer"]] = relationship()
    """,
    "a function that is no route": """
        def index(request: Request) -> Decimal: ...
    """,
    "a dependency by default": """
        def current(): ...
        @app.get("/")
        def index(user: Customer = Depends(current)): ...
    """,
    "the result of a dependency": """
        def current() -> Customer: ...
        @app.get("/")
        def index(user=Depends(current)): ...
    """,
    "the response model is given": """
        @app.get("/", response_model=int)
        def index() -> Decimal: ...
    """,
    "variables of a function": """
        @app.get("/")
        def index():
            at: datetime = 1
    """,
}
FOUND = {
    "in quotes and in containers": """
        class Order(BaseModel):
            at: Optional["datetime"] = None  # PB019
            amounts: dict[str, list[Decimal]]  # PB019
            before: datetime
    """,
    "a validated call": """
        @validate_call
        def pay(amount: Decimal): ...  # PB019
    """,
    "columns": """
        class Base(DeclarativeBase): ...
        class Order(Base):
            __tablename__ = "order"
            at: Mapped[datetime] = mapped_column(primary_key=True)  # PB019
            amount: Mapped[Optional[Decimal]]  # PB019
    """,
    "routes and their dependencies": """
        def current(request: Request): ...  # PB019
        @app.get("/")
        def index(user: Annotated[Customer, Depends(current)]) -> Decimal: ...  # PB019 # PB019
    """,
}
GUARDS = {
    "imported in the other branch too": """
        from typing import TYPE_CHECKING
        from pydantic import BaseModel
        if TYPE_CHECKING:
            from decimal import Decimal
        else:
            Decimal = float
        class Order(BaseModel):
            amount: "Decimal"
    """,
    "another name of the same spelling": """
        from typing import TYPE_CHECKING
        from pydantic import BaseModel
        if TYPE_CHECKING:
            from decimal import Decimal
        def make():
            class Decimal(BaseModel):
                x: int
            class Order(BaseModel):
                amount: Decimal
            return Order
    """,
    "another condition": """
        from pydantic import BaseModel
        DEBUG = False
        if DEBUG:
            from decimal import Decimal
        class Order(BaseModel):
            amount: "Decimal"
    """,
}


def program(body: str) -> str:
    return HEAD.lstrip() + textwrap.dedent(body)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB019", program(source))


@pytest.mark.parametrize("source", GUARDS.values(), ids=GUARDS)
def test_guards(source: str) -> None:
    findings("PB019", source)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    found = findings("PB019", program(source))
    assert all(finding.fix is not None and finding.related for finding in found)


def test_model_of_another_file_completed_elsewhere() -> None:
    source = program("class Order(BaseModel):\n    at: datetime\n")
    findings("PB019", source, files={"complete.py": "from example import Order\nOrder.model_rebuild()\n"})


CYCLE = """
    from __future__ import annotations
    from typing import TYPE_CHECKING
    from pydantic import BaseModel
    if TYPE_CHECKING:
        from shop.customers import Customer
    class Order(BaseModel):
        customer: Customer  # PB019
"""


def test_fix_is_unsafe_where_the_modules_import_each_other() -> None:
    model = "from pydantic import BaseModel\nclass Customer(BaseModel): ...\n"
    for text, expected in ((model, "safe"), (f"import shop.orders\n{model}", "unsafe")):
        files = {"shop/__init__.py": "", "shop/customers.py": text}
        found = findings("PB019", CYCLE, files=files, path="shop/orders.py")[0]
        assert found.fix is not None
        assert found.fix.applicability == Applicability(expected)


MODEL = "class Order(BaseModel):\n    at: datetime\n"
COLUMN = """
class Base(DeclarativeBase): ...
class Order(Base):
    __tablename__ = "order"
    at: Mapped[datetime] = mapped_column(primary_key=True)
"""


def test_pydantic_fails_when_the_model_is_used_and_works_after_the_fix() -> None:
    with pytest.raises(PydanticUserError, match="not fully defined"):
        executed(program(MODEL))["Order"](at="2024-01-01T00:00:00")
    fixed = executed(fix("PB019", program(MODEL)))["Order"]
    assert fixed(at="2024-01-01T00:00:00").at.year == 2024


def test_sqlalchemy_fails_at_import() -> None:
    with pytest.raises(MappedAnnotationError):
        executed(program(COLUMN))
    assert (
        executed(fix("PB019", program(COLUMN)))["Order"].__table__.c.at.type.python_type.__name__
        == "datetime"
    )


def status(source: str) -> int:
    """The status with which an application answers `GET /`."""
    app = executed(source)["app"]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


ROUTE = "@app.get('/')\ndef index(request: Request): return request.url.path\n"


def test_fastapi_takes_the_request_for_a_query_parameter() -> None:
    assert status(program(ROUTE)) == 422
    assert status(fix("PB019", program(ROUTE))) == 200


def test_fastapi_does_not_look_at_what_is_silent() -> None:
    assert status(program(SILENT["a dependency by default"])) == 200
    assert status(program(SILENT["the result of a dependency"])) == 200
    assert status(program(SILENT["the response model is given"]).replace(": ...", ": return 1")) == 200
