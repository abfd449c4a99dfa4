"""Rule PB925: hardcoded-secret."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import secrets
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB925",
    "hardcoded-secret",
    "Read `{name}` from the environment: the code holds {what}",
    nodes=(ast.Module,),
    fix=UNSAFE,
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A key or password is written in the code, where everybody who ever saw the repository knows it.

    ## Why
    Code is cloned, forked, sent to scanners and kept in backups; a secret in it cannot be taken back,
    only replaced. As the default of a setting it is worse: when the variable is missing in production,
    nothing fails and the published value is used.

    ## Bad
    ```python
    from shop.base import ShopSettings


    class Settings(ShopSettings):
        database_url: str
        jwt_signing_key: str = "9f2c81d07be34a6688e1b5f0a4c7d3e2"
    ```
    ```python file=shop/base.py
    from pydantic_settings import BaseSettings


    class ShopSettings(BaseSettings):
        debug: bool = False
    ```
    ```python
    WAREHOUSE_URL = "postgresql://loader:Kf83mQz1vP@warehouse.shop.io/stock"
    ```

    ## Good
    ```python
    from shop.base import ShopSettings


    class Settings(ShopSettings):
        database_url: str
        jwt_signing_key: str
    ```
    ```python
    import os

    WAREHOUSE_URL = os.environ["WAREHOUSE_URL"]
    ```

    ## Not reported
    ```python
    import os

    API_TOKEN = os.environ.get("API_TOKEN", "")
    SECRET_KEY = "change-me-0f9d8e7c"  # a placeholder says so
    DATABASE_URL = "postgresql://shop:shop@localhost/shop"  # the machine of a developer
    PASSWORD_FIELD = "user_password2"  # the name of something is not a secret
    CSRF_TOKEN = "csrf_token_v2"  # words
    ```
    Keys of well-known formats, passwords in URLs of real hosts, and irregular texts whose variable,
    argument or key is named like a secret are reported. Passwords that are words are missed, and lines with
    `# nosec` are left alone. Where a project has Flask, `SECRET_KEY` is the matter of
    `flask-secret-key-in-code`.

    ## Fix safety
    Unsafe: the program then fails where the variable is not set, and the old secret still has to be
    replaced. Offered for constants of a module and for fields of settings classes.

    ## When not to use it
    Where another scanner checks every commit.

    ## References
    - The Twelve-Factor App, "Config"
    - OWASP, "Secrets Management Cheat Sheet"
    """
    for secret in secrets.secrets(ctx.module):
        edits = secrets.environment_edit(secret, ctx.module)
        fix = ctx.fix("Read it from the environment", *edits) if edits is not None else None
        message = None if secret.name else "Read this from the environment: the code holds {what}"
        yield ctx.finding(secret.node, message=message, name=secret.name, what=secret.what, fix=fix)
