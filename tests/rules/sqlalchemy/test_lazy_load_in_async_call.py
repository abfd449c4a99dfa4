"""Traps of lazy-load-in-async-call, and a proof under SQLAlchemy, Pydantic and FastAPI."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.exceptions import ResponseValidationError
from pydantic import ValidationError
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import FILES as QUERY_FILES
from tests.rules.sqlalchemy.test_lazy_load_in_async import MODELS as PLAIN_MODELS
from tests.rules.sqlalchemy.test_lazy_load_in_async import QUERIES, is_missing_greenlet

MODELS = PLAIN_MODELS.replace(
    "    notes: Mapped",
    """    @property
    def size(self):
        return len(self.lines)

    @property
    def is_large(self):
        return self.size > 10

    def keys(self):
        return [line.id for line in self.lines]

    def __str__(self):
        return f"{self.id} of {self.customer.id}"

    line_keys = association_proxy("lines", "id")
    notes: Mapped""",
).replace(
    "from sqlalchemy.orm",
    "from sqlalchemy.ext.associationproxy import association_proxy\nfrom sqlalchemy.orm",
    1,
)
HELPERS = """
from __future__ import annotations

import logging

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from shop.models import Order, Parcel
from shop.schemas import OrderRead


def count(order) -> int:
    return len(order.lines)


def counts(orders) -> list[int]:
    return [count(order) for order in orders]


def twice(order: Order) -> int:
    return 2 * count(order)


def three_times(order: Order) -> int:
    return twice(order) + count(order)


def written(order: Order) -> int:
    return len(order.notes)


def of_parcel(parcel: Parcel) -> int:
    return parcel.joined.id + parcel.immediate.id


def collections_of_parcel(parcel: Parcel) -> object:
    return parcel.written, parcel.dynamic


def refused_of_parcel(parcel: Parcel) -> object:
    return parcel.raising, parcel.raising_on_sql


def described(order: Order) -> dict[str, object]:
    customer = order.customer
    return {"id": order.id, "customer": customer.id if customer else None}


def through_schema(order: Order) -> OrderRead:
    return OrderRead.model_validate(order)


class View:
    def __init__(self, order: Order, *, title: str = "") -> None:
        self.count = len(order.lines)


class Renderer:
    def render(self, title: str, order: Order) -> str:
        return f"{title}: {self._lines(order)}"

    def _lines(self, order: Order) -> str:
        return ", ".join(str(line.id) for line in order.lines)


async def later(order: Order) -> int:
    return count(order)


def on_demand(order: Order, detailed: bool = False) -> int:
    return len(order.lines) if detailed else 0


def early(order: Order, detailed: bool = False) -> int:
    if not detailed:
        return 0
    return len(order.lines)


def if_loaded(order: Order) -> int:
    return 0 if "lines" in inspect(order).unloaded else len(order.lines)


def handled(order: Order) -> int:
    try:
        return len(order.lines)
    except Exception:
        return 0


async def loads_itself(session: AsyncSession, order: Order) -> int:
    await session.refresh(order, ["lines"])
    return len(order.lines)


async def loads_again(session: AsyncSession, order: Order) -> int:
    statement = select(Order).where(Order.id == order.id).options(selectinload(Order.lines))
    order = (await session.scalars(statement)).one()
    return len(order.lines)


async def awaits(order: Order) -> int:
    return len(await order.awaitable_attrs.lines)


def sets(order: Order) -> int:
    set_committed_value(order, "lines", [])
    return len(order.lines)


def read_later(order: Order):
    return lambda: order.lines


def lazily(order: Order):
    yield order.lines


def with_default(order: Order) -> int:
    return len(getattr(order, "lines", []))
"""
SCHEMAS = """
from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import SQLModel


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int


class LineRead(Read):
    pass


class OrderBrief(Read):
    pass


class OrderRead(OrderBrief):
    lines: list[LineRead] = []


