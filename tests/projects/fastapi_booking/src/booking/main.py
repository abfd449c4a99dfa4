"""The application."""

from fastapi import FastAPI

from booking.guests.router import router as guests
from booking.rooms.router import router as rooms

app = FastAPI()
app.include_router(rooms, prefix="/rooms")
app.include_router(guests, prefix="/guests")
