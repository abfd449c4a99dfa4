"""Rule PB923: path-traversal-flow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import Place, flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB923",
    "path-traversal-flow",
    "Keep `{name}` inside its directory: it comes from the request and names a file for `{sink}`",
    nodes=(ast.Call,),
    names=request_sinks.FILE_CALLS,
    severity="error",
    tags=("security",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """What a client sends names a file on the server, and nothing keeps it inside a directory.

    ## Why
    `../../etc/passwd` leaves the directory, and an absolute path replaces it:
    `os.path.join("uploads", "/etc")` is `/etc`, and so is `Path("uploads") / "/etc"`. So any file that the
    process may read is served, any that it may write is overwritten. The name of an
    upload (`file.filename`) is what the client says it is.

    ## Bad
    ```python file=shop/files.py check
    from pathlib import Path

    UPLOADS = Path("/srv/uploads")


    def stored(name: str) -> bytes:
        return (UPLOADS / name).read_bytes()
    ```
    ```python file=shop/web.py
    from fastapi import FastAPI, Response

    from shop.files import stored

    app = FastAPI()


    @app.get("/download")
    def download(name: str) -> Response:
        return Response(stored(name), media_type="application/octet-stream")
    ```
    ## Good
    ```python file=shop/files.py check
    from pathlib import Path

    UPLOADS = Path("/srv/uploads")


    def stored(name: str) -> bytes:
        path = (UPLOADS / name).resolve()
        if not path.is_relative_to(UPLOADS):
            raise FileNotFoundError(name)
        return path.read_bytes()
    ```
    ## Not reported
    ```python
    import os
    from pathlib import Path

    from flask import Flask, request, send_file
    from werkzeug.utils import secure_filename

    app = Flask(__name__)


    @app.get("/invoices/<name>")
    def invoice(name: str):
        return send_file(f"/srv/invoices/{name}.pdf")  # a segment of a path holds no slash


    @app.post("/upload")
    def upload():
        file = request.files["file"]
        file.save(os.path.join("/srv/uploads", secure_filename(file.filename)))
        return send_file(Path("/srv/thumbs") / Path(request.form["thumb"]).name)
    ```
    The name of an upload in Django (`request.FILES["file"].name`) is reduced to its last part by Django.
    ## When not to use it
    In tools that run on the user's own machine and open what the user names.
    ## References
    - OWASP, "Path Traversal"
    - Python documentation, `os.path.join` and `pathlib.PurePath.is_relative_to`
    - Werkzeug documentation, `werkzeug.utils.secure_filename`
    """
    if request_sinks.is_sample(ctx):
        return
    for sink in request_sinks.file_paths(call, ctx.module):
        flow = flow_to(sink.value, ctx.module, request_data.PATHS, Place.PATH)
        if flow is not None:
            yield ctx.finding(sink.value, name=flow.origin.shown, sink=sink.user, related=flow.steps)
