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
    "only those who run the site": """
        @app.post("/a")
        def a():
            code = request.form["code"]
            if not current_user.is_admin:
                return "", 403
            return str(eval(code))
    """,
    "characters taken out": """
        import re
        @app.post("/a")
        def a():
            host = re.sub(r"[^a-z.]", "", request.form["host"])
            return subprocess.check_output("ping -c 1 " + host, shell=True)
    """,
    "a template of our own with a variable": """
        from mako.template import Template
        @app.post("/a")
        def a():
            return Template("Hello ${name}").render(name=request.form["name"])
    """,
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
    "arguments of a shell's own script": """
        @app.post("/a")
        def a():
            subprocess.run(["sh", "backup.sh", request.form["name"]], check=True)
            subprocess.run(["sh", "-c", 'tar czf "$1" /srv', "backup", request.form["name"]], check=True)
            return "", 204
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
    "a command to which those who run the site add": """
        @app.post("/admin")
        def a():
            if not current_user.is_admin:
                return "", 403
            command = "df -h " + request.form["folder"]
            return subprocess.check_output(command, shell=True)  # PB921
    """,
    "asked of what was unpacked": """
        import base64
        @app.post("/a")
        def a():
            user = pickle.loads(base64.b64decode(request.cookies["user"]))  # PB921
            if user.is_admin:
                return "welcome"
            return ""
    """,
    "a prefix taken off": """
        import re
        @app.post("/a")
        def a():
            host = re.sub(r"^https?://", "", request.form["host"])
            return subprocess.check_output("dig " + host, shell=True)  # PB921
    """,
    "a template of Mako": """
        from mako.template import Template
        @app.post("/a")
        def a():
            return Template("Hello " + request.form["name"]).render()  # PB921
    """,
    "a field of a validated model": """
        from pydantic import BaseModel
        class Sent(BaseModel):
            command: str
        @app.post("/a")
        def a():
            sent = Sent(**request.get_json())
            return subprocess.check_output(sent.command, shell=True)  # PB921
    """,
    "a shell that is named": """
        @app.post("/a")
        def a():
            subprocess.run(["/bin/sh", "-c", f"ping {request.form['host']}"], check=True)  # PB921
            subprocess.run(["bash", "-c", request.form["line"]])  # PB921
            return "", 204
    """,
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