class CustomerRead(Read):
    orders: list[OrderRead]


class WithCustomer(Read):
    customer: CustomerRead | None = None


class OrderOut(BaseModel):
    id: int
    lines: list[LineRead]


class Page(BaseModel):
    items: list[OrderRead]
    brief: list[OrderBrief] = []
    plain: list[OrderOut] = []


class FromTable(SQLModel):
    id: int
    lines: list[LineRead]


class Refusing(FromTable):
    model_config = {"from_attributes": False}


class Sized(Read):
    size: int
    is_large: bool


class Renamed(Read):
    lines: Annotated[list[LineRead], Field(validation_alias="items")] = []


class Prepared(OrderRead):
    @model_validator(mode="before")
    @classmethod
    def prepare(cls, value):
        return {"id": value.id}
"""
FILES = {
    **QUERY_FILES,
    "shop/models.py": MODELS,
    "shop/schemas.py": SCHEMAS,
    "shop/helpers.py": HELPERS,
}
SERIALISING = """
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, raiseload, selectinload

from shop import helpers
from shop.helpers import Renderer, View, count, counts
from shop.models import Customer, Line, Order, Parcel
from shop.queries import Orders, all_orders
from shop.schemas import CustomerRead, FromTable, LineRead, OrderBrief, OrderOut, OrderRead, Page, Prepared, Refusing, Renamed, Sized, WithCustomer

app = FastAPI()
log = logging.getLogger(__name__)


async def get_session() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError
    yield


ADAPTER = TypeAdapter(list[OrderRead])
SessionDep = Annotated[AsyncSession, Depends(get_session)]

