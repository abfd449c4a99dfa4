"""How the time of a run grows with the number of files, on made-up projects that import as real ones do.

Each package holds models, queries, services, schemas and routes; a package imports a few of those before
it. All rules run in one process with the garbage collector off; the time is that of the processor. The
result is the time for a file, which would stay the same if a run grew exactly with its files.
"""

from __future__ import annotations

import argparse
import ast
import gc
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Settings
from pybackend_lint.source import Source

_PROJECT = """[project]
name = "grown"
version = "1"
requires-python = ">=3.11"
dependencies = ["fastapi>=0.128", "sqlalchemy>=2.0", "pydantic>=2.7"]
"""
_DATABASE = '''"""The session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine("postgresql+asyncpg:///grown")
factory = async_sessionmaker(engine)


class Base(DeclarativeBase):
    """The base of all tables."""


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
'''
_MODELS = '''"""Tables of part {n}."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grown.database import Base


class Owner{n}(Base):
    __tablename__ = "owners_{n}"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    things: Mapped[list[Thing{n}]] = relationship(back_populates="owner")


class Thing{n}(Base):
    __tablename__ = "things_{n}"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    amount: Mapped[int] = mapped_column(default=0)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners_{n}.id"))
    owner: Mapped[Owner{n}] = relationship(back_populates="things")

    @property
    def label(self) -> str:
        return f"{{self.title}} of {{self.owner.name}}"
'''
_QUERIES = '''"""Queries of part {n}."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from grown.part_{n}.models import Thing{n}
{imports}

async def one_{n}(session: AsyncSession, thing_id: int) -> Thing{n}:
    statement = select(Thing{n}).where(Thing{n}.id == thing_id).options(joinedload(Thing{n}.owner))
    return (await session.scalars(statement)).one()


async def all_{n}(session: AsyncSession) -> Sequence[Thing{n}]:
    return (await session.scalars(select(Thing{n}).order_by(Thing{n}.title))).all()


def total_{n}(things: Sequence[Thing{n}]) -> int:
    return sum(thing.amount for thing in things)


def totals_{n}(things: Sequence[Thing{n}]) -> list[int]:
    return [total_{n}(things){extras}]


def cheapest_{n}(things: Sequence[Thing{n}], limit: int = 10) -> list[Thing{n}]:
    found = sorted(things, key=lambda thing: thing.amount)
    if len(found) > limit:
        del found[limit:]
    return found


def titles_{n}(things: Sequence[Thing{n}]) -> dict[int, str]:
    found: dict[int, str] = {{}}
    for thing in things:
        if thing.title and thing.id not in found:
            found[thing.id] = thing.title.strip()
    return found
'''
_SERVICES = '''"""What can be done with part {n}."""

import asyncio
import logging

from sqlalchemy.ext.asyncio import AsyncSession

from grown.part_{n}.queries import all_{n}, one_{n}, total_{n}
{imports}
logger = logging.getLogger(__name__)


class Service{n}:
    """Things and what they cost."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def price(self, thing_id: int) -> int:
        thing = await one_{n}(self.session, thing_id)
        return self.taxed(thing.amount)

    def taxed(self, amount: int) -> int:
        return rounded_{n}(amount * 119 // 100)

    async def value(self) -> int:
        things = await all_{n}(self.session)
        return await asyncio.to_thread(total_{n}, things)

    async def move(self, thing_id: int, owner_id: int) -> None:
        thing = await one_{n}(self.session, thing_id)
        if thing.owner_id == owner_id:
            logger.info("thing %s stays where it is", thing_id)
            return
        thing.owner_id = owner_id
        await self.session.commit()


def rounded_{n}(amount: int) -> int:
    try:
        return round(amount)
    except ValueError:
        logger.exception("cannot round")
        return 0


def summed_{n}(amount: int) -> int:
    return rounded_{n}(amount){calls}
'''
_SCHEMAS = '''"""What the API shows of part {n}."""

from pydantic import BaseModel, ConfigDict


class Owner{n}Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str


class Thing{n}Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    owner: Owner{n}Out
'''
_ROUTES = '''"""Routes of part {n}."""

from fastapi import APIRouter

from grown.database import Session
from grown.part_{n}.queries import one_{n}
from grown.part_{n}.schemas import Thing{n}Out
from grown.part_{n}.services import Service{n}

router = APIRouter(prefix="/things-{n}")


@router.get("/{{thing_id}}", response_model=Thing{n}Out)
async def thing(thing_id: int, session: Session):
    return await one_{n}(session, thing_id)


@router.get("/{{thing_id}}/label")
async def label(thing_id: int, session: Session) -> str:
    found = await one_{n}(session, thing_id)
    return found.label


@router.post("/{{thing_id}}/owner/{{owner_id}}")
async def move(thing_id: int, owner_id: int, session: Session) -> None:
    await Service{n}(session).move(thing_id, owner_id)


@router.get("/{{thing_id}}/price")
async def price(thing_id: int, session: Session) -> int:
    return await Service{n}(session).price(thing_id)
'''
_FILES = {
    "__init__.py": "",
    "models.py": _MODELS,
    "queries.py": _QUERIES,
    "services.py": _SERVICES,
    "schemas.py": _SCHEMAS,
    "routes.py": _ROUTES,
}


def grow(root: Path, files: int) -> list[Path]:
    """Write a project of so many files; every part imports from up to three of the twenty before it."""
    choose = random.Random(files)
    written = {"pyproject.toml": _PROJECT, "grown/__init__.py": "", "grown/database.py": _DATABASE}
    for n in range((files - 2) // len(_FILES)):
        before = sorted({choose.randint(max(0, n - 20), n - 1) for _ in range(3)}) if n else []
        words = {
            "_QUERIES": "".join(f"from grown.part_{m}.queries import total_{m}\n" for m in before),
            "_SERVICES": "".join(f"from grown.part_{m}.services import rounded_{m}\n" for m in before),
            "extras": "".join(f", total_{m}([])" for m in before),
            "calls": "".join(f" + rounded_{m}(amount)" for m in before),
        }
        for name, template in _FILES.items():
            imports = words.get({"queries.py": "_QUERIES", "services.py": "_SERVICES"}.get(name, ""), "")
            text = template.format(n=n, imports=imports, extras=words["extras"], calls=words["calls"])
            written[f"grown/part_{n}/{name}"] = text
    for name, text in written.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sorted(root.rglob("*.py"))


def parse_seconds(contents: Sequence[tuple[Path, bytes]]) -> float:
    """The time to parse all files once."""
    start = time.process_time()
    for _, data in contents:
        ast.parse(data)
    return time.process_time() - start


def check_seconds(root: Path, contents: Sequence[tuple[Path, bytes]]) -> float:
    """The time to check all files with all rules, parsing included."""
    start = time.process_time()
    engine = Engine(Settings(root=root, opt_in=True))
    for path, data in contents:
        engine.check(Source(str(path), data), path)
    return time.process_time() - start


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 3_000, 10_000])
    first: float | None = None
    print("| files | to parse, ms a file | to check, ms a file | against the first |")
    print("|---:|---:|---:|---:|")
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory).resolve()
            contents = [(path, path.read_bytes()) for path in grow(root, size)]
            gc.collect()
            gc.disable()
            parsed, checked = parse_seconds(contents), check_seconds(root, contents)
            gc.enable()
        ratio = checked / parsed
        first = first or ratio
        each = [f"{seconds * 1000 / len(contents):.2f}" for seconds in (parsed, checked)]
        print(
            f"| {len(contents):,} | {each[0]} | {each[1]} | {ratio:.2f} | {ratio / first:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
