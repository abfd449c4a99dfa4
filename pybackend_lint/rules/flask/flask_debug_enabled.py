"""Rule PB700: flask-debug-enabled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import flask
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import remove_argument


@rule(
    "PB700",
    "flask-debug-enabled",
    "Read debug from the environment or use `flask --debug run`",
    nodes=(ast.Module,),
    words=("debug", "DEBUG", "from_object"),
    applies="flask",
    fix=UNSAFE,
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A Flask application is switched to debug mode in its code.

    ## Why
    In debug mode Werkzeug's debugger answers every error with a page on which visitors can read the
    source and, behind a PIN that has been broken before, run Python in the server's process. Switched on
    in the code, it is one forgotten line away from production. `flask --debug run` and `FLASK_DEBUG` switch
    it on for one run.

    ## Bad
    ```python
    from shop.factory import create_app

    app = create_app()

    if __name__ == "__main__":
        app.run(host="0.0.0.0", debug=True)
    ```
    ```python file=shop/factory.py
    from flask import Flask


    def create_app() -> Flask:
        return Flask("shop")
    ```

    ## Good
    ```python
    from shop.factory import create_app

    app = create_app()

    if __name__ == "__main__":
        app.run(host="0.0.0.0")
    ```

    ## Not reported
    ```python
    import os

    from flask import Flask


    class DevelopmentConfig:
        DEBUG = True  # loaded on developers' machines only


    def create_app() -> Flask:
        app = Flask(__name__)
        app.config.from_object(DevelopmentConfig)
        app.debug = os.environ.get("SHOP_DEBUG") == "1"
        return app


    def develop() -> None:
        create_app().run(host="127.0.0.1", debug=True)  # said to serve this machine only
    ```

    ## Fix safety
    The fix removes `debug=True` from `app.run`. It is unsafe because the development server then neither
    reloads nor shows the debugger. Assignments are left to you.

    ## When not to use it
    In programs that never leave the machine of their author.

    ## References
    - Flask documentation, "Debugging Application Errors"
    - Flask documentation, "Configuration Handling", `DEBUG`
    """
    for call in ctx.source.calls.get("run", ()):
        for keyword in call.keywords:
            if keyword.arg == "debug" and _is_true(keyword.value) and isinstance(call.func, ast.Attribute):
                if flask.stays_on_the_machine(call, ctx.module) or flask.is_sample(ctx.module):
                    continue
                if flask.is_application(call.func.value, ctx):
                    edit = remove_argument(ctx.source, call, keyword)
                    fix = ctx.fix("Remove `debug=True`", edit) if edit is not None else None
                    yield ctx.finding(keyword, fix=fix)
    for setting in flask.settings("DEBUG", ctx):
        if _is_true(setting.value):
            yield ctx.finding(setting.place, related=setting.related(ctx))


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
