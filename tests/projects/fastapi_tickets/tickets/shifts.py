"""When agents work and where, which another service knows."""

import logging

import httpx

logger = logging.getLogger(__name__)


async def shift_of(client: httpx.AsyncClient, agent_id: int) -> dict[str, str] | None:
    """The shift of an agent."""
    try:
        answer = await client.get(f"https://shifts.example.com/agents/{agent_id}")
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPError:  # PB902
        logger.exception("no shift of %s", agent_id)
        return None


async def desk_of(client: httpx.AsyncClient, agent_id: int) -> dict[str, str] | None:
    """The desk of an agent."""
    try:
        answer = await client.get(f"https://shifts.example.com/desks/{agent_id}")
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPError:
        logger.exception("no desk of %s", agent_id)
        return None
