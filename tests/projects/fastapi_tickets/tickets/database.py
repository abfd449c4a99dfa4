"""Sessions: of the routes, and of the pages."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_async_engine("postgresql+asyncpg:///tickets")
factory = async_sessionmaker(engine)  # PB522
page_factory = sessionmaker(create_engine("postgresql+psycopg:///tickets"))


class Base(DeclarativeBase):
    """The base of all tables."""


async def get_session() -> AsyncIterator[AsyncSession]:
    """The session of a request."""
    async with factory() as session:
        yield session


def get_page_session() -> Iterator[Session]:
    """The session of a page that is made in a thread."""
    with page_factory() as session:
        yield session


Database = Annotated[AsyncSession, Depends(get_session)]
Pages = Annotated[Session, Depends(get_page_session)]
