"""The documented examples run under the real frameworks: the bad one shows the fault, the good one does not."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import fastapi
import pytest
import sqlalchemy
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import FastAPIError
from fastapi.testclient import TestClient
from packaging.version import Version
from pydantic import ValidationError
from sqlalchemy import create_engine, event, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError
from sqlmodel import SQLModel

from tests.rules.harness import documentation, entry_of, examples, write

installed = Version(fastapi.__version__)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Imports the first documented example of a rule, with the other files of its project."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in {"shop", "example"}]:
            del sys.modules[name]
        SQLModel.metadata.clear()  # which knows the tables of all modules

    def imported(rule: str, title: str) -> ModuleType:
        forget()
        bad, example = (examples(documentation(entry_of(rule)), which)[0] for which in ("Bad", title))
        root = tmp_path / title.lower()
        write(root, {**bad.files, **example.files, example.path: example.text})
        for folder in [path for path in root.rglob("*") if path.is_dir()]:  # no other `shop` hides them
            (folder / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(root))
        importlib.invalidate_caches()
        return importlib.import_module(example.path.removesuffix(".py").replace("/", "."))

    yield imported
    forget()


# Routes


def answer(module: ModuleType, method: str, path: str, **more: Any) -> tuple[int, object]:
    """Status and content of an answer of the example's application, or of one with its router."""
    app = getattr(module, "app", None)
    if app is None:
        app = FastAPI()
        app.include_router(module.router)
    done = TestClient(app, raise_server_exceptions=False).request(method, path, **more)
    is_json = done.headers.get("content-type") == "application/json"
    return done.status_code, done.json() if is_json and done.content else None


ROUTES: Mapping[str, tuple[str, str, dict[str, Any], Callable[[int, Any], bool]]] = {
    # rule: method, path, what is sent, whether an answer shows the fault
    "PB308": ("GET", "/items/7", {}, lambda status, _: status == 422),
    "PB309": ("GET", "/users/me", {}, lambda status, _: status == 422),
    "PB326": ("GET", "/orders/", {"params": {"status": "new"}}, lambda _, content: content == []),
    "PB328": ("GET", "/users/1", {}, lambda _, content: "hashed_password" in content),
}


@pytest.mark.parametrize("rule", ROUTES)
def test_answers(rule: str, load: Callable[..., ModuleType]) -> None:
    method, path, sent, is_fault = ROUTES[rule]
    for title, expected in (("Bad", True), ("Good", False)):
        status, content = answer(load(rule, title), method, path, **sent)
        assert is_fault(status, content) is expected, (title, status, content)
        assert expected or status == 200


def test_without_a_model_all_columns_are_sent(load: Callable[..., ModuleType]) -> None:
    for title, expected in (("Bad", {"id": 1, "password_hash": "secret"}), ("Good", {"id": 1})):
        module = load("PB327", title)
        user = sys.modules["shop.models"].User(id=1, password_hash="secret")
        module.services.get_user = lambda _, user=user: user
        assert answer(module, "GET", "/users/1") == (200, expected)


def test_the_second_of_two_routes_is_never_reached(load: Callable[..., ModuleType]) -> None:
    def reached(title: str) -> set[str]:
        app = load("PB310", title).app
        scopes = []

        async def remember(scope: Any, receive: Any, send: Any) -> None:
            scopes.append(scope)
            await app(scope, receive, send)

        for path in ("/orders/1", "/orders/orders/1", "/carts/orders/1"):
            TestClient(remember).get(path)
        return {scope["endpoint"].__name__ for scope in scopes if "endpoint" in scope}

    assert reached("Bad") == {"order"}
    assert reached("Good") == {"order", "ordered_cart"}


def test_a_router_that_is_included_twice_doubles_its_operations(load: Callable[..., ModuleType]) -> None:
    def duplicates(title: str) -> bool:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            load("PB311", title).app.openapi()
        return any("Duplicate Operation ID" in str(item.message) for item in raised)

    assert duplicates("Bad")
    assert not duplicates("Good")


def test_a_prefix_without_slash_is_refused(load: Callable[..., ModuleType]) -> None:
    with pytest.raises(AssertionError, match="prefix"):
        load("PB313", "Bad")
    load("PB313", "Good")


def test_a_class_without_schema_is_refused(load: Callable[..., ModuleType]) -> None:
    with pytest.raises(FastAPIError, match="response_model"):
        load("PB331", "Bad")
    load("PB331", "Good")


def test_an_answer_without_content_has_none(load: Callable[..., ModuleType]) -> None:
    assert load("PB332", "Bad").delete_order(1) is not None
    assert answer(load("PB332", "Bad"), "DELETE", "/orders/1")[1] is None
    assert load("PB332", "Good").delete_order(1) is None


