"""Traps of sync-session-in-async."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings

HEADER = """
import asyncio

from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from shop.models import User

engine = create_engine("postgresql+psycopg://localhost/shop")
factory = sessionmaker(engine)

"""
FILES = {
    "shop/models.py": """
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        class Base(DeclarativeBase):
            pass

        class User(Base):
            __tablename__ = "users"

            id: Mapped[int] = mapped_column(primary_key=True)
    """
}

SILENT = {
    "before the application serves requests": """
        async def warm_up_connections(session: Session) -> None:
            session.get(User, 1)
    """,
    "an asynchronous session": "async def load(session: AsyncSession): return await session.get(User, 1)",
    "a plain function": "def load(session: Session): return session.get(User, 1)",
    "a lambda for run_sync": """
        async def load(session: AsyncSession):
            return await session.run_sync(lambda inner: inner.query(User).all())
    """,
    "a function inside for a thread": """
        async def load(session: Session):
            def inner():
                return session.get(User, 1)
            return await asyncio.to_thread(inner)
    """,
    "no I/O": """
        async def load(session: Session):
            session.add(User())
            session.expunge_all()
    """,
    "only built": "async def load(session: Session): return session.query(User).filter(User.id == 1)",
    "a dictionary of the session": "async def load(session: Session): return session.info.get('tenant')",
    "a script": """
        async def main():
            with factory() as session:
                session.commit()
        asyncio.run(main())
    """,
    "type unknown": "async def load(session): return session.execute(select(User))",
    "another library's session": """
        import aiohttp
        async def load(session: aiohttp.ClientSession): return await session.get("https://example.com")
    """,
}

FOUND = {
    "execute": "async def load(session: Session): return session.execute(select(User)).all()  # PB537",
    "commit of a with block": """
        async def save():
            with factory() as session:
                session.add(User())
                session.commit()  # PB537
    """,
    "once for each session": """
        async def copy(source: Session, target: Session):
            for user in source.scalars(select(User)):  # PB537
                target.merge(user)  # PB537
            target.commit()
    """,
    "a query": "async def load(session: Session): return session.query(User).filter(User.id == 1).all()  # PB537",
    "a connection": """
        async def load():
            with engine.connect() as connection:
                return connection.execute(select(User)).all()  # PB537
    """,
    "a session kept by an object": """
        class Users:
            def __init__(self) -> None:
                self.session = factory()

            async def one(self, key: int):
                return self.session.get(User, key)  # PB537
    """,
    "Flask-SQLAlchemy": """
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()
        async def load(): return db.session.get(User, 1)  # PB537
    """,
    "SQLModel": """
        from sqlmodel import Session as ModelSession
        async def load(session: ModelSession): return session.exec(select(User)).all()  # PB537
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("sync-session-in-async", program(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("sync-session-in-async", program(source), files=FILES)


ORIGINS = {
    "an alias": ("from shop.database import Db", "db: Db", "db.get(User, 1)", 12),
    "a dependency": (
        "from fastapi import Depends\nfrom shop.database import get_db",
        "db: Session = Depends(get_db)",
        "db.get(User, 1)",
        8,
    ),
    "a factory": ("from shop.database import factory as open_one", "", "open_one().get(User, 1)", 5),
    "a registry": ("from shop import database", "", "database.registry.get(User, 1)", 6),
}


@pytest.mark.parametrize(("imports", "parameter", "call", "row"), ORIGINS.values(), ids=ORIGINS)
def test_where_the_session_comes_from(imports: str, parameter: str, call: str, row: int) -> None:
    database = """
        from typing import Annotated
        from fastapi import Depends
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session, scoped_session, sessionmaker
        factory = sessionmaker(create_engine("postgresql:///shop"))
        registry = scoped_session(factory)

        def get_db():
            with factory() as session:
                yield session

        Db = Annotated[Session, Depends(get_db)]
    """
    files = {**FILES, "shop/database.py": database}
    source = f"{HEADER}{imports}\n\nasync def load({parameter}):\n    return {call}  # PB537\n"
    (found,) = findings("sync-session-in-async", source, files=files)
    assert [(place.path.endswith("shop/database.py"), place.start.row) for place in found.related] == [
        (True, row)
    ]
