"""Traps of background-task-uses-request-session."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings

OLD = {"pyproject.toml": '[project]\ndependencies = ["fastapi==0.115.0"]\n'}
HEAD = """
from typing import Annotated
import library
from fastapi import BackgroundTasks, Depends, FastAPI
from starlette.background import BackgroundTask
app = FastAPI()
def session():
    yield object()
def plain(): return object()
def outer(db=Depends(session)): return object()
def task(*values, **named): ...
Db = Annotated[object, Depends(session)]
"""
FOUND = {
    "an argument": "def route(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(task, 1, db)  # PB323",
    "a keyword": "def route(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(task, db=db)  # PB323",
    "a default": "def route(tasks: BackgroundTasks, db=Depends(session)):\n    tasks.add_task(task, db)  # PB323",
    "a task of a response": "def route(db: Db):\n    return BackgroundTask(task, 1, db)  # PB323",
    "a dependency": "def dep(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(task, db)  # PB323",
}
SILENT = {
    "nothing to clean up": "def route(tasks: BackgroundTasks, v=Depends(plain)):\n    tasks.add_task(task, v)",
    "a value of another": "def route(tasks: BackgroundTasks, v=Depends(outer)):\n    tasks.add_task(task, v)",
    "a part of it": "def route(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(task, db.name)",
    "bound again": "def route(tasks: BackgroundTasks, db: Db):\n    db = 1\n    tasks.add_task(task, db)",
    "other tasks": "def route(tasks: library.Tasks, db: Db):\n    tasks.add_task(task, db)",
    "unknown": "def route(tasks: BackgroundTasks, v=Depends(library.session)):\n    tasks.add_task(task, v)",
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND)
def test_found(code: str) -> None:
    findings("PB323", f"{HEAD}@app.post('/')\n{code}\n", files=OLD)


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB323", f"{HEAD}@app.post('/')\n{code}\n", files=OLD) == []


@pytest.mark.parametrize("version", ["==0.105.0", "==0.118.0", ">=0.110"])
def test_other_versions(version: str) -> None:
    files = {"pyproject.toml": f'[project]\ndependencies = ["fastapi{version}"]\n'}
    code = FOUND["an argument"].replace("  # PB323", "")
    assert findings("PB323", f"{HEAD}@app.post('/')\n{code}\n", files=files) == []
