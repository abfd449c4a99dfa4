"""The session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine("postgresql+asyncpg:///booking")
factory = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The base of all tables."""


async def get_session() -> AsyncIterator[AsyncSession]:
    """The session of a request."""
    async with factory() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
