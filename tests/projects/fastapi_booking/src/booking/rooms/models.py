"""Hotels and their rooms."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.database import Base


class Hotel(Base):
    """A house with rooms."""

    __tablename__ = "hotels"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    rooms: Mapped[Room] = relationship(back_populates="hotel")  # PB507


class Room(Base):
    """What is booked."""

    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    hotel_id: Mapped[int] = mapped_column(ForeignKey("hotels.id"))
    hotel: Mapped[Hotel] = relationship(back_populates="rooms")

    @property
    def label(self) -> str:
        """What stands on the key."""
        return f"{self.hotel.name} {self.number}"
