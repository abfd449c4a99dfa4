"""Where a rule stays silent on purpose, as far as the tables of the rules do not say so."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.rules.harness import findings

MODELS = """
    from django.db import models
    class Author(models.Model):
        name = models.CharField(max_length=20)
    class Book(models.Model):
        author = models.ForeignKey(Author, models.CASCADE, related_name="books")
        title = models.CharField(max_length=20)
"""
ORDERS = """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
    class Base(DeclarativeBase): ...
    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
    factory = sessionmaker(create_engine("postgresql:///shop"))
    def first(session: Session) -> Order | None:
        return session.get(Order, 1)
"""
SILENT: Mapping[str, tuple[str, str]] = {
    "a loop that waits for a row": (
        "PB105",
        """
        import time
        from shop.models import Book
        def wait():
            while not Book.objects.filter(title="a").exists():
                time.sleep(1)
        """,
    ),
    "attempts to read a row": (
        "PB105",
        """
        from shop.models import Book
        def read(key):
            for attempt in range(3):
                try:
                    return Book.objects.get(pk=key)
                except Book.DoesNotExist:
                    continue
        """,
    ),
    "rows until there is none left": (
        "PB526",
        """
        from sqlalchemy import select
        from sqlalchemy.orm import Session
        from shop.orders import Order
        def all_of(session: Session) -> None:
            last = 0
            while rows := session.scalars(select(Order).where(Order.id > last).limit(100)).all():
                last = rows[-1].id
        """,
    ),
    "a name that is given to a filtered relation": (
        "PB130",
        """
        from django.db.models import FilteredRelation, Q
        from shop.models import Author
        def authors():
            short = FilteredRelation("books", condition=Q(books__title="a"))
            return Author.objects.annotate(short=short).filter(short__title="a")
        """,
    ),
    "a session that another thread uses": (
        "PB537",
        """
        from starlette.concurrency import run_in_threadpool
        from shop.orders import factory, first
        async def order():
            with factory() as session:
                return await run_in_threadpool(first, session)
        """,
    ),
    "tasks that a list holds": (
        "PB609",
        """
        import asyncio
        tasks = []
        async def work(): ...
        async def start():
            tasks.append(asyncio.create_task(work()))
        """,
    ),
    "a task of the framework": (
        "PB607",
        """
        from starlette.background import BackgroundTask
        from starlette.responses import PlainTextResponse
        async def work(): ...
        async def start():
            return PlainTextResponse("a", background=BackgroundTask(work))
        """,
    ),
    "coroutines that are kept, passed on or closed": (
        "PB607",
        """
        import asyncio
        async def work(): ...
        class Jobs:
            def __init__(self):
                self.pending = [work()]
                self.next = work()
                self.named = {"a": work()}
        async def start():
            await asyncio.gather(work(), work())
            await asyncio.wait_for(work(), 3)
            work().close()
        def give():
            return work()
        def each():
            yield work()
        """,
    ),
    "a method that says nothing yet": (
        "PB608",
        """
        from abc import ABC, abstractmethod
        from typing import Any, Protocol
        class Source(Protocol):
            def read(self) -> Any: ...
        class Base(ABC):
            @abstractmethod
            def read(self): ...
        async def use(source: Source, base: Base, anything: Any):
            await source.read()
            await base.read()
            await anything()
        """,
    ),
    "what is computed once": (
        "PB600",
        """
        from functools import lru_cache
        import requests
        @lru_cache
        def keys():
            return requests.get("https://example.org/keys", timeout=3).json()
        async def check():
            return keys()
        """,
    ),
    "a dependency that runs in a thread": (
        "PB600",
        """
        from typing import Annotated
        import requests
        from fastapi import APIRouter, Depends
        router = APIRouter()
        def rates():
            return requests.get("https://example.org/rates", timeout=3).json()
        @router.get("/")
        async def show(found: Annotated[dict, Depends(rates)]):
            return found
        """,
    ),
}
FILES = {
    "PB105": {"shop/models.py": MODELS},
    "PB130": {"shop/models.py": MODELS},
    "PB526": {"shop/orders.py": ORDERS},
    "PB537": {"shop/orders.py": ORDERS},
}


@pytest.mark.parametrize(("rule", "source"), SILENT.values(), ids=SILENT)
def test_silent(rule: str, source: str) -> None:
    assert findings(rule, source, files=FILES.get(rule)) == []


def test_migrations_run_once() -> None:
    source = """
        from django.db import migrations
        from shop.models import Author, Book
        def forwards(apps, schema_editor):
            for author in Author.objects.all():
                Book.objects.get(title=author.name)
        class Migration(migrations.Migration):
            operations = [migrations.RunPython(forwards)]
    """
    files = {"shop/models.py": MODELS, "shop/migrations/__init__.py": ""}
    assert findings("PB105", source, files=files, path="shop/migrations/0002_titles.py") == []