def test_a_default_that_the_route_gets_when_it_is_called_as_a_function(
    load: Callable[..., ModuleType],
) -> None:
    class Orders:
        def orders(self, status: str, limit: int) -> list[str]:
            return [status] * limit

    with pytest.raises(TypeError):
        load("PB303", "Bad").orders("open", Orders())
    assert len(load("PB303", "Good").orders("open", Orders())) == 50
    for title in ("Bad", "Good"):
        assert answer(load("PB303", title), "GET", "/orders", params={"status": "open"}) == (200, [])


def test_a_route_that_is_called_as_a_function(load: Callable[..., ModuleType]) -> None:
    with pytest.raises(TypeError, match="slice"):
        load("PB304", "Bad").report()
    assert load("PB304", "Good").report() == 100


def test_what_a_dependency_gives_is_no_dependency(load: Callable[..., ModuleType]) -> None:
    with pytest.raises((AssertionError, TypeError), match="callable"):
        load("PB305", "Bad").router.get("/")(lambda: 1)
    module = load("PB305", "Good")
    module.router.get("/")(lambda: 1)
    assert answer(module, "GET", "/") == (200, 1)


def test_a_route_behind_the_inclusion_of_its_router(load: Callable[..., ModuleType]) -> None:
    late = (404, {"detail": "Not Found"}) if installed < Version("0.137") else (200, [])
    assert answer(load("PB312", "Bad"), "GET", "/orders/") == late
    assert answer(load("PB312", "Good"), "GET", "/orders/") == (200, [])


def test_a_dependency_that_swallows_the_answer(load: Callable[..., ModuleType]) -> None:
    def sold_out(_: object) -> None:
        raise HTTPException(409, "Sold out")

    def order(title: str) -> int:
        load("PB321", title)
        routes = importlib.import_module("shop.routes")
        routes.Session.commit = sold_out
        return answer(routes, "POST", "/orders")[0]

    assert order("Bad") == 500
    assert order("Good") == 409


def test_a_session_is_closed_before_the_task_that_gets_it(load: Callable[..., ModuleType]) -> None:
    def happens(title: str) -> list[str]:
        done: list[str] = []
        module = load("PB323", title)

        def send(*given: object) -> None:
            done.append(f"sent with {len(given) - 1} sessions")

        vars(module)["send_invoice"] = send
        if title == "Bad":
            sys.modules["shop.database"].Session.close = lambda _: done.append("closed")
        assert answer(module, "POST", "/orders/1/invoice")[0] == 200
        return done

    closed_first = Version("0.106") <= installed < Version("0.118")
    bad = ["closed", "sent with 1 sessions"] if closed_first else ["sent with 1 sessions", "closed"]
    assert happens("Bad") == bad
    assert happens("Good") == ["sent with 0 sessions"]


def test_a_body_that_nobody_checks(load: Callable[..., ModuleType]) -> None:
    assert answer(load("PB325", "Bad"), "POST", "/orders", json={"customer": 1})[0] == 500
    assert answer(load("PB325", "Good"), "POST", "/orders", json={"customer": 1})[0] == 422
    for title in ("Bad", "Good"):
        sent = {"customer": 1, "items": [1, 2]}
        assert answer(load("PB325", title), "POST", "/orders", json=sent) == (200, 2)


def test_an_object_is_no_dictionary(load: Callable[..., ModuleType]) -> None:
    for title in ("Bad", "Good"):
        module = load("PB330", title)
        order = sys.modules["shop.models"].Order(id=1)
        if title == "Bad":
            with pytest.raises(ValidationError):
                module.describe(order)
        else:
            assert module.describe(order).id == 1


def test_nobody_reads_the_parameter_of_the_path(load: Callable[..., ModuleType]) -> None:
    for title, read in (("Bad", False), ("Good", True)):
        app = FastAPI()
        app.include_router(load("PB306", title).router)
        (operation,) = (item["get"] for item in app.openapi()["paths"].values())
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert ("order_id" in names) is read


# SQLAlchemy


def tables(module: ModuleType) -> Any:
    """The metadata of the example's mapped classes."""
    name = next(name for name in sys.modules if name in {"shop.models", "shop.orders"})
    return sys.modules[name].Base.metadata


def fill(connection: sqlalchemy.Connection, metadata: Any, rows: int) -> None:
    """Create the tables of an example, with so many rows in each."""
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        for number in range(1, rows + 1):
            values = {
                column.name: "a" if isinstance(column.type, sqlalchemy.String) else number
                for column in table.columns
            }
            connection.execute(insert(table).values(values))


