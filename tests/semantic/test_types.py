"""Light types: annotations, constructors, results, iteration, attributes; unknown where not certain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.semantic.modules import module_of, types

PRELUDE = """
from __future__ import annotations
import asyncio, contextlib, requests
from typing import Annotated, AsyncIterator, Iterator, Optional, Self, Union, cast
class User:
    name: str
    def __init__(self, boss: User):
        self.boss = boss
        self.client = requests.Session()
        self.mixed = 1
    def set(self):
        self.mixed = "a"
    @property
    def friends(self) -> list[User]: ...
    def copy(self) -> Self: ...
    @classmethod
    def make(cls):
        return cls()
    @staticmethod
    def find() -> User | None: ...
    def __enter__(self) -> int: ...
class Admin(User): ...
def anything(): return unknown()
def one() -> User: ...
def inferred(): return User()
def either(flag): return User() if flag else 1
def maybe(flag):
    if flag:
        return None
    return User()
async def fetch() -> list[User]: ...
def recursive(n): return recursive(n - 1)
def generate() -> Iterator[User]:
    yield User()
@contextlib.contextmanager
def opened():
    yield User()
@contextlib.asynccontextmanager
async def aopened() -> AsyncIterator[User]:
    yield User()
UserDep = Annotated[User, "dependency"]
"""

EXPRESSIONS = {
    "constructor": ("probe(User())", "main.User"),
    "class": ("probe(User)", "class:main.User"),
    "parameter": ("def f(u: User): probe(u)", "main.User"),
    "string annotation": ("def f(u: 'list[User]'): probe(u)", "builtins.list[main.User]"),
    "item that a lambda gets": ("def f(u: list[User]): sorted(u, key=lambda item: probe(item))", "main.User"),
    "item that map gives a lambda": ("def f(u: set[User]): map(lambda item: probe(item), u)", "main.User"),
    "argument that may be left out": ("def f(u=None): probe(u or User())", "main.User"),
    "argument that is set when it is left out": (
        "def f(u=None):\n    if u is None:\n        u = User()\n    probe(u)",
        "main.User",
    ),
    "argument that is taken first": ("def f(u=None): probe(u if u is not None else User())", "main.User"),
    "argument that must be given": ("def f(u): probe(u or User())", None),
    "argument that is only asked": ("def f(u=None): probe(u and User())", None),
    "argument with another default": ("def f(u=0): probe(u or User())", None),
    "arguments that may be left out": ("def f(u=None, v=None): probe(u or v)", None),
    "progress of a loop": (
        "from tqdm import tqdm\ndef f(u: list[User]):\n    for x in tqdm(u): probe(x)",
        "main.User",
    ),
    "parameter of another lambda": ("def f(u: list[User]): run(u, key=lambda item: probe(item))", None),
    "lambda with a default": ("def f(u: list[User]): map(lambda item=1: probe(item), u)", None),
    "optional": ("def f(u: Optional[User]): probe(u)", "main.User?"),
    "union with None": ("def f(u: User | None): probe(u)", "main.User?"),
    "union of two": ("def f(u: Union[User, int]): probe(u)", None),
    "annotated": ("def f(u: Annotated[User, 1]): probe(u)", "main.User"),
    "alias": ("def f(u: UserDep): probe(u)", "main.User"),
    "default of None": ("def f(u: User = None): probe(u)", "main.User?"),
    "no annotation": ("def f(u): probe(u)", None),
    "class in annotation": ("def f(u: type[User]): probe(u)", "class:main.User"),
    "return annotation": ("probe(one())", "main.User"),
    "inferred return": ("probe(inferred())", "main.User"),
    "two returns": ("probe(either(1))", None),
    "None or value": ("probe(maybe(1))", "main.User?"),
    "unknown return": ("probe(anything())", None),
    "recursive function": ("probe(recursive(1))", None),
    "coroutine": ("probe(fetch())", "typing.Coroutine[builtins.list[main.User]]"),
    "awaited": ("async def f(): probe(await fetch())", "builtins.list[main.User]"),
    "loop over awaited": ("async def f():\n    for u in await fetch(): probe(u)", "main.User"),
    "generator": ("for u in generate(): probe(u)", "main.User"),
    "context manager": ("with opened() as u: probe(u)", "main.User"),
    "async context manager": ("async def f():\n    async with aopened() as u: probe(u)", "main.User"),
    "class as context manager": ("with User() as n: probe(n)", "builtins.int"),
    "self": ("class B:\n    def f(self): probe(self)", "main.B"),
    "cls": ("class B:\n    @classmethod\n    def f(cls): probe(cls)", "class:main.B"),
    "instance attribute": ("probe(User().boss)", "main.User"),
    "library value on self": ("probe(User().client.get)", "external:requests.Session.get"),
    "attribute of two types": ("probe(User().mixed)", None),
    "declared attribute": ("probe(User().name)", "builtins.str"),
    "property": ("probe(User().friends[0])", "main.User"),
    "Self": ("probe(User().copy())", "main.User"),
    "class method": ("probe(User.make())", "main.User"),
    "static method": ("probe(User.find())", "main.User?"),
    "inherited": ("probe(Admin().boss)", "main.User"),
    "super": ("class B(User):\n    def f(self): probe(super().friends)", "builtins.list[main.User]"),
    "branches agree": ("def f(c):\n    if c: x = User()\n    else: x = one()\n    probe(x)", "main.User"),
    "an empty list before a filled one": (
        "def find(c):\n    if c: return []\n    return [User()]\nprobe(find(1))",
        "builtins.list[main.User]",
    ),
    "an empty list or something else": (
        "def find(c):\n    if c: return []\n    return User()\nprobe(find(1))",
        None,
    ),
    "two kinds of lists": (
        "def find(c):\n    if c: return ['a']\n    return [User()]\nprobe(find(1))",
        "builtins.list[None]",
    ),
    "tuples that agree in a part": (
        "def pair(c):\n    if c: return User(), 1\n    return User(), 'a'\nprobe(pair(1))",
        "builtins.tuple[main.User, None]",
    ),
    "tuples of other lengths": (
        "def pair(c):\n    if c: return User(), 1\n    return (User(),)\nprobe(pair(1))",
        "builtins.tuple",
    ),
    "attributes that are set together": (
        "class Pair:\n    def __init__(self, u: User): (self.one, (self.two, self.three)) = 1, (u, 'a')\n"
        "def f(pair: Pair): probe(pair.two)",
        "main.User",
    ),
    "attributes that are unpacked": (
        "class Pair:\n    def __init__(self, u: User): self.one, *self.two = 1, u\n"
        "def f(pair: Pair): probe(pair.one)",
        None,
    ),
    "branches differ": ("def f(c):\n    if c: x = User()\n    else: x = 1\n    probe(x)", None),
    "assigned again": ("def f():\n    x = 1\n    x = User()\n    probe(x)", "main.User"),
    "before it is assigned again": ("def f():\n    x = User()\n    probe(x)\n    x = 1", "main.User"),
    "assigned again in a loop": (
        "def f():\n    x = User()\n    while c:\n        probe(x)\n        x = 1",
        None,
    ),
    "made of itself in a loop": (
        "def f():\n    x = User()\n    for i in c:\n        if i: x = x.copy()\n    probe(x)",
        "main.User",
    ),
    "a step further in a loop": (
        "def f():\n    x = User()\n    while x: x = x.boss.find()\n    probe(x)",
        "main.User?",
    ),
    "something else made of itself in a loop": (
        "def f():\n    x = User()\n    for i in c: x = x.name\n    probe(x)",
        None,
    ),
    "something unknown made of itself in a loop": (
        "def f():\n    x = User()\n    for i in c: x = anything(x)\n    probe(x)",
        None,
    ),
    "inside a loop that makes something else of it": (
        "def f():\n    x = User()\n    for i in c:\n        x = probe(x.name)\n    print(x)",
        None,
    ),
    "made of another value in a loop": (
        "def f():\n    x = User()\n    for i in c:\n        x = 1\n        x = x.copy()\n    probe(x)",
        None,
    ),
    "made of itself in two ways in a loop": (
        "def f():\n    x = User()\n    for i in c:\n        if i: x = x.copy()\n        x = x.find()\n    probe(x)",
        "main.User?",
    ),
    "made of itself by its own argument": (
        "def f():\n    x = User()\n    for i in c: x = x.copy(x)\n    probe(x)",
        None,
    ),
    "made of an earlier value without a loop": (
        "def f(c):\n    x = 1\n    x = User(x)\n    if c: x = x.copy()\n    probe(x)",
        "main.User",
    ),
    "either made of an earlier value": (
        "def f(c):\n    x = User()\n    if c: x = x.name\n    else: x = x.name\n    probe(x)",
        "builtins.str",
    ),
    "only of itself": ("def f():\n    for i in c: x = x.copy()\n    probe(x)", None),
    "branch that leaves": (
        "def f(c):\n    x = User()\n    if c:\n        x = 1\n        return\n    probe(x)",
        "main.User",
    ),
    "try may stop anywhere": (
        "def f():\n    x = User()\n    try:\n        x = 1\n    except E:\n        probe(x)",
        None,
    ),
    "after break": (
        "def f():\n    x = 1\n    while True:\n        x = User()\n        break\n    probe(x)",
        "main.User",
    ),
    "walrus": ("if (x := User()): probe(x)", "main.User"),
    "unpacking": ("a, b = User(), 1\nprobe(a)", "main.User"),
    "starred unpacking": ("a, *b = User(), 1\nprobe(b)", None),
    "enumerate": ("for i, u in enumerate(generate()): probe(u)", "main.User"),
    "dict items": ("def f(d: dict[str, User]):\n    for k, v in d.items(): probe(v)", "main.User"),
    "comprehension": ("probe([u.boss for u in generate()])", "builtins.list[main.User]"),
    "cast": ("probe(cast('User', x))", "main.User"),
    "conditional with None": ("probe(User() if c else None)", "main.User?"),
    "module variable that a function sets": (
        "client = None\ndef connect():\n    global client\n    client = User()\ndef f(): probe(client)",
        "main.User?",
    ),
    "deleted": ("x = User()\ndel x\nprobe(x)", None),
    "closure over a name with two values": (
        "def f():\n    x = User()\n    def g(): probe(x)\n    x = 1",
        None,
    ),
    "conditional function": (
        "if c:\n    def g() -> User: ...\nelse:\n    def g() -> int: ...\nprobe(g())",
        None,
    ),
}


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expression(text: str, expected: str | None, tmp_path: Path) -> None:
    assert types(module_of(tmp_path, {"main.py": PRELUDE + text})) == [expected]


GENERIC = {
    "base.py": """
        from typing import Generic, Optional, Self, TypeVar
        T = TypeVar("T")
        K = TypeVar("K")
        R = TypeVar("R", bound="Row")
        class Row:
            @classmethod
            def load(cls: type[R]) -> R: ...
            def copy(self) -> Self: ...
        class Table(Generic[K, T]):
            def by_key(self) -> dict[K, T]: ...
        class Repository(Table[int, T]):
            def first(self) -> Optional[T]:
                return self.rows[0]
            async def page(self, number: int) -> "list[T]": ...
        class Page(Generic[T]):
            items: list[T]
        class Service(Generic[T]):
            def __init__(self, rows: T):
                self.rows = rows
        """,
    "orders.py": """
        import base
        from base import Repository, Row
        class Order(Row): ...
        class Orders(Repository[Order]): ...
        class Service(base.Service[Orders]): ...
        """,
}
ACROSS_FILES: dict[str, tuple[Mapping[str, str], str | None]] = {
    "session alias": (
        {
            "main.py": "from deps import DbSession\nasync def f(db: DbSession): probe(db)",
            "deps.py": """
                from typing import Annotated
                from fastapi import Depends
                from sqlalchemy.ext.asyncio import AsyncSession
                DbSession = Annotated[AsyncSession, Depends(lambda: None)]
                """,
        },
        "sqlalchemy.ext.asyncio.AsyncSession",
    ),
    "module-level singleton": (
        {
            "main.py": "from billing import gateway\nprobe(gateway.charge())",
            "billing.py": """
            class Gateway:
                def charge(self) -> int: ...
            gateway = Gateway()
            """,
        },
        "builtins.int",
    ),
    "base class three files away": (
        {
            "main.py": "from a import A\nprobe(A().save)",
            "a.py": "from b import B\nclass A(B): ...",
            "b.py": "from c import C as Root\nclass B(Root): ...",
            "c.py": "from django.db import models\nclass C(models.Model): ...",
        },
        "external:django.db.models.Model.save",
    ),
    "type variable of a base class": (
        {**GENERIC, "main.py": "from orders import Orders\nprobe(Orders().first())"},
        "orders.Order?",
    ),
    "type variable of a base class, awaited": (
        {**GENERIC, "main.py": "from orders import Orders\nasync def f(): probe(await Orders().page(1))"},
        "builtins.list[orders.Order]",
    ),
    "type variables that change their names": (
        {**GENERIC, "main.py": "from orders import Orders\nprobe(Orders().by_key())"},
        "builtins.dict[builtins.int, orders.Order]",
    ),
    "type variable by an annotation": (
        {
            **GENERIC,
            "main.py": (
                "from base import Repository\nfrom orders import Order\n"
                "def f(orders: Repository[Order]): probe(orders.first())"
            ),
        },
        "orders.Order?",
    ),
    "type variable by a constructor": (
        {
            **GENERIC,
            "main.py": (
                "from base import Repository\nfrom orders import Order\norders = Repository[Order]()\n"
                "probe(orders.first())"
            ),
        },
        "orders.Order?",
    ),
    "attribute of a type variable": (
        {**GENERIC, "main.py": "from orders import Service\nprobe(Service().rows.first())"},
        "orders.Order?",
    ),
    "declared attribute with a type variable": (
        {
            **GENERIC,
            "main.py": "from base import Page\nfrom orders import Order\nprobe(Page[Order]().items[0])",
        },
        "orders.Order",
    ),
    "attribute of a type variable that has no value": (
        {**GENERIC, "main.py": "from base import Service\nprobe(Service().rows)"},
        None,
    ),
    "type variable that has no value": (
        {**GENERIC, "main.py": "from base import Repository\nprobe(Repository().first())"},
        None,
    ),
    "type variable of the receiver": (
        {**GENERIC, "main.py": "from orders import Order\nprobe(Order.load())"},
        "orders.Order",
    ),
    "Self of a derived class": (
        {**GENERIC, "main.py": "from orders import Order\nprobe(Order().copy())"},
        "orders.Order",
    ),
    "unknown base hides": (
        {"main.py": "from a import A\nprobe(A().save)", "a.py": "class A(make_base()): ..."},
        None,
    ),
}


@pytest.mark.parametrize(("files", "expected"), ACROSS_FILES.values(), ids=ACROSS_FILES)
def test_across_files(files: Mapping[str, str], expected: str | None, tmp_path: Path) -> None:
    assert types(module_of(tmp_path, files)) == [expected]
