"""Rule PB936: unsafe-html."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import flow_to, text_parts
from pybackend_lint.rule import Context, rule


@rule(
    "PB936",
    "unsafe-html",
    "Escape `{name}`: it comes from the request and is sent as HTML",
    nodes=(ast.Module,),
    words=("HTMLResponse", "HttpResponse", "Markup", "make_response", "flask"),
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """What a link carries is sent back as HTML as it is.

    ## Why
    A text that a Flask view returns, `HTMLResponse` (also as `response_class` of a route) and Django's
    `HttpResponse` are HTML for the browser. With `<script>` in the address, the page of your site runs the
    code of whoever made the link: it acts as the user, with the user's session.

    ## Bad
    ```python
    from flask import Flask, request

    from shop.greetings import greeting

    app = Flask(__name__)


    @app.get("/hello")
    def hello():
        return greeting(request.args.get("name", "you"))
    ```
    ```python file=shop/greetings.py
    def greeting(name):
        return f"<h1>Hello {name}</h1>"
    ```
    ## Good
    ```python
    from flask import Flask, request
    from markupsafe import escape

    from shop.greetings import greeting

    app = Flask(__name__)


    @app.get("/hello")
    def hello():
        return greeting(escape(request.args.get("name", "you")))
    ```
    ## Not reported
    ```python
    from django.http import HttpResponse
    from django.utils.html import format_html


    def hello(request):
        return HttpResponse(format_html("<h1>Hello {}</h1>", request.GET.get("name")))


    def plain(request):
        return HttpResponse(f"Hello {request.GET.get('name')}", content_type="text/plain")
    ```
    Headers, cookies and bodies in JSON, which a link cannot carry, do not count.
    ## When not to use it
    Where a proxy or middleware sets another type of content for all answers.
    ## References
    - OWASP Cheat Sheet Series, "Cross Site Scripting Prevention"
    - Flask documentation, "Quickstart: HTML Escaping"
    """
    if request_sinks.is_sample(ctx):
        return
    for text in (*request_sinks.html_texts(ctx.module), *_answers(ctx)):
        flow = flow_to(text, ctx.module, request_data.HTML)
        if flow is not None:
            yield ctx.finding(text, name=flow.origin.shown, related=flow.steps)


def _answers(ctx: Context) -> Iterator[ast.expr]:
    """The texts that Flask views of a file answer with, and routes of FastAPI whose answers are HTML."""
    for function in (*request_data.flask_views(ctx.module), *request_data.html_routes(ctx.module)):
        for value in function.returned:
            text = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
            if isinstance(text, (ast.JoinedStr, ast.BinOp, ast.Call, ast.Name)) and _is_text(text, ctx):
                yield text


def _is_text(node: ast.expr, ctx: Context) -> bool:
    known = ctx.type_of(node)
    if text_parts(node) is not None or (known is not None and known.is_instance("builtins.str")):
        return True
    found = ctx.module.lookup(node.id, node) if isinstance(node, ast.Name) else None
    values = [binding.value for binding in found[1]] if found is not None else []
    return bool(values) and all(value is not None and text_parts(value) is not None for value in values)
