"""Tests of rooms."""

from unittest.mock import AsyncMock, MagicMock, patch

import pytest
from fastapi.testclient import TestClient

from booking import database, partners
from booking.guests.router import start_later
from booking.main import app
from booking.rooms.router import announce, room_rating_of_thread


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setitem(app.dependency_overrides, database.get_session, lambda: None)
    return TestClient(app)


@pytest.fixture
def other_client(monkeypatch):
    monkeypatch.setitem(app.dependency_overrides, partners.rounded, lambda: None)  # PB801
    return TestClient(app)


@patch("booking.rooms.service.sign", return_value="1 of A")  # PB819
def test_sign(sign):
    assert app.url_path_for("door", room_id=1) == "/rooms/1/sign"


@patch("booking.partners.ratings.url", "https://example.org")
def test_partner():
    assert partners.ratings.url == "https://example.org"


@patch("booking.partners.rounded", return_value=3.5)
def test_rounded(rounded):
    assert room_rating_of_thread(1) == 3.5


@patch("booking.rooms.router.rating", return_value=3.5)
def test_rating_of_router(rating):
    assert room_rating_of_thread(1) == 3.5


async def test_announce():
    with patch("booking.rooms.router.notify", MagicMock()):  # PB816
        assert await announce(1) == "sent"
    with patch("booking.rooms.router.notify", AsyncMock()):
        assert await announce(1) == "sent"


@patch("booking.guests.mails.send")  # PB818
async def test_greet(send):
    assert await start_later(1, MagicMock()) == "later"
