"""Rule PB922: request-forgery-flow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import Place, flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB922",
    "request-forgery-flow",
    "Check the host of `{name}` against an allow-list: the client chooses what `{sink}` requests",
    nodes=(ast.Call,),
    names=request_sinks.REQUEST_CALLS,
    words=request_sinks.REQUEST_WORDS,
    severity="error",
    tags=("security",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A client chooses the host that the server sends a request to.

    ## Why
    The server stands behind the firewall and is trusted there: `http://169.254.169.254/` gives the
    credentials of the machine in many clouds, and internal services answer without a password. That a URL is
    valid (`HttpUrl`) says nothing about where it leads.

    ## Bad
    ```python
    import httpx


    async def fetch_logo(url: str) -> bytes:
        async with httpx.AsyncClient(timeout=5) as client:
            response = await client.get(url)
        return response.content
    ```
    ```python file=shop/web.py
    from fastapi import FastAPI
    from pydantic import BaseModel

    from example import fetch_logo

    app = FastAPI()


    class Supplier(BaseModel):
        name: str
        logo: str


    @app.post("/suppliers")
    async def add(supplier: Supplier) -> int:
        return len(await fetch_logo(supplier.logo))
    ```
    ## Good
    ```python
    from urllib.parse import urlsplit

    import httpx

    HOSTS = {"images.example.com"}


    async def fetch_logo(url: str) -> bytes:
        if urlsplit(url).hostname not in HOSTS:
            raise ValueError("unknown host")
        async with httpx.AsyncClient(timeout=5) as client:
            response = await client.get(url)
        return response.content
    ```
    ## Not reported
    ```python
    import requests
    from flask import Flask, jsonify, request

    app = Flask(__name__)


    @app.get("/rates")
    def rates():
        currency = request.args["currency"]
        answer = requests.get(f"https://rates.example.com/v1/{currency}", timeout=5)
        return jsonify(answer.json())
    ```
    Only what begins the URL or stands behind its scheme counts; a literal host is silent. So are routes
    that only those who run the site may call, by the name of a guard (`get_admin_user`).
    ## When not to use it
    Where an egress proxy decides which hosts can be reached.
    ## References
    - OWASP Cheat Sheet Series, "Server-Side Request Forgery Prevention"
    """
    sink = request_sinks.requested_url(call, ctx.module)
    if sink is None or request_sinks.is_sample(ctx):
        return
    flow = flow_to(sink.value, ctx.module, request_data.REQUESTS, Place.START)
    if flow is not None:
        yield ctx.finding(sink.value, name=flow.origin.shown, sink=sink.user, related=flow.steps)
