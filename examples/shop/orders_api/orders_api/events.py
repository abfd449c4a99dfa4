import asyncio
import logging

from orders_api.schemas import OrderEvent

logger = logging.getLogger(__name__)
queue: asyncio.Queue[OrderEvent] = asyncio.Queue()


async def publish(event: OrderEvent) -> None:
    await queue.put(event)


async def deliver(event: OrderEvent) -> None:
    logger.info("delivering %s", event.dict())
    await asyncio.sleep(0)


async def deliver_forever() -> None:
    while True:
        try:
            event = await queue.get()
            await deliver(event)
        except BaseException:
            logger.exception("an event was lost")


async def deliver_until_cancelled() -> None:
    while True:
        event = await queue.get()
        try:
            await deliver(event)
        except Exception:
            logger.exception("event %s was lost", event.model_dump())