"""
SERIALISED = {
    "a field of a model that is made": """
        async def load(session: AsyncSession):
            return Page(items=await all_orders(session))  # PB521
    """,
    "a field of a model that a variable fills": """
        async def load(session: AsyncSession):
            orders = (await session.scalars(select(Order))).all()
            return Page(items=orders, brief=orders)  # PB521
    """,
    "a model of SQLModel": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            return FromTable.model_validate(order)  # PB521
    """,
    "a property that a field names": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return Sized.model_validate(order)  # PB521
    """,
    "properties that the response names": """
        @app.get("/", response_model=list[Sized])
        async def load(session: SessionDep):
            return (await session.scalars(select(Order))).all()  # PB521
    """,
    "validation": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return OrderRead.model_validate(order)  # PB521
    """,
    "validation in a comprehension": """
        async def load(session: AsyncSession):
            return [OrderRead.model_validate(order) for order in await all_orders(session)]  # PB521
    """,
    "validation that asks for attributes": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            return OrderOut.model_validate(order, from_attributes=True)  # PB521
    """,
    "many-to-one": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            return WithCustomer.model_validate(order)  # PB521
    """,
    "a model inside the model": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders))
            return CustomerRead.model_validate((await session.scalars(statement)).one())  # PB521
    """,
    "a type adapter in a variable": """
        async def load(session: AsyncSession):
            return ADAPTER.validate_python(await all_orders(session))  # PB521
    """,
    "a type adapter that asks for attributes": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return TypeAdapter(OrderOut).validate_python(order, from_attributes=True)  # PB521
    """,
    "a return annotation": """
        @app.get("/")
        async def load(session: SessionDep) -> OrderRead:
            return await session.get_one(Order, 1)  # PB521
    """,
    "a response model that does not ask for attributes": """
        @app.get("/", response_model=list[OrderOut])
        async def load(session: SessionDep):
            orders = (await session.scalars(select(Order))).all()
            return orders  # PB521
    """,
    "a response model and a repository": """
        @app.get("/", response_model=OrderRead | None)
        async def load(session: SessionDep):
            return await Orders(session).one(1)  # PB521
    """,
}
HANDED_OVER = {
    "a record of the log": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            log.warning("order %d is %s", order.id, order)  # PB521
    """,
    "objects that another function has loaded": """
        async def load(session: AsyncSession):
            return counts(await all_orders(session))  # PB521
    """,
    "a list of objects that another function has loaded": """
        async def load(session: AsyncSession):
            return counts(list(await all_orders(session)))  # PB521
    """,
    "a function": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return count(order)  # PB521
    """,
    "a function by keyword": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return count(order=order)  # PB521
    """,
    "a function of a module": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return helpers.described(order)  # PB521
    """,
    "a function three calls away": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return helpers.three_times(order)  # PB521
    """,
    "a representation in a log": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            log.warning("cannot pay %s", str(order))  # PB521
    """,
    "a list": """
        async def load(session: AsyncSession):
            return counts((await session.scalars(select(Order))).all())  # PB521
    """,
    "elements of a list": """
        async def load(session: AsyncSession):
            return [count(order) for order in await all_orders(session)]  # PB521
    """,
    "a constructor": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return View(order, title="order")  # PB521
    """,
    "methods": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return Renderer().render("Order", order)  # PB521
    """,
    "a coroutine": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return await helpers.later(order)  # PB521
    """,
    "a property": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return order.size  # PB521
    """,
    "a property of a property": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return order.is_large  # PB521
    """,
    "a method of the model": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return order.keys()  # PB521
    """,
    "an association proxy": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return list(order.line_keys)  # PB521
    """,
    "a text": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return f"Order {order}"  # PB521
    """,
    "str": """
        async def load(session: AsyncSession):
            return str(await session.get_one(Order, 1))  # PB521
    """,
    "a helper that validates": """
        async def load(session: AsyncSession):
            return helpers.through_schema(await session.get_one(Order, 1))  # PB521
    """,
    "what a loaded object leads to": """
        async def load(session: AsyncSession):
            option = selectinload(Customer.orders)
            customer = await session.get_one(Customer, 1, options=[option])
            return counts(customer.orders)  # PB521
    """,
}
NOT_SERIALISED = {
    "loaded for the field of a model that is made": """
        async def load(session: AsyncSession):
            orders = (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
            return Page(items=orders, brief=await all_orders(session))
    """,
    "loaded for the property": """
        @app.get("/", response_model=Sized)
        async def load(session: SessionDep):
            return await session.get_one(Order, 1, options=[selectinload(Order.lines)])
    """,
    "loaded": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=[selectinload(Order.lines)])
            return OrderRead.model_validate(order)
    """,
    "the model has no such field": """
        async def load(session: AsyncSession):
            return OrderBrief.model_validate(await session.get_one(Order, 1))
    """,
    "loaded through the model inside the model": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders).selectinload(Order.lines))
            return CustomerRead.model_validate((await session.scalars(statement)).one())
    """,
    "refreshed": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.refresh(order, ["lines"])
            return OrderRead.model_validate(order)
    """,
    "the field reads another attribute": """
        async def load(session: AsyncSession):
            return Renamed.model_validate(await session.get_one(Order, 1))
    """,
    "a validator prepares the object": """
        async def load(session: AsyncSession):
            return Prepared.model_validate(await session.get_one(Order, 1))
    """,
    "in run_sync": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return await session.run_sync(lambda _: OrderRead.model_validate(order))
    """,
    "loaded by a helper": """
        async def fill(session: AsyncSession, order):
            await session.refresh(order, ["lines"])
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await fill(session, order)
            return OrderRead.model_validate(order)
    """,
    "a route that returns loaded objects": """
        @app.get("/", response_model=list[OrderRead])
        async def load(session: SessionDep):
            return (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
    """,
    "a route without response model": """
        @app.get("/", response_model=None)
        async def load(session: SessionDep) -> OrderRead:
            order = await session.get_one(Order, 1)
            return {"id": order.id}
    """,
    "a route whose other response model counts": """
        @app.get("/", response_model=OrderBrief)
        async def load(session: SessionDep) -> OrderRead:
            return await session.get_one(Order, 1)
    """,
    "a route that answers with what it read": """
        @app.get("/")
        async def load(session: SessionDep) -> OrderRead:
            order = await session.get_one(Order, 1)
            lines = (await session.scalars(select(Line))).all()
            return OrderRead(id=order.id, lines=[{"id": line.id} for line in lines])
    """,
}
NOT_HANDED_OVER = {
    name: f"""
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return {call}
    """
    for name, call in {
        "only when asked": "helpers.on_demand(order)",
        "only when asked, by an early return": "helpers.early(order)",
        "only what is loaded": "helpers.if_loaded(order)",
        "errors are handled": "helpers.handled(order)",
        "the helper refreshes": "await helpers.loads_itself(session, order)",
        "the helper loads again": "await helpers.loads_again(session, order)",
        "the helper awaits the attribute": "await helpers.awaits(order)",
        "the helper sets the attribute": "helpers.sets(order)",
        "a function that is not called": "helpers.read_later(order)",
        "a generator that nobody runs": "helpers.lazily(order)",
        "a function that is handed over": "await session.run_sync(lambda _: count(order))",
        "loaded by the mapping": "helpers.written(order)",
        "loaded by the mapping of another": "helpers.of_parcel(await session.get_one(Parcel, 1))",
        "a collection that only queries read": "helpers.collections_of_parcel(await session.get_one(Parcel, 1))",
        "made here with it": "count(Order(lines=[Line()]))",
        "made here": "count(Order(customer_id=1))",
        "a column": "order.id",
    }.items()
} | {
    "loaded": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=[selectinload(Order.lines)])
            return count(order), order.size, order.keys(), Renderer().render("Order", order)
    """,
    "refreshed": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.refresh(order, ["lines"])
            return order.size
    """,
    "contains_eager": """
        async def load(session: AsyncSession):
            statement = select(Order).join(Order.lines).options(contains_eager(Order.lines))
            return count((await session.scalars(statement)).unique().one())
    """,
    "awaitable attribute": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await order.awaitable_attrs.lines
            return count(order)
    """,
    "assigned before": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            order.customer = Customer(id=5)
            return helpers.described(order)
    """,
    "the target is in the identity map": """
        async def load(session: AsyncSession):
            customer = await session.get_one(Customer, 1)
            order = (await session.scalars(select(Order))).one()
            return helpers.described(order), customer
    """,
}


