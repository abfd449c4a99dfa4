"""The feed: a service with FastAPI."""

import asyncio

from fastapi import FastAPI
from media_common.events import Publisher, publish
from media_common.pictures import picture, size

from app.titles import title

app = FastAPI()
publisher = Publisher()


@app.get("/pictures/{key}")
async def show(key: str) -> int:
    return size(picture(key))  # PB600


@app.get("/pictures/{key}/size")
async def show_size(key: str) -> int:
    return size(await asyncio.to_thread(picture, key))


@app.post("/pictures/{key}")
async def add(key: str) -> str:
    publish(key)  # PB607
    await publish(key)
    return title(key)


@app.post("/pictures/{key}/again")
async def add_again(key: str) -> str:
    publisher.send(key)  # PB607
    await publisher.send(key)
    return await publisher.describe()  # PB608
