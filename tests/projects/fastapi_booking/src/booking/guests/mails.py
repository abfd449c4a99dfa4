"""Mails to guests."""

import asyncio


async def greet(guest_id: int) -> None:
    """Send a mail to a guest."""
    await asyncio.sleep(0)
