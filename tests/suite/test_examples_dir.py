"""The shop of examples/ shows the faults that its page lists, and is still a program after all fixes."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pybackend_lint.registry import ENTRIES

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "shop"

_IMPORT_STORE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
import config.urls, config.middleware, sales.services
"""
_IMPORT_API = """
from fastapi.testclient import TestClient
import orders_api.main
with TestClient(orders_api.main.app) as client:
    assert client.get("/openapi.json").status_code == 200
"""


def linter(folder: Path, *arguments: str, exit_code: int) -> str:
    """Run the command line in a folder; returns what it prints."""
    command = [sys.executable, "-P", "-m", "pybackend_lint", "check", "--no-cache", *arguments, "."]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (exit_code, "")
    return run.stdout


def counts(folder: Path) -> Counter[tuple[str, str]]:
    """How often each code is reported in each file."""
    report: list[dict[str, Any]] = json.loads(linter(folder, "--output-format=json", exit_code=1))
    return Counter((Path(item["filename"]).relative_to(folder).as_posix(), item["code"]) for item in report)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the shop that may be changed."""
    folder = tmp_path.resolve() / "shop"
    shutil.copytree(SHOP, folder)
    return folder


def test_the_page_lists_the_findings(shop: Path) -> None:
    page = (SHOP / "README.md").read_text("utf-8")
    on_by_default = {entry.code for entry in ENTRIES if entry.default}
    listed = Counter(
        (path, code)
        for path, codes in re.findall(r"^\| `(.*?)` \| (.*?) \|$", page, flags=re.MULTILINE)
        for code in codes.split(", ")
        if code in on_by_default
    )
    assert counts(shop) == listed
    assert counts(SHOP) <= listed


@pytest.mark.parametrize("options", [["--fix"], ["--fix", "--unsafe-fixes"]], ids=["safe", "unsafe"])
def test_fixed_files_parse_and_stay_fixed(shop: Path, options: list[str]) -> None:
    before = counts(shop)
    linter(shop, *options, exit_code=1)
    fixed = {path: path.read_bytes() for path in shop.rglob("*.py")}
    for path, data in fixed.items():
        ast.parse(data, path)
    assert counts(shop).total() < before.total()
    linter(shop, *options, exit_code=1)
    assert {path: path.read_bytes() for path in shop.rglob("*.py")} == fixed


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [[], ["--fix"], ["--fix", "--unsafe-fixes"]], ids=["as is", "safe", "unsafe"]
)
@pytest.mark.parametrize(
    ("project", "program"),
    [("store", _IMPORT_STORE), ("orders_api", _IMPORT_API)],
    ids=["store", "orders_api"],
)
def test_the_shop_still_runs(shop: Path, project: str, program: str, options: list[str]) -> None:
    if options:
        linter(shop, *options, exit_code=1)
    variables = os.environ | {
        "SECRET_KEY": "x" * 50,
        "ORDERS_JWT_SECRET": "x" * 50,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=shop / project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
