import time

import httpx
import requests

from orders_api.settings import get_settings


def charge(reference: str, amount: int) -> str:
    answer = requests.post(get_settings().payment_url, json={"reference": reference, "amount": amount}, timeout=5)
    answer.raise_for_status()
    return answer.json()["id"]


def is_paid(reference: str) -> bool:
    try:
        answer = requests.get(f"{get_settings().payment_url}/{reference}", timeout=5)
        return answer.json()["status"] == "paid"
    except Exception:
        return False


async def refund(reference: str) -> None:
    url = f"{get_settings().payment_url}/{reference}"
    for attempt in range(3):
        answer = requests.delete(url, timeout=5)
        if answer.status_code < 500:
            return
        time.sleep(2**attempt)


async def payment_status(reference: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(f"{get_settings().payment_url}/{reference}")
    return answer.json()["status"]
