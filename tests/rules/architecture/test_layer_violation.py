"""Contracts of import-linter: the same violations as import-linter itself finds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Selection, Settings
from tests.rules.harness import check, write

FILES = {
    "shop/__init__.py": "",
    "shop/views/__init__.py": "from shop.services import orders\n",
    "shop/views/pages.py": "from shop import models\nfrom . import parts\nimport requests\n",
    "shop/views/parts.py": "PARTS = 1\n",
    "shop/services/__init__.py": "",
    "shop/services/orders.py": "from shop import common\nfrom shop.models import Order\nimport json\n",
    "shop/services/mails.py": "def send():\n    from shop.views.pages import parts\n    return parts\n",
    "shop/services/bills.py": "import shop.services.orders\nfrom ..tools import dates\n",
    "shop/models.py": (
        "from typing import TYPE_CHECKING\n"
        "from shop.common import name\n"
        "if TYPE_CHECKING:\n"
        "    from shop.views.parts import PARTS\n"
        "\n\nclass Order: ...\n"
    ),
    "shop/common.py": "from shop.deep import far\n\nname = far\n",
    "shop/deep.py": "import shop.views\n\nfar = 1\n",
    "shop/tools/__init__.py": "",
    "shop/tools/dates.py": "import datetime\nimport requests\n",
}
HEAD = '[tool.importlinter]\nroot_package = "shop"\ninclude_external_packages = true\n'
FORBIDS = "the contract that forbids this"
CONTRACT = '\n[[tool.importlinter.contracts]]\nname = "{name}"\n'
LAYERS = 'type = "layers"\n'
CONFIGURATIONS = {
    "layers": LAYERS + 'layers = ["shop.views", "shop.services", "shop.models"]',
    "two layers, one below the other": LAYERS + 'layers = ["shop.deep", "shop.models"]',
    "containers": LAYERS + 'containers = ["shop"]\nlayers = ["views", "services", "(nothing)", "models"]',
    "siblings that are independent": LAYERS + 'containers = ["shop.services"]\nlayers = ["orders | mails | bills"]',
    "siblings that are not": LAYERS + 'containers = ["shop.services"]\nlayers = ["orders : mails : bills"]',
    "an import that is ignored": LAYERS
    + 'layers = ["shop.views", "shop.services", "shop.models"]\nignore_imports = ["shop.services.mails -> shop.views.*"]',
    "forbidden": 'type = "forbidden"\nsource_modules = ["shop.services"]\nforbidden_modules = ["shop.views"]',
    "forbidden, only directly": 'type = "forbidden"\nallow_indirect_imports = true\n'
    'source_modules = ["shop.services", "shop.models"]\nforbidden_modules = ["shop.views"]',
    "layers that may be missing": LAYERS + 'layers = ["shop.views", "(shop.nothing)", "shop.services", "shop.models"]',
    "all modules of a container": LAYERS
    + 'containers = ["shop"]\nexhaustive = true\nexhaustive_ignores = ["tools", "common", "deep"]\n'
    + 'layers = ["views", "services", "models"]',
    "siblings and layers": LAYERS + 'layers = ["shop.views", "shop.services | shop.tools", "shop.models : shop.common"]',
    "imports that are ignored, at any depth": LAYERS
    + 'layers = ["shop.views", "shop.services", "shop.models"]\n'
    + 'ignore_imports = ["shop.services.** -> shop.views.**", "shop.deep -> *.views"]',
    "forbidden, the modules alone": 'type = "forbidden"\nas_packages = false\n'
    'source_modules = ["shop.services", "shop.models"]\nforbidden_modules = ["shop.views"]',
    "forbidden library": 'type = "forbidden"\nsource_modules = ["shop.tools"]\nforbidden_modules = ["requests"]',
    "protected": 'type = "protected"\nprotected_modules = ["shop.models"]\nallowed_importers = ["shop.services"]',
    "protected packages": 'type = "protected"\nprotected_modules = ["shop.services", "shop.views"]\n'
    'allowed_importers = ["shop.tools", "shop.deep"]',
    "protected modules alone": 'type = "protected"\nas_packages = false\n'
    'protected_modules = ["shop.views", "shop.models", "shop.common"]\nallowed_importers = ["shop.services"]',
    "protected, with imports that are ignored": 'type = "protected"\nprotected_modules = ["shop.models", "shop.common"]\n'
    'allowed_importers = ["shop.deep"]\nignore_imports = ["shop.views.* -> shop.models", "shop.services.orders -> shop.common"]',
    "independence": 'type = "independence"\nmodules = ["shop.services.orders", "shop.services.bills", "shop.tools"]',
}  # fmt: skip


def ours(root: Path) -> set[tuple[str, int]]:
    """The modules and rows of our findings, the same whatever is checked first."""
    settings = Settings(root=root, selections=(Selection(select=("PB958",)),))
    engine = Engine(settings)
    found = set()
    for path in reversed(FILES):
        rows = [finding.start.row for finding in check(root, path, settings)]
        assert rows == [finding.start.row for finding in check(root, path, settings, engine)]
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        found |= {(name, row) for row in rows}
    return found


def theirs(root: Path) -> set[tuple[str, int]]:
    """The first imports of the chains that import-linter prints."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    # A chain begins with a hyphen, its further imports stand below without one.
    lines = re.findall(r"^\s*- +([\w.]+) -> [\w.]+ \(l\.(\d+)", done.stdout, re.MULTILINE)
    return {(module, int(row)) for module, row in lines}


