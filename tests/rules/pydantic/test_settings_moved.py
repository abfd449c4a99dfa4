"""Traps of settings-moved."""

from __future__ import annotations

import pytest
from pydantic.errors import PydanticImportError

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

DECLARED = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["pydantic{}"{}]\n'
IMPORT = "from pydantic import BaseSettings{}\nclass Settings(BaseSettings):\n    debug: bool = False\n"
FOUND = {
    "imported": IMPORT.format("  # PB420"),
    "through the module": "import pydantic\nclass S(pydantic.BaseSettings):  # PB420\n    a: int = 1\n",
    "from the old module": "from pydantic.env_settings import BaseSettings  # PB420\n",
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_fixed(source: str) -> None:
    files = {"pyproject.toml": DECLARED.format(">=2", "")}
    (found,) = findings("PB420", source, files=files)
    assert found.fix is not None
    assert found.fix.applicability == "unsafe"
    executed(fix("PB420", source, files=files))


@pytest.mark.parametrize("source", list(FOUND.values())[:2])
def test_pydantic_refuses(source: str) -> None:
    with pytest.raises(PydanticImportError):
        executed(source)


def test_safe_where_the_distribution_is_declared() -> None:
    files = {"pyproject.toml": DECLARED.format(">=2", ', "pydantic-settings"')}
    (found,) = findings("PB420", FOUND["through the module"], files=files)
    assert found.fix is not None
    assert found.fix.applicability == "safe"


def test_versions() -> None:
    source = IMPORT.format("")
    assert findings("PB420", source, files={"pyproject.toml": DECLARED.format("<2", "")}) == []
    assert findings("PB420", source) == []
    evidence = {"models.py": "from pydantic import field_validator\n"}
    assert len(findings("PB420", FOUND["imported"], files=evidence)) == 1


def test_both_generations() -> None:
    source = """
        import pydantic
        if pydantic.VERSION.startswith("1."):
            from pydantic import BaseSettings
        else:
            from pydantic_settings import BaseSettings
    """
    assert findings("PB420", source, files={"pyproject.toml": DECLARED.format(">=1.10", "")}) == []
