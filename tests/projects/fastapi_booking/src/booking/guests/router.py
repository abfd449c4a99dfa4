"""Routes of guests."""

import asyncio

from fastapi import APIRouter, BackgroundTasks

from booking.guests.mails import greet

router = APIRouter()
running: set[asyncio.Task[None]] = set()


@router.post("/{guest_id}/greet")
async def start(guest_id: int) -> str:
    asyncio.create_task(greet(guest_id))  # PB609
    return "started"


@router.post("/{guest_id}/greet-kept")
async def start_kept(guest_id: int) -> str:
    task = asyncio.create_task(greet(guest_id))
    running.add(task)
    task.add_done_callback(running.discard)
    return "started"


@router.post("/{guest_id}/greet-later")
async def start_later(guest_id: int, tasks: BackgroundTasks) -> str:
    tasks.add_task(greet, guest_id)
    return "later"


@router.post("/greet-all")
async def greet_all(ids: list[int]) -> str:
    await asyncio.to_thread(greet, ids[0])  # PB635
    await asyncio.gather(*map(greet, ids))
    return "greeted"
