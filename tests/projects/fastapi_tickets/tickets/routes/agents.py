"""Routes of agents and their keys."""

import httpx
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from tickets.database import Database
from tickets.models import Agent, AgentKey, AgentKeyOut
from tickets.services import agent_of
from tickets.shifts import desk_of, shift_of

router = APIRouter(prefix="/agents")
keys = APIRouter(prefix="keys/")  # PB313
secrets = APIRouter(prefix="/keys")
numbers = APIRouter()


class AgentOut(BaseModel):
    """What is shown of an agent."""

    model_config = ConfigDict(from_attributes=True)

    name: str


@router.get("/{agent_id}")
async def agent(agent_id: int, session: Database):
    return await agent_of(session, agent_id)  # PB327


@router.get("/{agent_id}/public", response_model=AgentOut)
async def public_agent(agent_id: int, session: Database):
    return await agent_of(session, agent_id)


@router.get("/{agent_id}/row")
async def row(agent_id: int, session: Database) -> Agent:  # PB331
    return await agent_of(session, agent_id)


@router.get("/{agent_id}/shown", response_model=None)
async def shown(agent_id: int, session: Database) -> AgentOut:
    return AgentOut.model_validate(await agent_of(session, agent_id))


@router.get("/{agent_id}/shift")
async def start_of_shift(agent_id: int) -> str:
    async with httpx.AsyncClient() as client:
        shift = await shift_of(client, agent_id)
    return shift["starts"]


@router.get("/{agent_id}/desk")
async def desk(agent_id: int) -> str:
    async with httpx.AsyncClient() as client:
        desk = await desk_of(client, agent_id)
    if desk is None:
        raise HTTPException(503, "Nobody knows")
    return desk["room"]


@secrets.get("/{key_id}", response_model=AgentKey)  # PB328
async def key(key_id: int, session: Database):
    return await session.get_one(AgentKey, key_id)


@secrets.get("/{key_id}/public", response_model=AgentKeyOut)
async def public_key(key_id: int, session: Database):
    return await session.get_one(AgentKey, key_id)


@numbers.get("/agents/{number}")
async def by_number(number: int) -> int:
    return number


@numbers.get("/numbers/{number}")
async def number_itself(number: int) -> int:
    return number
