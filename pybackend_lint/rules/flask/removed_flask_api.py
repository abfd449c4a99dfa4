"""Rule PB707: removed-flask-api."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import flask
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import, replace_imports


@rule(
    "PB707",
    "removed-flask-api",
    "Replace `{name}` by {new}: Flask {since} has removed it",
    nodes=(ast.ImportFrom, ast.Attribute, ast.Call, ast.Assign),
    words=(
        "Markup", "escape", "safe_join", "_ctx_stack", "*JSON", "*_first_request", "json_encoder",
        "json_decoder", "cache_timeout", "attachment_filename", "add_etags", "send_from_directory", ".env",
    ),
    applies="flask>=2.1",
    bound="upper",
    fix=SAFE,
    severity="error",
    tags=("deprecation", "correctness"),
)  # fmt: skip
def check(node: ast.ImportFrom | ast.Attribute | ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A name, argument or configuration key is used that the project's Flask no longer has.

    ## Why
    Flask 2.1 to 3.0 removed what they had deprecated. Imports and attributes fail at start-up; a removed
    configuration key is worse, because nothing fails: `JSON_SORT_KEYS` is stored and never read.

    ## Bad
    ```python
    from flask import Markup, jsonify


    def motto(text: str) -> Markup:
        return Markup("<em>{}</em>").format(text)


    def as_json(text: str):
        return jsonify(text=text)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["flask>=3.0"]
    ```
    ```python
    from shop.web import app

    app.config["JSON_SORT_KEYS"] = False
    ```
    ```python file=shop/web.py
    from flask import Flask

    app = Flask("shop")
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["flask>=3.0"]
    ```
    ```python
    from flask import send_file


    def invoice(number: int):
        return send_file(f"/srv/{number}.pdf", attachment_filename="invoice.pdf")
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["flask>=3.0"]
    ```

    ## Good
    ```python
    from flask import jsonify
    from markupsafe import Markup


    def motto(text: str) -> Markup:
        return Markup("<em>{}</em>").format(text)


    def as_json(text: str):
        return jsonify(text=text)
    ```
    ```python
    from shop.web import app

    app.json.sort_keys = False
    ```
    ```python
    from flask import send_file


    def invoice(number: int):
        return send_file(f"/srv/{number}.pdf", download_name="invoice.pdf")
    ```

    ## Not reported
    ```python
    try:
        from flask import escape
    except ImportError:
        from markupsafe import escape


    class Job:
        def before_first_request(self) -> str:
            return escape("a method of something else")


    Job().before_first_request()
    ```

    A key in a class or module for the configuration is found where it is the only file to mention it: others
    may read it.

    ## Fix safety
    Imports come from `markupsafe` and Werkzeug, arguments get their new names, and configuration keys
    become attributes of `app.json`: what is replaced could only fail or was ignored. Hooks and encoders
    need a decision and get no fix.

    ## When not to use it
    In projects that still support the older Flask; declare the range in `dependencies`.

    ## References
    - Flask documentation, "Changes", versions 2.1.0, 2.2.0, 2.3.0 and 3.0.0
    """
    if isinstance(node, ast.ImportFrom):
        yield from _imports(node, ctx)
    elif isinstance(node, ast.Attribute):
        yield from _attribute(node, ctx)
    elif isinstance(node, ast.Call):
        for keyword, removed in flask.removed_arguments(node, ctx):
            start = ctx.source.start(keyword)
            edit = Edit(start, start + len(keyword.arg or ""), removed.new)
            yield from _found(
                keyword, f"{keyword.arg}=", removed, ctx.fix("Rename the argument", edit), node, ctx
            )
    else:
        for key, app, removed in flask.removed_settings(node, ctx):
            fix = None
            if removed.new and len(node.targets) == 1:
                edit = ctx.edit(node.targets[0], f"{ctx.text(app)}.{removed.new}")
                fix = ctx.fix("Set it on the JSON provider", edit)
            yield from _found(node.targets[0], key, removed, fix, node, ctx)
    if isinstance(node, (ast.Call, ast.Assign)):
        for place, key in flask.removed_values(node, ctx):
            yield from _found(place, key, flask.REMOVED_SETTINGS[key], None, node, ctx)


def _found(
    place: ast.AST, name: str, removed: flask.Removed, fix: Fix | None, node: ast.AST, ctx: Context
) -> Iterator[Finding]:
    if flask.is_gone(removed, node, ctx):
        yield ctx.finding(place, fix=fix, name=name, new=removed.shown, since=removed.since)


def _imports(node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
    for alias in node.names:
        found = flask.removed_import(node, alias, ctx)
        if found is None:
            continue
        name, removed = found
        fix = None
        if removed.new and alias.asname is None:
            (new,), edits = replace_imports(ctx.source, [removed.new], [(node, alias)])
            title = f"Import it from `{removed.new.rpartition('.')[0]}`"
            fix = ctx.fix(title, *edits) if new == alias.name else None
        yield from _found(alias, name, removed, fix, node, ctx)


def _attribute(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    found = flask.removed_attribute(node, ctx)
    if found is None:
        return
    name, removed = found
    fix = None
    if removed.new:
        text, imports = add_import(ctx.source, removed.new)
        fix = ctx.fix(f"Use `{removed.new}`", ctx.edit(node, text), *imports)
    yield from _found(node, name, removed, fix, node, ctx)
