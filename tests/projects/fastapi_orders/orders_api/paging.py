"""Pages of lists."""

from typing import Annotated

from fastapi import Depends, Query


def page_size(size: Annotated[int, Query(le=100)] = 20) -> int:
    return size


class Paging:
    def __init__(self, size: Annotated[int, Depends(page_size)], page: int = 1) -> None:
        self.size = size
        self.page = page
