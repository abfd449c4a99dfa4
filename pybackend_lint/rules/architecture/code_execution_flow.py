"""Rule PB921: code-execution-flow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import Place, flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB921",
    "code-execution-flow",
    "Do not pass `{name}` to `{sink}`: it comes from the request and runs on the server",
    nodes=(ast.Call,),
    names=request_sinks.CODE_CALLS,
    severity="error",
    tags=("security",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """What a client sends is run: by a shell, by Python, or by a loader that can call anything.

    ## Why
    A shell runs what stands behind `;`, `eval` any expression, and a pickle or a YAML file with an unsafe
    loader calls whatever function it names. So a client runs programs with the rights of the server.

    ## Bad
    ```python file=shop/backup.py check
    import subprocess


    def archive(name: str) -> None:
        subprocess.run(f"tar czf /srv/{name}.tgz /srv/data", shell=True, check=True)
    ```
    ```python file=shop/web.py
    from flask import Flask, request

    from shop.backup import archive

    app = Flask(__name__)


    @app.post("/backups")
    def backup():
        archive(request.form["name"])
        return "", 204
    ```
    ## Good
    ```python file=shop/backup.py check
    import subprocess


    def archive(name: str) -> None:
        subprocess.run(["tar", "czf", f"/srv/{name}.tgz", "/srv/data"], check=True)
    ```
    ## Not reported
    ```python
    import shlex
    import subprocess

    import yaml
    from flask import Flask, request

    app = Flask(__name__)


    @app.post("/ping")
    def ping():
        host = shlex.quote(request.form["host"])
        subprocess.run(f"ping -c 1 {host}", shell=True, check=False)
        return "", 204


    @app.post("/settings")
    def settings():
        return str(len(yaml.safe_load(request.data)))
    ```
    The arguments of a program that runs without a shell are not judged, the program itself is.
    ## When not to use it
    In tools whose purpose is to run the code of their users, in a sandbox.
    ## References
    - Python documentation, "subprocess: Security Considerations" and the warning of `pickle`
    - OWASP Cheat Sheet Series, "OS Command Injection Defense" and "Deserialization"
    """
    sink = request_sinks.run_code(call, ctx)
    if sink is None or request_sinks.is_sample(ctx):
        return
    place = Place.START if sink.whole else Place.ANYWHERE
    question = request_data.COMMANDS if sink.command else request_data.CODE
    flow = flow_to(sink.value, ctx.module, question, place)
    if flow is not None:
        yield ctx.finding(sink.value, name=flow.origin.shown, sink=sink.user, related=flow.steps)