@pytest.mark.parametrize(
    ("rule", "call"), [("PB520", "order_total"), ("PB523", "create_order")], ids=["PB520", "PB523"]
)
def test_attributes_that_need_a_query_in_a_coroutine(
    rule: str, call: str, load: Callable[..., ModuleType]
) -> None:
    async def run(title: str) -> None:
        module = load(rule, title)
        database = sys.modules["shop.database"]
        async with database.engine.begin() as connection:
            await connection.run_sync(fill, tables(module), 2)
        async with database.factory() as session:
            await getattr(module, call)(session, 1)

    with pytest.raises(SQLAlchemyError, match="greenlet_spawn"):
        asyncio.run(run("Bad"))
    asyncio.run(run("Good"))


def test_attributes_that_a_route_answers_with_need_a_query(load: Callable[..., ModuleType]) -> None:
    def read(title: str) -> tuple[int, object]:
        module = load("PB521", title)
        database = sys.modules["shop.database"]

        async def create() -> None:
            async with database.engine.begin() as connection:
                await connection.run_sync(fill, tables(module), 1)

        asyncio.run(create())
        return answer(module, "GET", "/orders/1")

    assert read("Bad")[0] == 500
    assert read("Good") == (200, {"id": 1, "lines": [{"price": 1}]})


def test_what_a_commit_expires_needs_a_query(load: Callable[..., ModuleType]) -> None:
    async def create(title: str) -> int:
        module = load("PB522", title)
        orders = importlib.import_module("shop.orders")
        async with module.engine.begin() as connection:
            await connection.run_sync(orders.Base.metadata.create_all)
        async with module.factory() as session:
            key = await orders.create_order(session, 7)
        assert isinstance(key, int)
        return key

    with pytest.raises(SQLAlchemyError, match="greenlet_spawn"):
        asyncio.run(create("Bad"))
    assert asyncio.run(create("Good")) == 1


def test_objects_of_a_closed_session(load: Callable[..., ModuleType]) -> None:
    def run(title: str) -> None:
        module = load("PB524", title)
        engine = sys.modules["shop.orders"].engine
        with engine.begin() as connection:
            fill(connection, tables(module), 2)
        module.print_order(1)

    with pytest.raises(DetachedInstanceError):
        run("Bad")
    run("Good")


@pytest.mark.parametrize("rule", ["PB525", "PB526"])
def test_queries_for_each_row(rule: str, load: Callable[..., ModuleType]) -> None:
    def count(title: str, rows: int) -> int:
        module = load(rule, title)
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            fill(connection, tables(module), rows)
        sent: list[str] = []
        with Session(engine) as session:
            orders = session.scalars(sqlalchemy.select(module.Order)).all() if rule == "PB526" else []
            event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
            if rule == "PB526":
                module.customer_names(session, orders)
            else:
                module.lines_per_order(session)
        return len(sent)

    assert count("Bad", 6) == count("Bad", 2) + 4
    assert count("Good", 6) == count("Good", 2)


# Coroutines


def test_what_is_no_coroutine_cannot_be_awaited(load: Callable[..., ModuleType]) -> None:
    with pytest.raises(TypeError, match="await"):
        asyncio.run(load("PB608", "Bad").quote("tea", 2))
    assert asyncio.run(load("PB608", "Good").quote("tea", 2)) > 0


def test_a_task_that_nobody_holds_is_collected(load: Callable[..., ModuleType]) -> None:
    async def finishes(title: str) -> bool:
        sent = []

        async def send(order_id: str) -> None:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            answers.add(waiting)  # weakly, as the loop itself holds its tasks
            await waiting
            sent.append(order_id)

        answers: weakref.WeakSet[asyncio.Future[None]] = weakref.WeakSet()
        module = load("PB609", title)
        vars(module)["send_receipt"] = send
        await module.finish("7")
        await asyncio.sleep(0)
        gc.collect()
        for waiting in answers:
            waiting.set_result(None)
        await asyncio.sleep(0.01)
        return sent == ["7"]

    assert not asyncio.run(finishes("Bad"))
    assert asyncio.run(finishes("Good"))


def test_a_thread_runs_no_coroutine(
    load: Callable[..., ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(RuntimeWarning, match="never awaited"):
        asyncio.run(load("PB635", "Bad").month_end("May"))
    assert capsys.readouterr().out == ""
    asyncio.run(load("PB635", "Good").month_end("May"))
    assert capsys.readouterr().out == "report May\n"


def test_a_generator_that_is_left_cleans_up_later(load: Callable[..., ModuleType]) -> None:
    async def held(title: str) -> int:
        module = load("PB627", title)
        assert await module.first_unpaid("ada") == 1
        return int(sys.modules["shop.database"].pool.used)

    assert asyncio.run(held("Bad")) == 1
    assert asyncio.run(held("Good")) == 0
