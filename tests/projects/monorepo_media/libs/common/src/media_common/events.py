"""Events between the services."""

import asyncio


async def publish(name: str) -> None:
    """Tell the other service."""
    await asyncio.sleep(0)


class Publisher:
    """Tells the other service about one thing."""

    async def send(self, name: str) -> None:
        await publish(name)

    def describe(self) -> str:
        return "publisher"
