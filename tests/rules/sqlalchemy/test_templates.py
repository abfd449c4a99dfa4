"""What templates load of the objects that they are given: PB525 and PB521, and a proof under Jinja."""

from __future__ import annotations

import asyncio

import jinja2
import pytest
from sqlalchemy import create_engine, event, select
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import is_missing_greenlet

MODELS = """
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship()
    lines: Mapped[list[Line]] = relationship()

    @property
    def size(self) -> int:
        return len(self.lines)

    def label(self) -> str:
        return f"{self.id}: {self.customer.id}"
"""
ROWS = 5

# What a page shows of orders: the relationship that it loads for each, None for pages that load nothing.
PAGES = {
    "{% for order in orders %}{{ order.customer.id }}{% endfor %}": "customer",
    "{% for order in orders %}{{ order.size }}{% endfor %}": "lines",
    "{% for order in orders %}{{ order.label() }}{% endfor %}": "customer",
    "{% for order in orders %}{% for line in order.lines %}{{ line.id }}{% endfor %}{% endfor %}": "lines",
    "{% for order in orders %}{% if order.lines %}some{% endif %}{% endfor %}": "lines",
    "{% for order in orders %}{% set customer = order.customer %}{{ customer.id }}{% endfor %}": "customer",
    "{% for order in orders %}{% include 'row.html' %}{% endfor %}": "customer",
    "{% from 'rows.html' import row %}{% for order in orders %}{{ row(order) }}{% endfor %}": "customer",
    "{% set shown %}{% for order in orders %}{{ order.size }}{% endfor %}{% endset %}{{ shown }}": "lines",
    "{% for order in orders %}{{ order.id }}{{ order.customer_id }}{% endfor %}": None,
    "{% for order in orders %}{% if detailed %}{{ order.customer.id }}{% endif %}{% endfor %}": None,
    "{% for order in orders %}{{ order.size if detailed else order.id }}{% endfor %}": None,
    "{% for order in orders %}{{ order.label }}{% endfor %}": None,
    "{% for order in orders %}{% endfor %}{{ order }}": None,
    "{# {% for order in orders %}{{ order.size }}{% endfor %} #}": None,
    "{{ orders | length }}": None,
}
OTHERS = {
    "row.html": "{{ order.customer.id }}",
    "rows.html": "{% macro row(o) %}{{ o.customer.id }}{% endmacro %}",
}

FLASK = """
from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Order


def page(session: Session):
    orders = session.scalars(select(Order)).all()
    return render_template("page.html", orders=orders)  {marker}
"""
FASTAPI = """
from fastapi import Request
from fastapi.templating import Jinja2Templates
from sqlalchemy import select
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Order

templates = Jinja2Templates("shop/templates")


async def page(request: Request, session: AsyncSession):
    orders = (await session.scalars(select(Order))).all()
    return templates.TemplateResponse({arguments})  {marker}
"""
NEW, OLD = "request, 'page.html', {'orders': orders}", "'page.html', {'request': request, 'orders': orders}"


def files(page: str) -> dict[str, str]:
    """The files of the shop around a view."""
    pages = {"page.html": page, **OTHERS}
    return {"shop/models.py": MODELS, **{f"shop/templates/{name}": text for name, text in pages.items()}}


def environment(page: str) -> jinja2.Environment:
    """Jinja with the templates of the shop."""
    return jinja2.Environment(loader=jinja2.DictLoader({"page.html": page, **OTHERS}))


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_a_synchronous_session(page: str) -> None:
    relation = PAGES[page]
    marker = "# PB525" if relation else ""
    found = findings("PB525", FLASK.format(marker=marker), files=files(page), path="shop/views.py")
    assert [finding.message.split("`")[1] for finding in found] == [f"Order.{relation}"] * bool(relation)
    with imported({"shop.models": MODELS}) as modules:
        models = modules["shop.models"]
        engine = create_engine("sqlite://", poolclass=StaticPool)
        models.Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(
                models.Order(customer=models.Customer(), lines=[models.Line()]) for _ in range(ROWS)
            )
            session.commit()
        sent: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
        with Session(engine) as session:
            orders = session.scalars(select(models.Order)).all()
            environment(page).get_template("page.html").render(orders=orders)
        assert len(sent) == (1 + ROWS if relation else 1)
        engine.dispose()


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_an_asynchronous_session(page: str) -> None:
    marker = "# PB521" if PAGES[page] else ""
    source = FASTAPI.replace("{arguments}", NEW).replace("{marker}", marker)
    findings("PB521", source, files=files(page), path="shop/views.py")

    async def shown() -> None:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add(models.Order(customer=models.Customer(), lines=[models.Line()]))
            await session.commit()
        try:
            async with AsyncSession(engine) as session:
                orders = (await session.scalars(select(models.Order))).all()
                environment(page).get_template("page.html").render(orders=orders)
        finally:
            await engine.dispose()

    with imported({"shop.models": MODELS}) as modules:
        models = modules["shop.models"]
        if PAGES[page] is None:
            asyncio.run(shown())
        else:
            with pytest.raises((MissingGreenlet, StatementError)) as caught:
                asyncio.run(shown())
            assert is_missing_greenlet(caught.value)


def test_one_object() -> None:
    page = "{{ order.customer.id }}"
    view = FLASK.replace("session.scalars(select(Order)).all()", "session.get(Order, 1)").replace(
        "orders", "order"
    )
    assert findings("PB525", view.format(marker=""), files=files(page), path="shop/views.py") == []
    view = (
        FASTAPI.replace("{arguments}", NEW)
        .replace("(await session.scalars(select(Order))).all()", "await session.get(Order, 1)")
        .replace("orders", "order")
        .replace("{marker}", "# PB521")
    )
    (found,) = findings("PB521", view, files=files(page), path="shop/views.py")
    assert found.message == "Load `Order.customer` with `joinedload()`: `page.html` reads it outside `await`"
    assert found.related[0].path.endswith("page.html")


@pytest.mark.parametrize(
    ("arguments", "finds"),
    [
        (NEW, True),
        (OLD, True),
        ("request=request, name='page.html', context={'orders': orders}", True),
        ("request, name, {'orders': orders}", False),
        ("request, 'page.html', {'all_orders': orders}", False),
        ("request, 'missing.html', {'orders': orders}", False),
        ("request, 'page.html', shown(orders)", False),
    ],
)
def test_ways_to_render(arguments: str, finds: bool) -> None:
    source = FASTAPI.replace("{arguments}", arguments).replace("{marker}", "# PB521" * finds)
    page = "{% for order in orders %}{{ order.customer.id }}{% endfor %}"
    findings("PB521", source, files=files(page), path="shop/views.py")


def test_fix() -> None:
    page = "{% for order in orders %}{{ order.lines }}{{ order.customer }}{% endfor %}"
    fixed = fix("PB525", FLASK.format(marker=""), files=files(page), path="shop/views.py")
    assert "joinedload(Order.customer)" in fixed
    assert "selectinload(Order.lines)" in fixed


def test_loaded() -> None:
    page = "{% for order in orders %}{{ order.lines }}{% endfor %}"
    view = FLASK.replace("select(Order)", "select(Order).options(selectinload(Order.lines))").replace(
        "import Session", "import Session, selectinload"
    )
    assert findings("PB525", view.format(marker=""), files=files(page), path="shop/views.py") == []
