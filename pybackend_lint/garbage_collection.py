"""Python's garbage collector, which must not run while large structures grow."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Run a block without collections.

    A syntax tree and what is known about it are all survivors: each collection looks at all of them in
    vain, which makes parsing four times slower.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
