"""How often something may be asked for."""

import time
from typing import Annotated

from fastapi import Depends, Query, Request


class Limiter:
    """Lets each client ask a few times."""

    def __init__(self, request: Request, times: int = 3) -> None:
        self.times = times


def window(seconds: Annotated[int, Query()] = 60) -> int:
    return seconds


def per_minute(seconds: int = Depends(window)) -> int:  # PB303
    return 60 // seconds


async def slow_limit() -> int:  # PB633
    time.sleep(0.1)
    return 1


def quick_limit() -> int:
    time.sleep(0.1)
    return 1
