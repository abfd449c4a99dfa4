"""What lives while another linter's files are checked is kept from its collections, and not for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybackend_lint.garbage_collection import Aside
from pybackend_lint.plugin import Host


class _Node:
    """Something that can be part of a circle."""

    def __init__(self) -> None:
        self.parent = self


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """Collections run, whatever tests before have left, and nothing stays set aside."""
    before = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    if not before:
        gc.disable()


def test_what_lives_is_set_aside() -> None:
    node = _Node()
    seen = weakref.ref(node)
    Aside(100).add(10)
    del node
    gc.collect()
    assert seen() is not None


def test_garbage_goes_when_enough_was_added() -> None:
    aside = Aside(100)
    node = _Node()
    seen = weakref.ref(node)
    aside.add(60)
    del node
    aside.add(60)
    assert seen() is None


def test_a_process_without_collections_is_left_alone() -> None:
    gc.disable()
    before = gc.get_freeze_count()
    Aside(0).add(10)
    assert gc.get_freeze_count() == before
    assert not gc.isenabled()


def test_trees_of_checked_files_are_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"x = [1, 2, 3]\n" * 100)
    host = Host()
    host.check(str(file), file.read_bytes())
    assert gc.get_freeze_count() > 100
    assert gc.isenabled()
