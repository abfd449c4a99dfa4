"""Tickets and who answers them."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column
from sqlmodel import Field, SQLModel

from tickets.database import Base


class Agent(Base):
    """Somebody who answers."""

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(default="")


class Ticket(Base):
    """A question."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))


class AgentKey(SQLModel, table=True):
    """A key to the interface."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    hashed_secret: str


class AgentKeyOut(SQLModel):
    """What is shown of a key."""

    id: int
    name: str