UNPROVED = {
    "models that refuse objects": """
        async def load(session: AsyncSession):
            orders = (await session.scalars(select(Order))).all()
            return Page(plain=orders), [Refusing.model_validate(order) for order in orders]
    """,
    "a record of the log that is not certain to be written": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            log.debug("%s", order)
            log.info("%d%%", order, order)
            log.info("%*s", 5, order)
    """,
    "a mapping that refuses": """
        async def load(session: AsyncSession):
            return helpers.refused_of_parcel(await session.get_one(Parcel, 1))
    """,
    "an option that refuses": """
        async def load(session: AsyncSession):
            return count(await session.get_one(Order, 1, options=[raiseload(Order.lines)]))
    """,
    "a parameter": """
        async def load(order: Order):
            return count(order), order.size, OrderRead.model_validate(order)
    """,
    "options that are not known": """
        async def load(session: AsyncSession, options):
            return count(await session.get_one(Order, 1, options=options))
    """,
    "a synchronous session": """
        from sqlalchemy.orm import Session
        def load(session: Session):
            return count(session.get_one(Order, 1))
    """,
}


def serialise(code: str) -> None:
    """Run `load` of a program, behind its route where it has one."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        models, program = modules["shop.models"], modules["program"]
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            order = models.Order(lines=[models.Line(), models.Line()])
            session.add(models.Customer(id=1, orders=[order]))
            session.add(models.Parcel(id=1, order=order))

        async def get_session() -> AsyncIterator[object]:
            async with factory() as session:
                yield session

        program.app.dependency_overrides[program.get_session] = get_session
        try:
            if "@app" in code:
                transport = httpx.ASGITransport(app=program.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    assert (await client.get("/")).status_code == 200
            else:
                async with factory() as session:
                    await program.load(session)
        finally:
            await engine.dispose()

    texts = {
        "shop.models": MODELS,
        "shop.queries": QUERIES,
        "shop.schemas": SCHEMAS,
        "shop.helpers": HELPERS,
        "program": code,
    }
    with imported(texts) as modules:
        asyncio.run(main())


def serialising(function: str) -> str:
    return SERIALISING + textwrap.dedent(function)


@pytest.mark.parametrize("source", HANDED_OVER.values(), ids=HANDED_OVER)
def test_handing_over_is_found_and_raises(source: str) -> None:
    code = serialising(source)
    (found,) = findings("lazy-load-in-async-call", code, files=FILES)
    assert len(found.related) >= 3
    with pytest.raises((MissingGreenlet, StatementError, ValidationError)) as caught:
        serialise(code)
    assert is_missing_greenlet(caught.value) or "MissingGreenlet" in str(caught.value)


@pytest.mark.parametrize("source", NOT_HANDED_OVER.values(), ids=NOT_HANDED_OVER)
def test_handing_over_is_silent_and_runs(source: str) -> None:
    code = serialising(source)
    assert findings("lazy-load-in-async-call", code, files=FILES) == []
    serialise(code)


@pytest.mark.parametrize("source", UNPROVED.values(), ids=UNPROVED)
def test_silent(source: str) -> None:
    assert findings("lazy-load-in-async-call", serialising(source), files=FILES) == []


@pytest.mark.parametrize("source", SERIALISED.values(), ids=SERIALISED)
def test_serialising_is_found_and_raises(source: str) -> None:
    code = serialising(source)
    assert findings("lazy-load-in-async-call", code, files=FILES)
    with pytest.raises((ValidationError, ResponseValidationError, MissingGreenlet)) as caught:
        serialise(code)
    assert "MissingGreenlet" in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("source", NOT_SERIALISED.values(), ids=NOT_SERIALISED)
def test_serialising_is_silent_and_runs(source: str) -> None:
    code = serialising(source)
    assert findings("lazy-load-in-async-call", code, files=FILES) == []
    serialise(code)


@pytest.mark.parametrize(
    "key",
    [
        "validation",
        "many-to-one",
        "a model inside the model",
        "a return annotation",
        "properties that the response names",
    ],
)
def test_fixed_serialising_runs(key: str) -> None:
    code = serialising(SERIALISED[key])
    after = fix("lazy-load-in-async-call", code, files=FILES)
    assert after != code
    serialise(after)


def test_relationships_of_a_table_that_is_the_response_model_are_no_fields() -> None:
    source = """
        from fastapi import Depends, FastAPI
        from sqlmodel import Field, Relationship, SQLModel
        from sqlmodel.ext.asyncio.session import AsyncSession

        app = FastAPI()

        class Team(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            heroes: list["Hero"] = Relationship(back_populates="team")

        class Hero(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            team_id: int | None = Field(default=None, foreign_key="team.id")
            team: Team | None = Relationship(back_populates="heroes")

        class TeamRead(SQLModel):
            id: int
            heroes: list[Hero] = []

        async def session() -> AsyncSession: ...

        @app.get("/teams/{key}")
        async def team(key: int, session: AsyncSession = Depends(session)) -> Team:
            return await session.get_one(Team, key)

        @app.get("/teams/{key}/heroes")
        async def heroes(key: int, session: AsyncSession = Depends(session)) -> TeamRead:
            return await session.get_one(Team, key)  # PB521
    """
    findings("lazy-load-in-async-call", source)
