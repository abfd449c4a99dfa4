"""Edits of imports, judged by what they yield and by ruff's own sorting rule."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import isort
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pybackend_lint.edits import apply
from pybackend_lint.finding import Edit
from pybackend_lint.semantic.import_edits import (
    ImportedName,
    add_import,
    move_import,
    orphaned,
    remove_names,
    replace_imports,
    unused_since,
)
from pybackend_lint.source import Source


class Case(NamedTuple):
    before: str
    dotted: str
    expression: str
    after: str
    path: str = "service/handlers.py"


ADDED = {
    "no import at all": Case("x = 1\n", "os.path", "path", "from os import path\n\nx = 1\n"),
    "an empty file": Case("", "hmac", "hmac", "import hmac\n"),
    "a docstring only": Case('"""Doc."""\n', "hmac", "hmac", '"""Doc."""\n\nimport hmac\n'),
    "a docstring without newline": Case('"""Doc."""', "hmac", "hmac", '"""Doc."""\n\nimport hmac'),
    "a docstring and code": Case(
        '"""Doc.\n\nMore.\n"""\n\nx = 1\n', "hmac", "hmac", '"""Doc.\n\nMore.\n"""\n\nimport hmac\n\nx = 1\n'
    ),
    "a docstring and a function": Case(
        '"""Doc."""\n\n\ndef f(): ...\n', "hmac", "hmac", '"""Doc."""\n\nimport hmac\n\n\ndef f(): ...\n'
    ),
    "a function first": Case(
        "@deco\ndef f(): ...\n", "hmac", "hmac", "import hmac\n\n\n@deco\ndef f(): ...\n"
    ),
    "a shebang and an encoding": Case(
        "#!/usr/bin/env python\n# coding: utf-8\nx = 1\n",
        "hmac",
        "hmac",
        "#!/usr/bin/env python\n# coding: utf-8\nimport hmac\n\nx = 1\n",
    ),
    "a licence and a comment on the code": Case(
        "# Licence\n\n# About x\nx = 1\n", "hmac", "hmac", "# Licence\n\nimport hmac\n\n# About x\nx = 1\n"
    ),
    "comments only": Case("# Licence\n", "hmac", "hmac", "# Licence\nimport hmac\n"),
    "a future import only": Case(
        "from __future__ import annotations\n\nx = 1\n",
        "sqlalchemy.select",
        "select",
        "from __future__ import annotations\n\nfrom sqlalchemy import select\n\nx = 1\n",
    ),
    "the future itself": Case(
        '"""Doc."""\n\nimport os\n',
        "__future__.annotations",
        "annotations",
        '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n',
    ),
    "among the standard library": Case(
        "import abc\nimport re\nfrom typing import Any\n\nx = 1\n",
        "os",
        "os",
        "import abc\nimport os\nimport re\nfrom typing import Any\n\nx = 1\n",
    ),
    "from after import": Case(
        "import abc\nimport re\n\nx = 1\n",
        "asyncio.sleep",
        "sleep",
        "import abc\nimport re\nfrom asyncio import sleep\n\nx = 1\n",
    ),
    "a new section at the end": Case(
        "import abc\n\nx = 1\n",
        "django.db.models",
        "models",
        "import abc\n\nfrom django.db import models\n\nx = 1\n",
    ),
    "a new section at the start": Case(
        "# About the file\nfrom django.db import models\n\nx = 1\n",
        "abc.ABC",
        "ABC",
        "# About the file\nfrom abc import ABC\n\nfrom django.db import models\n\nx = 1\n",
    ),
    "a new section between two": Case(
        "import abc\n\nfrom . import forms\n\nx = 1\n",
        "django.db.models",
        "models",
        "import abc\n\nfrom django.db import models\n\nfrom . import forms\n\nx = 1\n",
    ),
    "a new section at the end of the file": Case(
        "import abc", "flask.abort", "abort", "import abc\n\nfrom flask import abort"
    ),
    "sections that no blank line separates": Case(
        "import abc\nfrom . import forms\nx = 1\n",
        "django.db.models",
        "models",
        "import abc\nfrom django.db import models\nfrom . import forms\nx = 1\n",
    ),
    "third party before the project's own": Case(
        "import abc\n\nfrom django.db import models\n\nfrom shop.models import Order\n\nx = 1\n",
        "sqlalchemy.select",
        "select",
        "import abc\n\nfrom django.db import models\nfrom sqlalchemy import select\n\n"
        "from shop.models import Order\n\nx = 1\n",
        "src/shop/views.py",
    ),
    "only the project's own": Case(
        "from shop.models import Order\n\nx = 1\n",
        "sqlalchemy.select",
        "select",
        "from sqlalchemy import select\n\nfrom shop.models import Order\n\nx = 1\n",
        "src/shop/views.py",
    ),
    "the project's own": Case(
        "from django.db import models\n\nx = 1\n",
        "shop.models.Order",
        "Order",
        "from django.db import models\n\nfrom shop.models import Order\n\nx = 1\n",
        "src/shop/views.py",
    ),
    "relative ones, the farthest first": Case(
        "from ... import a\nfrom . import b\nfrom .b import c\n\nx = 1\n",
        "..models.Order",
        "Order",
        "from ... import a\nfrom ..models import Order\nfrom . import b\nfrom .b import c\n\nx = 1\n",
    ),
    "a comment belongs to the import below": Case(
        "import abc\n\n# About re\nimport re\n\nx = 1\n",
        "os",
        "os",
        "import abc\nimport os\n\n# About re\nimport re\n\nx = 1\n",
    ),
    "a semicolon": Case(
        "import abc; import re\nx = 1\n", "sys", "sys", "import abc; import re\nimport sys\nx = 1\n"
    ),
    "a semicolon before something long": Case(
        'import abc; x = """\n"""\ny = 1\n', "sys", "sys", 'import abc; x = """\n"""\nimport sys\ny = 1\n'
    ),
    "an import that is sorted by module alone": Case(
        "import re\nfrom abc import ABC\n\nx = 1\n",
        "os.path",
        "path",
        "import re\nfrom abc import ABC\nfrom os import path\n\nx = 1\n",
    ),
    "sections sorted without regard to from": Case(
        "from abc import ABC\nimport re\nfrom typing import Any\n\nx = 1\n",
        "os.path",
        "path",
        "from abc import ABC\nfrom os import path\nimport re\nfrom typing import Any\n\nx = 1\n",
    ),
    "numbers by value, case aside": Case(
        "import a2\nimport A10\n\nx = 1\n", "a9", "a9", "import a2\nimport a9\nimport A10\n\nx = 1\n"
    ),
    "an unsorted section": Case(
        "import re\nimport abc\nimport sys\n\nx = 1\n",
        "os",
        "os",
        "import re\nimport abc\nimport sys\nimport os\n\nx = 1\n",
    ),
    "the block of the same package": Case(
        "import os\n\nos.environ['A'] = '1'\n\nfrom django.db import models\n\nx = 1\n",
        "django.db.transaction.atomic",
        "atomic",
        "import os\n\nos.environ['A'] = '1'\n\nfrom django.db import models\nfrom django.db.transaction import atomic\n\nx = 1\n",
    ),
    "imports behind definitions do not count": Case(
        "def f(): ...\n\n\nimport re\n", "hmac", "hmac", "import hmac\n\n\ndef f(): ...\n\n\nimport re\n"
    ),
    "extends a line": Case(
        "from sqlalchemy import Column, delete, update  # noqa: F401\n",
        "sqlalchemy.select",
        "select",
        "from sqlalchemy import Column, delete, select, update  # noqa: F401\n",
    ),
    "extends a line at its start": Case(
        "from sqlalchemy import select\n",
        "sqlalchemy.Column",
        "Column",
        "from sqlalchemy import Column, select\n",
    ),
    "extends a line at its end": Case(
        "from pydantic import BaseModel\n",
        "pydantic.Field",
        "Field",
        "from pydantic import BaseModel, Field\n",
    ),
    "constants, classes, functions": Case(
        "from m import ONE, Zeta, alpha\n", "m.TWO", "TWO", "from m import ONE, TWO, Zeta, alpha\n"
    ),
    "names sorted without regard to type": Case(
        "from m import alpha, Beta, gamma\n", "m.Delta", "Delta", "from m import alpha, Beta, Delta, gamma\n"
    ),
    "names in no order": Case("from m import c, a, b\n", "m.aa", "aa", "from m import c, a, b, aa\n"),
    "a line that becomes too long": Case(
        "from sqlalchemy import aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccc\n",
        "sqlalchemy.select",
        "select",
        "from sqlalchemy import (\n    aaaaaaaaaaaaaaaaaaaa,\n    bbbbbbbbbbbbbbbbbbbbbbbb,\n"
        "    cccccccccccccccccc,\n    select,\n)\n",
    ),
    "a line with a comment that becomes too long": Case(
        "from sqlalchemy import aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccc  # noqa: F401\n",
        "sqlalchemy.select",
        "select",
        "from sqlalchemy import (  # noqa: F401\n    aaaaaaaaaaaaaaaaaaaa,\n    bbbbbbbbbbbbbbbbbbbbbbbb,\n"
        "    cccccccccccccccccc,\n    select,\n)\n",
    ),
    "a new line that is too long": Case(
        "import abc\n",
        "django.contrib.contenttypes.management.commands.remove_stale_contenttypes.NoFastDeleteCollector",
        "NoFastDeleteCollector",
        "import abc\n\nfrom django.contrib.contenttypes.management.commands.remove_stale_contenttypes import (\n"
        "    NoFastDeleteCollector,\n)\n",
    ),
    "one name a line": Case(
        "from m import (\n    Alpha,\n    gamma,\n)\n",
        "m.beta",
        "beta",
        "from m import (\n    Alpha,\n    beta,\n    gamma,\n)\n",
    ),
    "one name a line, first": Case(
        "from m import (\n    beta,\n    gamma,\n)\n",
        "m.A",
        "A",
        "from m import (\n    A,\n    beta,\n    gamma,\n)\n",
    ),
    "one name a line, last": Case(
        "from m import (\n    a,\n    b,  # why b\n)\n",
        "m.c",
        "c",
        "from m import (\n    a,\n    b,  # why b\n    c,\n)\n",
    ),
    "one name a line with comments": Case(
        "from m import (\n    a,  # why a\n    # why d\n    d,\n)\n",
        "m.c",
        "c",
        "from m import (\n    a,  # why a\n    c,\n    # why d\n    d,\n)\n",
    ),
    "an alias statement stays alone": Case(
        "from m import a as b\n\nx = 1\n", "m.c", "c", "from m import a as b\nfrom m import c\n\nx = 1\n"
    ),
    "one statement for each name": Case(
        "from m import a\nfrom m import c\nfrom n import d\n\nx = 1\n",
        "m.b",
        "b",
        "from m import a\nfrom m import b\nfrom m import c\nfrom n import d\n\nx = 1\n",
    ),
    "a guarded import moves out": Case(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from uuid import UUID, uuid4\n\nx = 1\n",
        "uuid.UUID",
        "UUID",
        "from typing import TYPE_CHECKING\nfrom uuid import UUID\n\n"
        "if TYPE_CHECKING:\n    from uuid import uuid4\n\nx = 1\n",
    ),
    "the last guarded import moves out": Case(
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from sqlalchemy.orm import Session\n\n\ndef f(): ...\n",
        "sqlalchemy.orm.Session",
        "Session",
        "from __future__ import annotations\n\nfrom sqlalchemy.orm import Session\n\n\ndef f(): ...\n",
    ),
    "other guarded imports stay": Case(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from uuid import UUID\n\nx = 1\n",
        "flask.abort",
        "abort",
        "from typing import TYPE_CHECKING\n\nfrom flask import abort\n\n"
        "if TYPE_CHECKING:\n    from uuid import UUID\n\nx = 1\n",
    ),
    "a name that a function has": Case(
        "import abc\n\n\ndef select(): ...\n",
        "sqlalchemy.select",
        "_select",
        "import abc\n\nfrom sqlalchemy import select as _select\n\n\ndef select(): ...\n",
    ),
    "a name that a parameter has": Case(
        "import abc\n\n\ndef f(select): ...\n",
        "sqlalchemy.select",
        "_select",
        "import abc\n\nfrom sqlalchemy import select as _select\n\n\ndef f(select): ...\n",
    ),
    "a name that another import has": Case(
        "from select import select\n\nx = 1\n",
        "sqlalchemy.select",
        "_select",
        "from select import select\n\nfrom sqlalchemy import select as _select\n\nx = 1\n",
    ),
    "a taken name beside a statement of the module": Case(
        "from sqlalchemy import func\n\nselect = 1\n",
        "sqlalchemy.select",
        "_select",
        "from sqlalchemy import func\nfrom sqlalchemy import select as _select\n\nselect = 1\n",
    ),
    "a name and its private form are taken": Case(
        "select = _select = 1\n",
        "sqlalchemy.select",
        "sqlalchemy_select",
        "from sqlalchemy import select as sqlalchemy_select\n\nselect = _select = 1\n",
    ),
    "a built-in that the module reads": Case(
        "x = sum([])\n", "sqlalchemy.sum", "_sum", "from sqlalchemy import sum as _sum\n\nx = sum([])\n"
    ),
    "a name that a star may give": Case(
        "from m import *\n\nx = select\n",
        "sqlalchemy.select",
        "_select",
        "from m import *\nfrom sqlalchemy import select as _select\n\nx = select\n",
    ),
    "a method hides nothing": Case(
        "import abc\n\n\nclass C:\n    def select(self): ...\n",
        "sqlalchemy.select",
        "select",
        "import abc\n\nfrom sqlalchemy import select\n\n\nclass C:\n    def select(self): ...\n",
    ),
    "a local import of the same thing hides nothing": Case(
        "import abc\n\n\ndef f():\n    from sqlalchemy import select\n",
        "sqlalchemy.select",
        "select",
        "import abc\n\nfrom sqlalchemy import select\n\n\ndef f():\n    from sqlalchemy import select\n",
    ),
}

# The project or the style of these is not what ruff's defaults describe.
NOT_RUFF = {
    "sections that no blank line separates",
    "a semicolon",
    "a semicolon before something long",
    "sections sorted without regard to from",
    "an unsorted section",
    "names sorted without regard to type",
    "names in no order",
    "one statement for each name",
    "third party before the project's own",
    "only the project's own",
    "the project's own",
}


@pytest.mark.parametrize("case", ADDED.values(), ids=ADDED.keys())
def test_an_import_is_added(case: Case) -> None:
    source = Source(case.path, case.before.encode())
    expression, edits = add_import(source, case.dotted)
    assert expression == case.expression
    assert apply(source.text, edits) == case.after


@pytest.mark.parametrize("newline", ["\r\n", "\r"], ids=["windows", "old mac"])
@pytest.mark.parametrize("case", ADDED.values(), ids=ADDED.keys())
def test_an_import_is_added_to_other_line_endings(case: Case, newline: str) -> None:
    source = Source(case.path, case.before.replace("\n", newline).encode())
    _, edits = add_import(source, case.dotted)
    converted = [
        Edit(edit.start, edit.end, edit.text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", newline))
        for edit in edits
    ]
    after = apply(source.text, converted)
    if newline in case.before:
        assert after == case.after.replace("\n", newline)
    ast.parse(after)


@pytest.mark.parametrize("case", ADDED.values(), ids=ADDED.keys())
def test_what_was_added_is_found_again(case: Case) -> None:
    source = Source(case.path, case.after.encode())
    assert add_import(source, case.dotted) == (case.expression, ())


def test_ruff_accepts_the_imports(tmp_path: Path) -> None:
    for name, case in ADDED.items():
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(case.after)
        (tmp_path / f"{name.replace(' ', '_')}.before.py").write_text(case.before)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "I001",
        "--output-format",
        "json",
        ".",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = {Path(found["filename"]).stem for found in json.loads(run.stdout)}
    names = {name.replace(" ", "_") for name in ADDED}
    unexpected = {name for name in names & wrong if f"{name}.before" not in wrong}
    assert unexpected - {name.replace(" ", "_") for name in NOT_RUFF} == set()


def test_isort_accepts_the_imports(tmp_path: Path) -> None:
    config = isort.Config(profile="black")
    wrong = {
        name
        for name, case in ADDED.items()
        if name not in NOT_RUFF
        and isort.check_code(case.before, config=config)
        and not isort.check_code(case.after, config=config)
    }
    assert wrong == set()


EXISTING = {
    "the name": ("from sqlalchemy import select\n", "sqlalchemy.select", "select"),
    "the name under an alias": ("from sqlalchemy import select as s\n", "sqlalchemy.select", "s"),
    "the module": ("import sqlalchemy\n", "sqlalchemy.select", "sqlalchemy.select"),
    "the module under an alias": ("import sqlalchemy as sa\n", "sqlalchemy.select", "sa.select"),
    "the module from its package": ("from sqlalchemy import orm\n", "sqlalchemy.orm.Session", "orm.Session"),
    "a submodule": ("import sqlalchemy.orm\n", "sqlalchemy.orm.Session", "sqlalchemy.orm.Session"),
    "a plain module": ("import datetime as dt\n", "datetime", "dt"),
    "a relative name": ("from .models import Order\n", ".models.Order", "Order"),
    "a name of the package": ("from . import models\n", ".models", "models"),
    "a module of the package": ("from . import models\n", ".models.Order", "models.Order"),
    "one of two ways to get it": (
        "try:\n    from m import a\nexcept ImportError:\n    from n import a\n", "m.a", "a",
    ),
    "the other way to get it": (
        "try:\n    from m import a\nexcept ImportError:\n    from n import a\n", "n.a", "a",
    ),
    "both branches": ("if x:\n    from m import a\nelse:\n    from n import a\n", "m.a", "a"),
    "behind a guard that also imports it": (
        "from m import a\nif TYPE_CHECKING:\n    from m import a\n", "m.a", "a",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "dotted", "expression"), EXISTING.values(), ids=EXISTING.keys())
def test_an_import_that_is_there_is_used(text: str, dotted: str, expression: str) -> None:
    assert add_import(Source("a.py", text.encode()), dotted) == (expression, ())


NOT_USABLE = {
    "only one branch": ("if x:\n    from m import a\n", "m.a"),
    "it is rebound": ("from m import a\na = wrap(a)\n", "m.a"),
    "it is rebound in a function": ("from m import a\ndef f():\n    global a\n    a = 1\n", "m.a"),
    "it is hidden by a parameter": ("from m import a\ndef f(a): ...\n", "m.a"),
    "it is hidden by a comprehension": ("from m import a\nx = [a for a in y]\n", "m.a"),
    "the module is hidden": ("import m\ndef f(m): ...\n", "m.a"),
    "another name of the package is imported": ("import m.n\n", "m.o.a"),
    "it is imported in a function": ("def f():\n    from m import a\n", "m.a"),
}


@pytest.mark.parametrize(("text", "dotted"), NOT_USABLE.values(), ids=NOT_USABLE.keys())
def test_an_import_that_may_mean_something_else_is_not_used(text: str, dotted: str) -> None:
    source = Source("a.py", text.encode())
    expression, edits = add_import(source, dotted)
    assert edits
    after = Source("a.py", apply(text, edits).encode())
    assert add_import(after, dotted) == (expression, ())


def test_the_caller_knows_what_is_taken() -> None:
    source = Source("a.py", b"import abc\n\n\ndef f(select): ...\n")
    assert add_import(source, "sqlalchemy.select", taken=lambda name: False)[0] == "select"
    assert add_import(source, "sqlalchemy.func", taken=lambda name: name == "func")[0] == "_func"


def test_the_caller_knows_what_is_the_projects_own() -> None:
    source = Source("a.py", b"from acme import x\n\ny = 1\n")
    _, edits = add_import(source, "flask.abort", first_party=lambda package: package == "acme")
    assert apply(source.text, edits) == "from flask import abort\n\nfrom acme import x\n\ny = 1\n"


def test_a_module_can_be_imported_by_its_dotted_name() -> None:
    source = Source("a.py", b"import abc\n")
    expression, edits = add_import(source, "os.path", from_import=False)
    assert (expression, apply(source.text, edits)) == ("os.path", "import abc\nimport os.path\n")
    expression, edits = add_import(source, "sqlalchemy", alias="sa")
    assert (expression, apply(source.text, edits)) == ("sa", "import abc\n\nimport sqlalchemy as sa\n")


def test_a_byte_order_mark_is_no_text() -> None:
    source = Source("a.py", b"\xef\xbb\xbfx = 1\n")
    _, edits = add_import(source, "hmac")
    assert source.encode(apply(source.text, edits)) == b"\xef\xbb\xbfimport hmac\n\nx = 1\n"


def imported(source: Source, *locals_: str) -> list[ImportedName]:
    """The imports of some names, wherever they are."""
    statements: list[ast.Import | ast.ImportFrom] = [*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)]
    found = {
        name.asname or name.name: (statement, name) for statement in statements for name in statement.names
    }
    return [found[local] for local in locals_]


class Removal(NamedTuple):
    before: str
    names: Sequence[str]
    after: str


REMOVED = {
    "the only name": Removal("import a\nimport b\nx = 1\n", ["a"], "import b\nx = 1\n"),
    "with its comment": Removal("import a  # noqa\nimport b\n", ["a"], "import b\n"),
    "the first of a line": Removal("from m import a, b, c\n", ["a"], "from m import b, c\n"),
    "the middle of a line": Removal("from m import a, b, c\n", ["b"], "from m import a, c\n"),
    "the last of a line": Removal("from m import a, b, c  # why\n", ["c"], "from m import a, b  # why\n"),
    "several of a line": Removal("from m import a, b, c, d\n", ["a", "b", "d"], "from m import c\n"),
    "the last in brackets": Removal("from m import (a, b,)\n", ["b"], "from m import (a,)\n"),
    "all of a statement": Removal("from m import a, b\nx = 1\n", ["a", "b"], "x = 1\n"),
    "one of its own line": Removal(
        "from m import (\n    a,\n    b,  # why\n    c,\n)\n", ["b"], "from m import (\n    a,\n    c,\n)\n"
    ),
    "the last of its own line": Removal(
        "from m import (\n    a,\n    b\n)\n", ["b"], "from m import (\n    a,\n)\n"
    ),
    "wrapped lines": Removal("from m import (a, b,\n               c)\n", ["b"], "from m import (a, c)\n"),
    "a comment between names": Removal(
        "from m import (a, b,  # why\n               c)\n",
        ["c"],
        "from m import (a, b,  # why\n               )\n",
    ),
    "a continued line": Removal("from m import a, \\\n    b\n", ["b"], "from m import a\n"),
    "a plain import": Removal("import a, b as c\n", ["a"], "import b as c\n"),
    "a section of its own": Removal("import a\n\nimport b\n\nimport c\n", ["b"], "import a\n\nimport c\n"),
    "two sections of their own": Removal(
        "import a\n\nimport b\n\nimport c\n\nimport d\n", ["b", "c"], "import a\n\nimport d\n"
    ),
    "the first section": Removal("import a\n\nimport b\n", ["a"], "import b\n"),
    "the last section": Removal(
        "import a\n\nimport b\n\n\ndef f(): ...\n", ["b"], "import a\n\n\ndef f(): ...\n"
    ),
    "the last line": Removal("import a\n\nimport b\n", ["b"], "import a\n"),
    "the last line without newline": Removal("import a\nimport b", ["b"], "import a"),
    "the whole file": Removal("import a\n", ["a"], ""),
    "the only statement of a block": Removal("if x:\n    import a\n", ["a"], "if x:\n    pass\n"),
    "all statements of a block": Removal(
        "if x:\n    import a\n    import b\n", ["a", "b"], "if x:\n    pass\n"
    ),
    "the first statement of a function": Removal(
        "def f():\n    import a\n\n    return 1\n", ["a"], "def f():\n    return 1\n"
    ),
    "a try": Removal(
        "try:\n    import a\nexcept ImportError:\n    a = 1\n",
        ["a"],
        "try:\n    pass\nexcept ImportError:\n    a = 1\n",
    ),
    "a guarded block": Removal(
        "import os\n\nif typing.TYPE_CHECKING:\n    import a\n\nx = 1\n", ["a"], "import os\n\nx = 1\n"
    ),
    "a guarded block, and what guarded it": Removal(
        "from typing import TYPE_CHECKING, Any\n\nif TYPE_CHECKING:\n    from m import a\n\nx: Any = 1\n",
        ["a"],
        "from typing import Any\n\nx: Any = 1\n",
    ),
    "one of two guarded blocks": Removal(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import a\nif TYPE_CHECKING:\n    import b\n",
        ["a"],
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import b\n",
    ),
    "a guarded block with an else": Removal(
        "if TYPE_CHECKING:\n    import a\nelse:\n    a = 1\n",
        ["a"],
        "if TYPE_CHECKING:\n    pass\nelse:\n    a = 1\n",
    ),
    "a semicolon behind": Removal("import a; x = 1\n", ["a"], "x = 1\n"),
    "a semicolon before": Removal("x = 1; import a\n", ["a"], "x = 1\n"),
    "semicolons around": Removal("x = 1; import a; y = 2\n", ["a"], "x = 1; y = 2\n"),
    "a block on one line": Removal("if x: import a\n", ["a"], "if x: pass\n"),
    "non-ASCII before it": Removal("é = 1; from m import a, b\n", ["a"], "é = 1; from m import b\n"),
}


@pytest.mark.parametrize("case", REMOVED.values(), ids=REMOVED.keys())
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_names_are_removed(case: Removal, newline: str) -> None:
    source = Source("a.py", case.before.replace("\n", newline).encode())
    after = apply(source.text, remove_names(source, imported(source, *case.names)))
    assert after == case.after.replace("\n", newline)
    ast.parse(after)


def test_two_joined_statements_are_removed() -> None:
    source = Source("a.py", b"x = 1; import a; import b\n")
    after = apply(source.text, remove_names(source, imported(source, "a", "b")))
    assert [type(node).__name__ for node in ast.parse(after).body] == ["Assign"]


ORPHANED = {
    "nothing else uses it": ("from m import a\n\na()\n", ["a"]),
    "something else uses it": ("from m import a\n\na()\na\n", []),
    "a guarded import": ("if TYPE_CHECKING:\n    from m import a\n\na()\n", ["a"]),
    "an annotation in a string": ("from m import a\n\na()\nx: 'list[a]'\n", []),
    "a message in a string": ("from m import a\n\na()\nx = 'choose a or b here'\n", ["a"]),
    "exported": ("from m import a\n\na()\n__all__ = ['a']\n", []),
    "exported by alias": ("from m import a as a\n\na()\n", []),
    "kept by noqa": ("from m import a  # noqa: F401\n\na()\n", []),
    "kept by a bare noqa": ("from m import a  # noqa\n\na()\n", []),
    "another noqa": ("from m import a  # noqa: E402\n\na()\n", ["a"]),
    "an attribute of a module": ("import m.n\n\nm.n.a()\n", ["m.n"]),
    "two imports of one package": ("import m.n\nimport m.o\n\nm.n.a()\n", []),
    "an import that nothing used": ("from m import a, b\n\na()\n", ["a"]),
    "a fallback": ("try:\n    from m import a\nexcept ImportError:\n    a = None\n\na()\n", []),
    "an import of a function": ("def f():\n    from m import a\n\na()\n", []),
}


@pytest.mark.parametrize(("text", "expected"), ORPHANED.values(), ids=ORPHANED.keys())
def test_orphaned_imports_are_found(text: str, expected: list[str]) -> None:
    source = Source("a.py", text.encode())
    call = next(iter(source.nodes(ast.Call)))
    assert [name.name for _, name in orphaned(source, [call])] == expected


def test_a_package_keeps_what_it_imports() -> None:
    source = Source("shop/__init__.py", b"from m import a\n\na()\n")
    assert orphaned(source, source.nodes(ast.Call)) == []


def test_imports_are_unused_only_where_they_were_used() -> None:
    before = Source("a.py", b"from m import a, b, c\n\na()\nc()\n")
    after = Source("a.py", b"from m import a, b, c\n\nc()\n")
    assert apply(after.text, unused_since(before, after, with_comments=True)) == "from m import b, c\n\nc()\n"


def test_a_removed_import_takes_a_comment_along_only_on_request() -> None:
    before = Source(
        "a.py", b"import a\nimport b  # why\nfrom m import (\n    c,  # why\n    d,\n)\n\na, b, c, d\n"
    )
    after = Source("a.py", before.data.replace(b"a, b, c, d", b"1"))
    assert apply(after.text, unused_since(before, after, with_comments=True)) == "1\n"
    kept = apply(after.text, unused_since(before, after, with_comments=False))
    assert kept == "import b  # why\nfrom m import (\n    c,  # why\n)\n\n1\n"


REPLACED = {
    "a name that only type checkers import": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from m import a, b\n",
        ["m.b"], [],
        "from typing import TYPE_CHECKING\n\nfrom m import b\n\nif TYPE_CHECKING:\n    from m import a\n",
    ),
    "another name of the module": (
        "from pydantic import BaseModel, validator  # why\n", ["pydantic.field_validator"], ["validator"],
        "from pydantic import BaseModel, field_validator  # why\n",
    ),
    "the only name of the module": (
        "from pydantic import validator  # why\n", ["pydantic.field_validator"], ["validator"],
        "from pydantic import field_validator  # why\n",
    ),
    "the same name of another module": (
        "import os\n\nfrom typing_extensions import Self\n\n\nclass A: ...\n", ["typing.Self"], ["Self"],
        "import os\nfrom typing import Self\n\n\nclass A: ...\n",
    ),
    "the only import": (
        '"""Doc."""\n\nfrom m import a\n\nx = 1\n', ["os.path"], ["a"],
        '"""Doc."""\n\nfrom os import path\n\nx = 1\n',
    ),
    "several at once": (
        "from fastapi import FastAPI\n\nx = 1\n", ["contextlib.asynccontextmanager", "collections.abc.AsyncIterator"],
        [],
        "from collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n\n"
        "from fastapi import FastAPI\n\nx = 1\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "add", "remove", "after"), REPLACED.values(), ids=REPLACED.keys())
def test_imports_are_replaced(before: str, add: list[str], remove: list[str], after: str) -> None:
    source = Source("a.py", before.encode())
    expressions, edits = replace_imports(source, add, imported(source, *remove))
    assert apply(before, edits) == after
    assert expressions == tuple(dotted.rpartition(".")[2] for dotted in add)


MOVED = {
    "one of several": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from uuid import UUID\n    from m import a\n\nx = 1\n",
        "from typing import TYPE_CHECKING\nfrom uuid import UUID\n\nif TYPE_CHECKING:\n    from m import a\n\nx = 1\n",
    ),
    "the only one": (
        "import typing\n\nif typing.TYPE_CHECKING:\n    from uuid import UUID\n\nx: typing.Any = 1\n",
        "import typing\nfrom uuid import UUID\n\nx: typing.Any = 1\n",
    ),
    "under its alias": (
        "import abc\n\nif TYPE_CHECKING:\n    from m import UUID as UUID\n    import a\n",
        "import abc\n\nfrom m import UUID as UUID\n\nif TYPE_CHECKING:\n    import a\n",
    ),
    "beside another import of its module": (
        "import uuid\nfrom uuid import uuid4\n\nif TYPE_CHECKING:\n    from uuid import UUID\n    import a\n",
        "import uuid\nfrom uuid import UUID, uuid4\n\nif TYPE_CHECKING:\n    import a\n",
    ),
    "a name that parameters have": (
        "import abc\n\nif TYPE_CHECKING:\n    from m import UUID\n    import a\n\n\ndef f(UUID): ...\n",
        "import abc\n\nfrom m import UUID\n\nif TYPE_CHECKING:\n    import a\n\n\ndef f(UUID): ...\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), MOVED.values(), ids=MOVED.keys())
def test_a_guarded_import_is_moved(before: str, after: str) -> None:
    source = Source("a.py", before.encode())
    [(statement, name)] = imported(source, "UUID")
    assert apply(before, move_import(source, statement, name)) == after


PIECES = [
    "", "", "# comment", '"""doc"""', 'x = """\n"""', "\f", "import a", "import a; x = 1", "x = 1; import a",
    "import a \\\n   , b", "from b import c", "from b import (c,\n  d)", "from b import c as d, e",
    "from . import *", "from __future__ import annotations",
    "if TYPE_CHECKING:\n    from b import c\n    import z", "if x: import a",
    "try:\n    import a\nexcept ImportError: pass", "def f():\n    import a\n\n    a()", "class A: import a",
    "@x\ndef g(): ...", "select = 1",
]  # fmt: skip
WANTED = ["os.path", "b.e", "sqlalchemy.select", "..x.y", "__future__.annotations", "a", "a.q"]


def compiles(text: str) -> bool:
    try:
        compile(text, "a.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=9).map("\n".join),
    st.sampled_from(["", "\n"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(WANTED),
    st.data(),
)
def test_any_module_still_compiles(
    text: str, end: str, newline: str, dotted: str, data: st.DataObject
) -> None:
    source = Source("a.py", (text + end).replace("\n", newline).encode())
    assume(compiles(source.text))

    def after(edits: Sequence[Edit]) -> str:
        ends = re.compile(r"\r\n|\r|\n")
        return apply(source.text, [Edit(e.start, e.end, ends.sub(source.newline, e.text)) for e in edits])

    expression, edits = add_import(source, dotted)
    added = after(edits)
    assert compiles(added)
    assert add_import(Source("a.py", added.encode()), dotted) == (expression, ())
    statements: list[ast.Import | ast.ImportFrom] = [*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)]
    names: list[ImportedName] = [(one, name) for one in statements for name in one.names]
    chosen = [pair for pair in names if data.draw(st.booleans())]
    assert compiles(after(remove_names(source, chosen)))
    assert compiles(after(replace_imports(source, [dotted], chosen)[1]))
