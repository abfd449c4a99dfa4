"""What can be done with rooms."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from booking.rooms.models import Room


async def one(session: AsyncSession, room_id: int) -> Room:
    """A room."""
    return (await session.scalars(select(Room).where(Room.id == room_id))).one()


async def one_with_hotel(session: AsyncSession, room_id: int) -> Room:
    """A room together with its hotel."""
    statement = select(Room).where(Room.id == room_id).options(joinedload(Room.hotel))
    return (await session.scalars(statement)).one()


async def every(session: AsyncSession) -> Sequence[Room]:
    """All rooms."""
    return (await session.scalars(select(Room))).all()


def sign(room: Room) -> str:
    """The text of the sign at the door."""
    return f"{room.number} of {room.hotel.name}"
