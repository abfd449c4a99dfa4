"""Rule PB701: flask-secret-key-in-code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import flask
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import

_KEY = "SECRET_KEY"


@rule(
    "PB701",
    "flask-secret-key-in-code",
    "Load `SECRET_KEY` from the environment: who reads the code can sign sessions",
    nodes=(ast.Module,),
    words=("secret_key", "SECRET_KEY", "from_object"),
    applies="flask",
    fix=UNSAFE,
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """The key that signs Flask's sessions is written in the code, or stands there as a fallback.

    ## Why
    Flask's session cookie is signed, not encrypted: whoever knows the key can write any session, such as
    that of an administrator. A key in the code is known to everybody who ever saw the repository. A
    fallback is no better: when the variable is missing in production, nothing fails and the published
    key is used.

    ## Bad
    ```python
    from flask import Flask

    from shop.settings import Settings


    def create_app() -> Flask:
        app = Flask("shop")
        app.config.from_object(Settings)
        app.secret_key = "b7f1a3c95d02"
        return app
    ```
    ```python file=shop/settings.py
    class Settings:
        SESSION_COOKIE_SECURE = True
    ```

    ## Good
    ```python
    import os

    from flask import Flask

    from shop.settings import Settings


    def create_app() -> Flask:
        app = Flask("shop")
        app.config.from_object(Settings)
        app.secret_key = os.environ["SECRET_KEY"]
        return app
    ```

    ## Not reported
    ```python
    import os

    from flask import Flask


    def create_app() -> Flask:
        app = Flask(__name__)
        app.config.from_mapping(SECRET_KEY="dev", DATABASE="shop.sqlite")
        app.config.from_prefixed_env()  # replaces the key in production
        return app


    def create_worker() -> Flask:
        app = Flask(__name__)
        app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
        return app
    ```

    Where the factory chooses one class of several (`from_object(CONFIGS[name])`), all count but those for
    development and tests. What a later `from_envvar` and its like may replace does not.

    ## Fix safety
    The fix reads `os.environ["SECRET_KEY"]` (or the variable that the code reads already). It is unsafe
    because the program then fails where the variable is not set, and because a new key ends all sessions.

    ## When not to use it
    In examples and tools without sessions.

    ## References
    - Flask documentation, "Configuration Handling", `SECRET_KEY`
    - Flask documentation, "Deploy to Production"
    """
    for setting in flask.settings(_KEY, ctx):
        if flask.written_secret(setting.value, setting.module) is None:
            continue
        fix = None
        if setting.module is ctx.module:
            module, imports = add_import(ctx.source, "os", from_import=False)
            variable = flask.environment_variable(setting.value, ctx.module) or _KEY
            edit = ctx.edit(setting.value, f'{module}.environ["{variable}"]')
            fix = ctx.fix("Read the key from the environment", edit, *imports)
        yield ctx.finding(setting.place, fix=fix, related=setting.related(ctx))
