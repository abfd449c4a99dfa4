"""What the API shows of rooms."""

from pydantic import BaseModel, ConfigDict


class HotelOut(BaseModel):
    """A hotel."""

    model_config = ConfigDict(from_attributes=True)

    name: str


class RoomOut(BaseModel):
    """A room with its hotel."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    hotel: HotelOut


class RoomRow(BaseModel):
    """A room, made from keywords only."""

    id: int
