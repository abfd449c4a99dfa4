"""The call graph: call sites, their targets, and the chains by which a call is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybackend_lint.project import calls
from pybackend_lint.project.calls import CallSite
from pybackend_lint.semantic.definitions import FunctionInfo
from tests.semantic.modules import module_of

FILES = {
    "main.py": """
from functools import cache, cached_property
from contextlib import contextmanager
import time
import other

class Base:
    def inherited(self):
        time.sleep(1)

class Item(Base):
    def __init__(self):
        self.other = other.Other()

    @property
    def size(self):
        return self.deep()

    @cached_property
    def kept(self):
        time.sleep(1)

    def __call__(self):
        return self.deep()

    def deep(self):
        self.other.wait()

    def __enter__(self):
        time.sleep(1)

    def __exit__(self, *error): ...

@cache
def cached():
    time.sleep(1)

@contextmanager
def managed():
    time.sleep(1)
    yield

def generator():
    time.sleep(1)
    yield

@other.unknown
def decorated():
    time.sleep(1)

def left(): right()
def right(): left() or time.sleep(1)

def nested():
    def inner(): time.sleep(1)
    return lambda: time.sleep(1), inner

def comprehended(): return [time.sleep(x) for x in range(3)]
async def coroutine(): time.sleep(1)

def f_method(): Item().deep()
def f_property(): return Item().size
def f_inherited(): Item().inherited()
def f_constructor(): other.Slow()
def f_shared(): other.shared.wait()
def f_callable(item: Item): item()
def f_with(item: Item):
    with item: pass
def f_managed():
    with managed(): pass
def f_recursive(): left()
def f_comprehended(): comprehended()
def f_kept(): return Item().kept
def f_cached(): cached()
def f_generator(): generator()
def f_decorated(): decorated()
def f_nested(): nested()
def f_coroutine(): coroutine()
def f_unknown(x): x.wait()
def f_reference(): return cached, left
""",
    "other.py": """
import time

class Other:
    def wait(self): self._wait()
    def _wait(self): time.sleep(1)

class Slow:
    def __init__(self): time.sleep(1)

shared = Other()
""",
}

CHAINS = {
    "f_method": ["Item.deep", "Other.wait", "Other._wait", "time.sleep"],
    "f_property": ["Item.size", "Item.deep", "Other.wait", "Other._wait", "time.sleep"],
    "f_inherited": ["Base.inherited", "time.sleep"],
    "f_constructor": ["Slow", "time.sleep"],
    "f_shared": ["Other.wait", "Other._wait", "time.sleep"],
    "f_callable": ["Item", "Item.deep", "Other.wait", "Other._wait", "time.sleep"],
    "f_with": ["Item.__enter__", "time.sleep"],
    "f_managed": ["managed", "time.sleep"],
    "f_recursive": ["left", "right", "time.sleep"],
    "f_comprehended": ["comprehended", "time.sleep"],
    "f_kept": None,
    "f_cached": None,
    "f_generator": None,
    "f_decorated": None,
    "f_nested": None,
    "f_coroutine": None,
    "f_unknown": None,
    "f_reference": None,
}


def is_sleep(site: CallSite) -> bool:
    return site.name == "time.sleep"


def is_sync(function: FunctionInfo) -> bool:
    return not function.is_async


def function(tmp_path: Path, name: str) -> FunctionInfo:
    info = module_of(tmp_path, FILES).modules.function_info(f"main.{name}")
    assert info is not None
    return info


@pytest.mark.parametrize(("name", "expected"), CHAINS.items())
def test_reach(name: str, expected: list[str] | None, tmp_path: Path) -> None:
    chain = calls.reach(function(tmp_path, name), "sleeps", is_sleep, is_sync)
    assert (chain and [step.name for step in chain]) == expected


def test_steps_say_where_they_stand(tmp_path: Path) -> None:
    chain = calls.reach(function(tmp_path, "f_shared"), "sleeps", is_sleep, is_sync)
    assert chain is not None
    rows = [FILES["main.py"].split("\n").index("def f_shared(): other.shared.wait()") + 1, 5, 6]
    assert [(Path(step.path).name, step.start.row) for step in chain] == list(
        zip(["main.py", "other.py", "other.py"], rows, strict=True)
    )


def test_calls_that_are_passed_over_are_not_followed(tmp_path: Path) -> None:
    info = function(tmp_path, "f_shared")
    assert calls.reach(info, "passed", is_sleep, is_sync, lambda site: site.name.endswith("._wait")) is None


def test_a_chain_has_at_most_eight_calls(tmp_path: Path) -> None:
    steps = "\n".join(f"def f{n}(): f{n + 1}()" for n in range(1, 10))
    module = module_of(tmp_path, {"main.py": f"import time\n{steps}\ndef f10(): time.sleep(1)"})
    reached = {}
    for n in (2, 3):
        info = module.modules.function_info(f"main.f{n}")
        assert info is not None
        chain = calls.reach(info, "sleeps", is_sleep, is_sync)
        reached[n] = chain and len(chain)
    assert reached == {2: None, 3: calls.MAX_DEPTH}


INTERFACE = """
import time
from abc import ABC, abstractmethod

