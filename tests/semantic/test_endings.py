"""How functions end."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from pybackend_lint.frameworks.libraries import libraries
from pybackend_lint.project.files import Files
from pybackend_lint.project.index import Index
from pybackend_lint.project.layout import Layout
from pybackend_lint.semantic.endings import ends_without_value, never_returns

BODIES = {
    "return 1": False,
    "raise KeyError": False,
    "return": True,
    "pass": True,
    "if x:\n    return 1": True,
    "if x:\n    return 1\nelse:\n    raise KeyError": False,
    "if True:\n    return 1": False,
    "while True:\n    pass": False,
    "while True:\n    if x:\n        break": True,
    "while True:\n    for y in x:\n        break": False,
    "for y in x:\n    return 1": True,
    "with x:\n    return 1": False,
    "try:\n    return 1\nexcept KeyError:\n    pass": True,
    "try:\n    return 1\nexcept KeyError:\n    raise": False,
    "try:\n    x()\nfinally:\n    return 1": False,
    "try:\n    x()\nexcept KeyError:\n    return 1\nelse:\n    return 2": False,
    "match x:\n    case 1:\n        return 1": True,
    "match x:\n    case 1:\n        return 1\n    case _:\n        return 2": False,
    "match x:\n    case 1:\n        return 1\n    case _ if x:\n        return 2": True,
    "sys.exit(1)": False,
    "stop()": False,
    "declared()": False,
    "go()": True,
    "x.stop()": False,
    "x.stop()\nprint(x)": True,
    "raise_again()": True,
}


@pytest.mark.parametrize(("body", "expected"), BODIES.items(), ids=BODIES)
def test_ends_without_value(body: str, expected: bool, tmp_path: Path) -> None:
    text = (
        "import sys\nfrom typing import NoReturn\n\n\ndef stop():\n    raise KeyError\n\n\n"
        "def declared() -> NoReturn:\n    x()\n\n\ndef go():\n    pass\n\n\n"
        "def raise_again():\n    raise_again()\n\n\ndef f(x):\n" + textwrap.indent(body, "    ") + "\n"
    )
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "shop.py"
    path.write_text(text)
    files = Files()
    module = Index(files, Layout(files), libraries({})).at(str(path))
    assert module is not None
    function = module.modules.function_info(f"{module.name}.f")
    assert function is not None
    assert ends_without_value(function) is expected
    stop = module.modules.function_info(f"{module.name}.stop")
    assert stop is not None
    assert never_returns(stop)
