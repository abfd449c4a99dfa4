from unittest.mock import Mock, patch

import pytest
from httpx import ASGITransport, AsyncClient

from orders_api.database import get_session
from orders_api.main import app
from orders_api.payments import payment_status


@pytest.fixture
def client():
    app.dependency_overrides[get_session] = lambda: None
    return AsyncClient(app=app, base_url="http://test")


@pytest.fixture
async def overridden():
    app.dependency_overrides[get_session] = lambda: None
    yield AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
    app.dependency_overrides.clear()


async def test_unknown_order(overridden):
    answer = await overridden.get("/orders/1")
    assert answer.status_code == 404


@pytest.mark.asyncio
async def test_payment_status_is_asked():
    with patch("orders_api.payments.payment_status", Mock(return_value="paid")):
        assert await payment_status("A1") == "paid"
