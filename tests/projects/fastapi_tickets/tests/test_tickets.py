"""Tests of tickets."""

from unittest.mock import AsyncMock, patch

import httpx
import pytest
from fastapi.testclient import TestClient

from tickets.database import get_session
from tickets.main import app


@pytest.fixture
def client():
    app.dependency_overrides[get_session] = lambda: AsyncMock()  # PB800
    return TestClient(app)


@pytest.fixture
def clean_client():
    app.dependency_overrides[get_session] = lambda: AsyncMock()
    yield TestClient(app)
    app.dependency_overrides.clear()


def test_titles(client):
    assert client.get("/tickets/found").status_code == 200


def test_found(clean_client):
    assert clean_client.get("/tickets/found").status_code == 200


@pytest.mark.asyncio
async def test_counts():
    async with httpx.AsyncClient(app=app, base_url="http://tickets") as client:  # PB810
        assert (await client.get("/tickets/counts")).status_code == 200


@pytest.mark.asyncio
async def test_counts_apart():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tickets") as client:
        assert (await client.get("/tickets/counts/apart")).status_code == 200


async def test_early():  # PB802
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tickets") as client:
        assert (await client.get("/early/")).status_code == 200


@patch("tickets.routes.tickets.rename")
def test_change_name(rename, clean_client):
    clean_client.put("/tickets/1/name", params={"title": "a"})
    assert rename.called_once  # PB815
    rename.assert_called_once()