@pytest.mark.parametrize("contract", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_same_as_import_linter(contract: str, tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "pyproject.toml": f"{HEAD}{CONTRACT.format(name='one')}{contract}\n"})
    assert ours(tmp_path) == theirs(tmp_path)


@pytest.mark.parametrize("path", [".importlinter", "setup.cfg"])
def test_other_files(path: str, tmp_path: Path) -> None:
    text = (
        "[importlinter]\nroot_package = shop\nexclude_type_checking_imports = True\n\n"
        "[importlinter:contract:1]\nname = one\ntype = layers\n"
        "layers =\n    shop.views\n    shop.services\n    shop.models\n"
    )
    write(tmp_path, {**FILES, path: text})
    found = ours(tmp_path)
    assert ("shop.services.mails", 2) in found
    assert ("shop.models", 4) not in found
    assert found == theirs(tmp_path)


def test_types_count_unless_the_configuration_says_otherwise(tmp_path: Path) -> None:
    contract = f"{CONTRACT.format(name='one')}{CONFIGURATIONS['layers']}\n"
    write(tmp_path, {**FILES, "pyproject.toml": HEAD + contract})
    assert ("shop.models", 4) in ours(tmp_path)
    write(tmp_path, {"pyproject.toml": f"{HEAD}exclude_type_checking_imports = true\n{contract}"})
    assert ("shop.models", 4) not in ours(tmp_path)


def test_the_chain_is_related(tmp_path: Path) -> None:
    configuration = f"{HEAD}{CONTRACT.format(name='views on top')}{CONFIGURATIONS['layers']}\n"
    write(tmp_path, {**FILES, "pyproject.toml": configuration})
    settings = Settings(root=tmp_path, selections=(Selection(select=("PB958",)),))
    finding = check(tmp_path, "shop/services/orders.py", settings)[0]
    assert finding.message == "Do not import `shop.views` in `shop.services.orders`: views on top"
    assert [(Path(r.path).name, r.start.row, r.message) for r in finding.related] == [
        ("common.py", 1, "imports `shop.deep`"),
        ("deep.py", 1, "imports `shop.views`"),
        ("pyproject.toml", configuration[: configuration.index("views on top")].count("\n") + 1, FORBIDS),
    ]


def test_a_contract_in_another_form_is_named_too(tmp_path: Path) -> None:
    text = (
        "[importlinter]\nroot_package = shop\n\n[importlinter:contract:1]\ntype = layers\n"
        "layers =\n    shop.views\n    shop.services\n    shop.models\n"
    )
    write(tmp_path, {**FILES, ".importlinter": text})
    settings = Settings(root=tmp_path, selections=(Selection(select=("PB958",)),))
    *_, place = check(tmp_path, "shop/services/orders.py", settings)[0].related
    assert (Path(place.path).name, place.start.row, place.message) == (".importlinter", 5, FORBIDS)


@pytest.mark.parametrize(
    "configuration",
    [
        "",
        "[tool.importlinter\n",
        '[tool.importlinter]\nroot_package = "shop"\n',
        f'{HEAD}{CONTRACT.format(name="one")}type = "acyclic_siblings"\nancestors = ["shop"]\n',
        f'{HEAD}{CONTRACT.format(name="one")}type = "my.contracts.OwnContract"\nlayers = ["shop.models", "shop.views"]\n',
        f'{HEAD}{CONTRACT.format(name="one")}layers = ["shop.models", "shop.views"]\n',
        f'{HEAD}{CONTRACT.format(name="one")}type = "independence"\nmodules = ["shop.services.*"]\n',
        f'{HEAD}{CONTRACT.format(name="one")}type = "protected"\nprotected_modules = ["shop.*"]\nallowed_importers = []\n',
        f'{HEAD}{CONTRACT.format(name="one")}type = "protected"\nprotected_modules = ["shop.models"]\nallowed_importers = ["shop.*"]\n',
    ],
    ids=[
        "none",
        "broken",
        "no contract",
        "another type",
        "a type of the project",
        "no type",
        "wildcards",
        "protected wildcards",
        "allowed wildcards",
    ],
)
def test_silent(configuration: str, tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "pyproject.toml": configuration})
    assert ours(tmp_path) == set()