class Store(ABC):
    @abstractmethod
    def save(self): ...

    def save_all(self): self.save()

def f(store: Store): store.save()
def f_all(store: Store): store.save_all()
"""
DISK = """
import time
from interface import Store

class DiskStore(Store):
    def save(self): time.sleep(1)
"""
IMPLEMENTATIONS: dict[str, tuple[dict[str, str], bool]] = {
    "one": ({}, True),
    "one, and a fake for tests": ({"tests/fakes.py": DISK}, True),
    "two": (
        {"memory.py": "import interface\nclass Memory(interface.Store):\n    def save(self): ...\n"},
        False,
    ),
    "one, and one below it": (
        {"fast.py": "from disk import DiskStore\nclass Fast(DiskStore):\n    def save(self): ...\n"},
        False,
    ),
    "one that is abstract": (
        {
            "disk.py": "from abc import abstractmethod\nfrom interface import Store\nclass Disk(Store):\n"
            "    @abstractmethod\n    def save(self): ...\n"
        },
        False,
    ),
    "one that calls the abstract one": (
        {"disk.py": "from interface import Store\nclass Disk(Store):\n    def save(self): super().save()\n"},
        False,
    ),
}


@pytest.mark.parametrize(("files", "reached"), IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
@pytest.mark.parametrize("name", ["f", "f_all"])
def test_abstract_methods_are_what_implements_them(
    files: dict[str, str], reached: bool, name: str, tmp_path: Path
) -> None:
    module = module_of(tmp_path, {"interface.py": INTERFACE, "disk.py": DISK, **files}, "interface.py")
    info = module.modules.function_info(f"interface.{name}")
    assert info is not None
    chain = calls.reach(info, "sleeps", is_sleep, is_sync)
    assert (chain is not None and Path(chain[-1].path).name == "disk.py") is reached


PROTOCOL = """
import time
from typing import Protocol

class Named(Protocol):
    name: str

class Store(Named, Protocol):
    def save(self, key: str, *, keep: bool = True) -> None:
        \"\"\"Keep something.\"\"\"

    async def load(self, key: str) -> str: ...

def f(store: Store): store.save("x")
"""
LIKE_IT = """
import time

class Base:
    async def load(self, key): ...

class DiskStore(Base):
    def __init__(self): self.name = "disk"

    def save(self, key, retries=3, *, keep=True): time.sleep(1)
"""
PROTOCOLS: dict[str, tuple[dict[str, str], bool]] = {
    "one that has its members": ({}, True),
    "one, and a fake for tests": ({"tests/fakes.py": LIKE_IT}, True),
    "one, and a class with one method of the name": (
        {"other.py": "class Form:\n    def save(self, key, *, keep=True): ...\n"},
        True,
    ),
    "two that have its members": ({"other.py": LIKE_IT}, False),
    "one, and one that names it": (
        {"other.py": "import interface\nclass Memory(interface.Store):\n    def save(self, key): ...\n"},
        False,
    ),
    "one without an attribute": ({"disk.py": LIKE_IT.replace("self.name", "self.other")}, False),
    "one that names a parameter otherwise": (
        {"disk.py": LIKE_IT.replace("key, retries", "k, retries")},
        False,
    ),
    "one that wants more": ({"disk.py": LIKE_IT.replace("retries=3", "retries")}, False),
    "one without a keyword": ({"disk.py": LIKE_IT.replace("*, keep=True", "*, force=True")}, False),
    "one that is no coroutine": ({"disk.py": LIKE_IT.replace("async def", "def")}, False),
    "a protocol with a body": (
        {"interface.py": PROTOCOL.replace('"""Keep something."""', "print(key)")},
        False,
    ),
}


@pytest.mark.parametrize(("files", "reached"), PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_methods_of_protocols_are_what_has_all_their_members(
    files: dict[str, str], reached: bool, tmp_path: Path
) -> None:
    written = {"interface.py": PROTOCOL, "disk.py": LIKE_IT, **files}
    module = module_of(tmp_path, written, "interface.py")
    info = module.modules.function_info("interface.f")
    assert info is not None
    chain = calls.reach(info, "sleeps", is_sleep, is_sync)
    assert (chain is not None and Path(chain[-1].path).name == "disk.py") is reached


def test_protocols_of_functions_are_of_no_class(tmp_path: Path) -> None:
    text = (
        "import time\nfrom typing import Protocol\nclass Done(Protocol):\n    def __call__(self): ...\n"
        "class Later:\n    def __call__(self): time.sleep(1)\ndef f(done: Done): done()\n"
    )
    info = module_of(tmp_path, {"main.py": text}).modules.function_info("main.f")
    assert info is not None
    assert calls.reach(info, "sleeps", is_sleep, is_sync) is None


def test_awaited_calls_are_marked(tmp_path: Path) -> None:
    text = "import asyncio\n\nasync def f():\n    await asyncio.sleep(1)\n    asyncio.sleep(2)\n"
    info = module_of(tmp_path, {"main.py": text}).modules.function_info("main.f")
    assert info is not None
    assert [(site.name, site.awaited) for site in calls.call_sites(info)] == [
        ("asyncio.sleep", True),
        ("asyncio.sleep", False),
    ]
