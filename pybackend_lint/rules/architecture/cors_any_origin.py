"""Rule PB932: cors-any-origin."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import cors
from pybackend_lint.rule import Context, rule


@rule(
    "PB932",
    "cors-any-origin",
    "List the allowed origins: `{setting}` lets every site call this API with the user's cookies",
    nodes=(ast.Call, ast.Assign),
    words=("*CORS", "flask_cors"),
    tags=("security",),
)
def check(node: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """Every web site may call the API in the name of the user who visits it.

    ## Why
    Browsers refuse the answer `*` together with credentials, so the middleware does not send it: asked
    for any origin with credentials, Starlette, Flask-CORS and django-cors-headers answer with the origin
    of whoever asks. A page that a logged-in user happens to open can read and change their data.

    ## Bad
    ```python
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    from shop.config import ORIGINS

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=ORIGINS, allow_credentials=True)
    ```
    ```python file=shop/config.py
    ORIGINS = ["*"]
    ```

    ## Good
    ```python
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(
        CORSMiddleware, allow_origins=["https://shop.example.com"], allow_credentials=True
    )
    ```

    ## Not reported
    ```python
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    public = FastAPI()
    public.add_middleware(CORSMiddleware, allow_origins=["*"])  # no cookies are sent

    app = FastAPI()
    origins = os.environ.get("ORIGINS", "*").split(",")  # what production sets is not known
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)
    ```
    Code below a condition that names debugging or an environment is not reported, nor are settings
    modules for development.

    ## When not to use it
    For an API that never looks at cookies: there, leave the credentials out.

    ## References
    - Fetch standard, "CORS protocol and credentials"
    - Starlette documentation, "CORSMiddleware"
    """
    if isinstance(node, ast.Call):
        setting = cors.opens_to_all(node, ctx.module)
    else:
        setting = cors.setting_opens_to_all(node, ctx.module)
    if setting is not None:
        yield ctx.finding(node, end=node.func if isinstance(node, ast.Call) else None, setting=setting)
