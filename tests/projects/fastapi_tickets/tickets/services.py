"""What can be done with tickets, from routes and from jobs."""

from fastapi import HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.errors import TicketClosed, TicketMissing
from tickets.models import Agent, Ticket


async def ticket_of(session: AsyncSession, ticket_id: int) -> Ticket:
    """A ticket; raises `TicketMissing`."""
    found = await session.get(Ticket, ticket_id)
    if found is None:
        raise TicketMissing(ticket_id)
    return found


async def agent_of(session: AsyncSession, agent_id: int) -> Agent:
    """An agent."""
    found = await session.get(Agent, agent_id)
    if found is None:
        raise HTTPException(404, "No such agent")  # PB910
    return found


async def rename(session: AsyncSession, ticket_id: int, title: str) -> None:
    """Change the title of a ticket; raises `TicketClosed`."""
    found = await ticket_of(session, ticket_id)
    if found.agent_id is None:
        raise TicketClosed(ticket_id)
    found.title = title


async def count_tickets(session: AsyncSession) -> int:
    """How many tickets there are."""
    return await session.scalar(select(func.count(Ticket.id))) or 0


async def count_agents(session: AsyncSession) -> int:
    """How many agents there are."""
    return await session.scalar(select(func.count(Agent.id))) or 0
