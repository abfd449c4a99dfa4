"""Rule PB702: template-from-user-input."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import flask, request_data, request_sinks
from pybackend_lint.project.data_flow import flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB702",
    "template-from-user-input",
    "Render a constant template and pass `{name}` as a variable",
    nodes=(ast.Call,),
    names=("render_template_string", "from_string", "Template"),
    severity="error",
    applies="flask",
    tags=("security",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The text of a template is put together from what a user sent.

    ## Why
    A template is a program. Text that a user controls and that becomes part of its source can read the
    configuration with `{{ config }}` and, over the attributes of any object, run commands on the server.
    Escaping does not help: `{{` is not special in HTML. Values that are passed as variables are data.

    ## Bad
    ```python
    from flask import render_template_string, request

    from shop.web import app


    @app.get("/hello")
    def hello() -> str:
        name = request.args.get("name", "you")
        return render_template_string(f"<h1>Hello {name}</h1>")
    ```
    ```python file=shop/web.py
    from flask import Flask

    app = Flask("shop")
    ```

    ## Good
    ```python
    from flask import render_template_string, request

    from shop.web import app


    @app.get("/hello")
    def hello() -> str:
        name = request.args.get("name", "you")
        return render_template_string("<h1>Hello {{ name }}</h1>", name=name)
    ```

    ## Not reported
    ```python
    from flask import Flask, render_template_string, request
    from jinja2.sandbox import SandboxedEnvironment

    app = Flask(__name__)
    THEMES = {"light", "dark"}


    @app.get("/orders/<int:number>")
    def order(number: int) -> str:
        return render_template_string(f"<p>Order {number}</p>")


    @app.get("/theme")
    def theme() -> str:
        chosen = request.args.get("theme")
        if chosen not in THEMES:
            return "unknown"
        return render_template_string(f"<body class={chosen}></body>")


    @app.post("/preview")
    def preview() -> str:
        return SandboxedEnvironment().from_string(request.form["body"]).render()
    ```

    A template that a function gets whole is followed to those who call the function.

    ## When not to use it
    Where users write templates by design; use `jinja2.sandbox.SandboxedEnvironment` for them.

    ## References
    - Flask documentation, "Security Considerations"
    - Jinja documentation, "Sandbox"
    """
    source = flask.template_source(node, ctx)
    if source is None:
        return
    parameters = flask.is_flask_template(node, ctx) and flask.is_built(source, ctx)
    tainted = flask.user_input(source, ctx, parameters=parameters)
    if tainted is not None:
        yield ctx.finding(source, name=ctx.text(tainted))
    elif not request_sinks.is_fixed(source):
        flow = flow_to(source, ctx.module, request_data.CODE)
        if flow is not None:
            yield ctx.finding(source, name=flow.origin.shown, related=flow.steps)
