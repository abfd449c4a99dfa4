"""Routes of rooms."""

from fastapi import APIRouter

from booking.database import Session
from booking.partners import availability, notify, rating, rating_in_thread
from booking.rooms.schemas import RoomOut, RoomRow
from booking.rooms.service import every, one, one_with_hotel, sign

router = APIRouter()


@router.get("/{room_id}/hotel")
async def hotel(room_id: int, session: Session) -> str:
    room = await one(session, room_id)
    return room.hotel.name  # PB520


@router.get("/{room_id}/hotel-at-once")
async def hotel_at_once(room_id: int, session: Session) -> str:
    room = await one_with_hotel(session, room_id)
    return room.hotel.name


@router.get("/{room_id}/sign")
async def door(room_id: int, session: Session) -> str:
    room = await one(session, room_id)
    return sign(room)  # PB521


@router.get("/{room_id}/sign-at-once")
async def door_at_once(room_id: int, session: Session) -> str:
    room = await one_with_hotel(session, room_id)
    return sign(room)


@router.get("/{room_id}/label")
async def label(room_id: int, session: Session) -> str:
    room = await one(session, room_id)
    return room.label  # PB521


@router.get("/{room_id}", response_model=RoomOut)
async def room(room_id: int, session: Session):
    return await one(session, room_id)  # PB521


@router.get("/{room_id}/at-once", response_model=RoomOut)
async def room_at_once(room_id: int, session: Session):
    return await one_with_hotel(session, room_id)


@router.get("/{room_id}/row")
async def row(room_id: int, session: Session) -> RoomRow:
    return RoomRow.model_validate(await one(session, room_id))  # PB330


@router.get("")
async def rooms(session: Session) -> list[int]:
    return [room.id for room in await every(session)]


@router.get("/{room_id}/rating")
async def room_rating(room_id: int) -> float:
    return rating(room_id)  # PB600


@router.get("/{room_id}/rating-in-thread")
async def room_rating_in_thread(room_id: int) -> float:
    return await rating_in_thread(room_id)


@router.get("/{room_id}/rating-of-thread")
def room_rating_of_thread(room_id: int) -> float:
    return rating(room_id)


@router.post("/{room_id}/notify")
async def announce(room_id: int) -> str:
    notify(room_id)  # PB607
    await notify(room_id)
    return "sent"


@router.get("/{room_id}/free")
async def free(room_id: int) -> bool:
    return await availability(room_id)  # PB608
