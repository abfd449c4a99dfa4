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


class Aside:
    """Keeps the structures of many files from the collections of the process they grow in.

    The trees of a thousand files are ten million objects. Each full collection of the process would
    look at all of them, which takes longer than all checks together. `most` is how much source text
    may be added before what has become garbage is collected once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._added = 0

    def add(self, size: int) -> None:
        """Set everything aside that lives now, after a file of `size` bytes of text was checked."""
        if not gc.isenabled():
            return
        self._added += size
        if self._added > self._most:
            self._added = 0
            gc.unfreeze()
            gc.collect()
        gc.freeze()
