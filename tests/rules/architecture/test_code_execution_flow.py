"""Traps of code-execution-flow, and the fault itself."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FLASK = """
import ast, importlib, os, pickle, shlex, subprocess, yaml
from flask import Flask, request
app = Flask(__name__)
LOADERS = {"csv": "shop.csv"}
"""
SILENT = {
    "an argument of a program": """
        @app.post("/a")
        def a():
            subprocess.run(["ping", "-c", "1", request.form["host"]], check=False)
            return ""
    """,
    "quoted": """
        @app.post("/a")
        def a():
            subprocess.run("ping " + shlex.quote(request.form["host"]), shell=True, check=False)
            return ""
    """,
    "a safe loader": """
        @app.post("/a")
        def a():
            return yaml.load(request.data, Loader=yaml.SafeLoader)
    """,
    "only literals": """
        @app.post("/a")
        def a():
            return ast.literal_eval(request.form["value"])
    """,
    "from a table": """
        @app.post("/a")
        def a():
            return importlib.import_module(LOADERS[request.form["kind"]]).load()
    """,
    "a module of our own": """
        @app.post("/a")
        def a():
            return importlib.import_module(f"shop.loaders.{request.form['kind']}").load()
    """,
    "data of our own": """
        def load():
            with open("/srv/state", "rb") as file:
                return pickle.load(file)
    """,
}
FOUND = {
    "a shell": """
        @app.post("/a")
        def a():
            command = "ping -c 1 {}".format(request.form["host"])
            return subprocess.check_output(command, shell=True)  # PB921
    """,
    "evaluated": """
        @app.post("/a")
        def a():
            return str(eval(request.form["expression"]))  # PB921
    """,
    "a pickle in a cookie": """
        import base64

        @app.post("/a")
        def a():
            return pickle.loads(base64.b64decode(request.cookies["cart"])).name  # PB921
    """,
    "an unsafe loader": """
        @app.post("/a")
        def a():
            return yaml.load(request.files["file"], Loader=yaml.Loader)  # PB921
    """,
    "the program": """
        @app.post("/a")
        def a():
            return subprocess.run([request.form["tool"], "--version"], check=True)  # PB921
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB921", FLASK + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB921", FLASK + textwrap.dedent(FOUND[name]))


def test_the_shell_runs_what_stands_behind_a_semicolon(tmp_path: Path) -> None:
    code = """
        import subprocess


        def archive(name, target):
            subprocess.run(f"echo {name} > {target}/log", shell=True, check=True)
    """
    executed(code)["archive"](f"x; touch {tmp_path}/owned; echo", tmp_path)
    assert (tmp_path / "owned").exists()
