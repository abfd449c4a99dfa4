"""Routes of tickets."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, status
from sqlalchemy import select

from tickets.database import Database, Pages, factory
from tickets.errors import TicketClosed, TicketMissing
from tickets.models import Ticket
from tickets.services import agent_of, count_agents, count_tickets, rename, ticket_of

router = APIRouter(prefix="/tickets")


@router.get("/titles")
async def titles(session: Database, words: list[str] | None = None) -> list[str]:  # PB326
    return list(await session.scalars(select(Ticket.title).where(Ticket.title.in_(words or []))))


@router.get("/found")
async def found(session: Database, words: Annotated[list[str] | None, Query()] = None) -> list[str]:
    return list(await session.scalars(select(Ticket.title).where(Ticket.title.in_(words or []))))


@router.post("/")
async def create(session: Database, title: str) -> int:
    ticket = Ticket(title=title)
    session.add(ticket)
    await session.commit()
    return ticket.id  # PB523


@router.post("/imported")
async def create_and_read(session: Database, title: str) -> int:
    ticket = Ticket(title=title)
    session.add(ticket)
    await session.commit()
    await session.refresh(ticket)
    return ticket.id


@router.get("/counts")
async def counts(session: Database) -> dict[str, int]:
    tickets, agents = await asyncio.gather(count_tickets(session), count_agents(session))  # PB536
    return {"tickets": tickets, "agents": agents}


@router.get("/counts/apart")
async def counts_apart() -> dict[str, int]:
    async with factory() as one, factory() as other:
        tickets, agents = await asyncio.gather(count_tickets(one), count_agents(other))
    return {"tickets": tickets, "agents": agents}


@router.get("/{ticket_id}/title")
async def title_of(ticket_id: int, session: Database) -> str:
    try:
        return (await ticket_of(session, ticket_id)).title
    except TicketMissing as error:
        raise HTTPException(404, "No such ticket") from error


@router.put("/{ticket_id}/title")
async def change_title(ticket_id: int, title: str, session: Database) -> None:
    await rename(session, ticket_id, title)  # PB911 (no ticket)  # PB911 (a closed one)


@router.put("/{ticket_id}/name")
async def change_name(ticket_id: int, title: str, session: Database) -> None:
    try:
        await rename(session, ticket_id, title)
    except (TicketMissing, TicketClosed) as error:
        raise HTTPException(409, "It cannot be changed") from error


@router.get("/{ticket_id}/page")
async def page(ticket_id: int, session: Pages) -> str:
    return session.scalars(select(Ticket.title).where(Ticket.id == ticket_id)).one()  # PB537


@router.get("/{ticket_id}/page/printed")
def printed_page(ticket_id: int, session: Pages) -> str:
    return session.scalars(select(Ticket.title).where(Ticket.id == ticket_id)).one()


@router.delete("/{ticket_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete(ticket_id: int, session: Database):
    await session.delete(await agent_of(session, ticket_id))
    return {"deleted": ticket_id}  # PB332


@router.delete("/{ticket_id}/agent", status_code=status.HTTP_204_NO_CONTENT)
async def free(ticket_id: int, session: Database):
    await session.delete(await agent_of(session, ticket_id))
