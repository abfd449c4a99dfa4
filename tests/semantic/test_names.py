"""Qualified names: imports, aliases, re-exports and assignments, in one file and across files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.semantic.modules import module_of, names

IN_ONE_FILE = {
    "import": ("import sqlalchemy.orm\nprobe(sqlalchemy.orm.Session)", "sqlalchemy.orm.Session"),
    "import as": ("import sqlalchemy as sa\nprobe(sa.select)", "sqlalchemy.select"),
    "dotted import as": ("import os.path as p\nprobe(p.join)", "os.path.join"),
    "from": ("from django.db import models\nprobe(models.Model)", "django.db.models.Model"),
    "from as": ("from django.db.models import Q as Where\nprobe(Where)", "django.db.models.Q"),
    "assignment": ("from django.db import models\nQ = models.Q\nprobe(Q)", "django.db.models.Q"),
    "type checking": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import X\nelse:\n    X = None\nprobe(X)",
        "a.X",
    ),
    "failed import": (
        "try:\n    import ujson as json\nexcept ImportError:\n    import json\nprobe(json.loads)",
        "ujson.loads",
    ),
    "failed import gives None": (
        "try:\n    import redis\nexcept ImportError:\n    redis = None\nprobe(redis.Redis)",
        "redis.Redis",
    ),
    "built-in": ("probe(len)", "builtins.len"),
    "shadowed built-in": ("def f(len):\n    probe(len)", None),
    "import in a function": ("def f():\n    import requests\n    probe(requests.get)", "requests.get"),
    "class attribute": ("class A:\n    def f(self): ...\nprobe(A.f)", "main.A.f"),
    "inherited attribute": ("class A:\n    def f(self): ...\nclass B(A): ...\nprobe(B.f)", "main.A.f"),
    "parameter hides import": ("import requests\ndef f(requests):\n    probe(requests.get)", None),
    "a name that a class binds only then": (
        "import uuid\nclass C:\n    uuid = field(probe(uuid.uuid4))",
        "uuid.uuid4",
    ),
    "a name that a class has bound": (
        "import a\nclass C:\n    import b as a\n    x = probe(a.x)",
        "b.x",
    ),
    "class scope is not seen from methods": (
        "import a\nclass C:\n    import b as a\n    def f(self):\n        probe(a.x)",
        "a.x",
    ),
    "comprehension variable": ("import a\n[probe(a.x) for a in range(3)]", None),
    "first iterable is outside": ("import a\n[a for a in probe(a.x)]", "a.x"),
    "global": ("import a\ndef f():\n    global a\n    probe(a.x)", "a.x"),
    "lambda parameter": ("import a\nf = lambda a: probe(a.x)", None),
    "two meanings": ("if flag:\n    import a as m\nelse:\n    import b as m\nprobe(m.x)", "main.m.x"),
    "last of two in a row": ("import a as m\nimport b as m\nprobe(m.x)", "b.x"),
    "star import of a library": ("from sqlalchemy import *\nprobe(select)", "sqlalchemy.select"),
}


@pytest.mark.parametrize(("text", "expected"), IN_ONE_FILE.values(), ids=IN_ONE_FILE)
def test_in_one_file(text: str, expected: str | None, tmp_path: Path) -> None:
    assert names(module_of(tmp_path, {"main.py": text})) == [expected]


ACROSS_FILES: dict[str, tuple[Mapping[str, str], str]] = {
    "re-export": (
        {
            "main.py": "from shop import Order\nprobe(Order)",
            "shop/__init__.py": "from .models import Order",
            "shop/models.py": "class Order: ...",
        },
        "shop.models.Order",
    ),
    "alias through two files": (
        {
            "main.py": "from a import Base as B\nprobe(B)",
            "a.py": "from b import Root\nBase = Root",
            "b.py": "from django.db import models\nRoot = models.Model",
        },
        "django.db.models.Model",
    ),
    "star import": (
        {"main.py": "from a import *\nprobe(X)", "a.py": "from b import *", "b.py": "class X: ..."},
        "b.X",
    ),
    "star import respects __all__": (
        {"main.py": "from a import *\nprobe(X)", "a.py": "__all__ = ['Y']\nclass X: ..."},
        "None",
    ),
    "relative import": (
        {"pkg/main.py": "from ..other.m import X\nprobe(X)", "other/m.py": "X = 1"},
        "other.m.X",
    ),
    "submodule by attribute": (
        {
            "main.py": "import shop.models\nprobe(shop.models.Order)",
            "shop/__init__.py": "",
            "shop/models.py": "class Order: ...",
        },
        "shop.models.Order",
    ),
    "src layout": (
        {"main.py": "from shop.models import Order\nprobe(Order)", "src/shop/models.py": "class Order: ..."},
        "src.shop.models.Order",
    ),
    "re-export by a package's full name": (
        {
            "main.py": "from app import get_db\nprobe(get_db)",
            "app/__init__.py": "from app.deps import get_db",
            "app/deps.py": "def get_db(): ...",
        },
        "app.deps.get_db",
    ),
    "a name of a package like one of its modules": (
        {
            "main.py": "from app.api import schema\nprobe(schema)",
            "app/__init__.py": "",
            "app/api/__init__.py": "from app.api.schema import schema",
            "app/api/schema.py": "schema = object()",
        },
        "app.api.schema.schema",
    ),
    "a module that its package imports as one": (
        {
            "main.py": "from app import schema\nprobe(schema)",
            "app/__init__.py": "from app import schema",
            "app/schema.py": "schema = object()",
        },
        "app.schema",
    ),
    "namespace package": (
        {
            "app/routers/main.py": "from app.deps import get_db\nprobe(get_db)",
            "app/deps.py": "def get_db(): ...",
        },
        "app.deps.get_db",
    ),
    "a library after which a folder is called": (
        {"app/sources/discord/main.py": "import discord\nprobe(discord.File)", "pyproject.toml": ""},
        "discord.File",
    ),
    "a library after which a package is called, in a folder of it that is none": (
        {
            "app/__init__.py": "",
            "app/database/__init__.py": "",
            "app/database/redis/__init__.py": "",
            "app/database/redis/tests/main.py": "import redis\nprobe(redis.Redis)",
        },
        "redis.Redis",
    ),
    "a namespace package that imports itself": (
        {
            "src/app/routers/main.py": "import app\nprobe(app.deps.get_db)",
            "src/app/deps.py": "def get_db(): ...",
            "pyproject.toml": "",
        },
        "src.app.deps.get_db",
    ),
    "sibling project of a monorepo": (
        {
            "services/a/pyproject.toml": "",
            "services/a/main.py": "from lib.base import Base\nprobe(Base)",
            "services/b/pyproject.toml": "",
            "services/b/src/lib/base.py": "class Base: ...",
        },
        "services.b.src.lib.base.Base",
    ),
    "a folder named like a library": (
        {"main.py": "from alembic import op\nprobe(op)", "alembic/versions/one.py": ""},
        "alembic.op",
    ),
    "import cycle": (
        {"main.py": "from a import X\nprobe(X)", "a.py": "from b import X", "b.py": "from a import X"},
        "a.X",
    ),
    "file that does not parse": (
        {"main.py": "from a import X\nprobe(X)", "a.py": "def ("},
        "a.X",
    ),
}


@pytest.mark.parametrize(("files", "expected"), ACROSS_FILES.values(), ids=ACROSS_FILES)
def test_across_files(files: Mapping[str, str], expected: str, tmp_path: Path) -> None:
    path = next(name for name in files if name.endswith("main.py"))
    assert [str(name) for name in names(module_of(tmp_path, files, path))] == [expected]
