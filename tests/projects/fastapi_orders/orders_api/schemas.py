"""What the service receives and answers."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel


class State(StrEnum):
    OPEN = "open"
    PAID = "paid"


class Line(BaseModel):
    article: UUID
    amount: int = 1


class OrderIn(BaseModel):
    lines: list[Line]
    note: str | None = None


class OrderOut(OrderIn):
    id: int
    state: State


@dataclass
class Address:
    street: str
    city: str
