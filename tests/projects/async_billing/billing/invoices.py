"""Invoices: totals, numbers and where they are kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from billing.rates import RateClient, rates

_store: redis.Redis | None = None
_totals: dict[str, int] = {}


def total(cents: int, currency: str) -> int:
    return convert(cents, currency)


def convert(cents: int, currency: str) -> int:
    return round(cents * rates.fetch(currency))


def vat(cents: int) -> int:
    return cents * 19 // 100


def store() -> redis.Redis:
    global _store
    if _store is None:
        _store = connected()
    return _store


def connected() -> redis.Redis:
    client = redis.Redis(host="store")
    client.ping()
    return client


def known_total(key: str) -> int:
    if key in _totals:
        return _totals[key]
    _totals[key] = total(100, key)
    return _totals[key]


@contextmanager
def numbered() -> Iterator[int]:
    yield int(str(redis.Redis(host="store").incr("invoice")))


class Invoice:
    def __init__(self, client: RateClient) -> None:
        self.client = client

    def settle(self, cents: int) -> int:
        return self.retry(cents) if cents else 0

    def retry(self, cents: int) -> int:
        if cents > 1000:
            return self.settle(cents - 1000)
        return round(cents * self.client.base)


def step_1() -> float:
    return step_2()


def step_2() -> float:
    return step_3()


def step_3() -> float:
    return step_4()


def step_4() -> float:
    return step_5()


def step_5() -> float:
    return step_6()


def step_6() -> float:
    return step_7()


def step_7() -> float:
    return rates.fetch("USD")
