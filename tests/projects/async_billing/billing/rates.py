"""Exchange rates of a partner, read over HTTP."""

import time
from functools import cached_property, lru_cache

import requests


class RateClient:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()

    def fetch(self, currency: str) -> float:
        response = self.session.get(f"{self.base_url}/{currency}", timeout=5)
        response.raise_for_status()
        return float(response.json()["rate"])

    @property
    def base(self) -> float:
        return self.fetch("EUR")

    @cached_property
    def currencies(self) -> list[str]:
        return self.session.get(f"{self.base_url}/currencies", timeout=5).json()

    def describe(self) -> str:
        return f"rates of {self.base_url}"


class CheckedClient(RateClient):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.session.head(base_url, timeout=5)


class Exclusive:
    def __enter__(self) -> "Exclusive":
        time.sleep(0.1)
        return self

    def __exit__(self, *error: object) -> None:
        pass


rates = RateClient("https://rates.example")


@lru_cache
def tax_table() -> dict[str, float]:
    return requests.get("https://tax.example/table", timeout=5).json()
