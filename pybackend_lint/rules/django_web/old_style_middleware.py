"""Rule PB241: old-style-middleware."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB241",
    "old-style-middleware",
    "Derive `{middleware}` from `MiddlewareMixin` or give it `__call__`: Django cannot call it",
    nodes=(ast.ClassDef,),
    words=("process_request", "process_response", "def __call__"),
    applies="django>=2.0",
    fix=UNSAFE,
    severity="error",
    tags=("deprecation", "correctness"),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A middleware class is written for a Django that called its hooks one by one.

    ## Why
    Since Django 2.0 a middleware is made with the next handler, `Middleware(get_response)`, and then
    called with each request. A class that only has `process_request` or `process_response`, or an
    `__init__` that takes no handler, stops the server with a `TypeError` as soon as somebody lists it
    in `MIDDLEWARE`.

    ## Bad
    ```python file=shop/middleware.py check
    from shop.tenants import tenant_of


    class TenantMiddleware:
        def process_request(self, request):
            request.tenant = tenant_of(request.get_host())
    ```
    ```python file=shop/tenants.py
    def tenant_of(host): ...
    ```

    ## Good
    ```python file=shop/middleware.py check
    from django.utils.deprecation import MiddlewareMixin

    from shop.tenants import tenant_of


    class TenantMiddleware(MiddlewareMixin):
        def process_request(self, request):
            request.tenant = tenant_of(request.get_host())
    ```

    ## Not reported
    ```python file=shop/middleware.py check
    class TimingMiddleware:
        def __init__(self, get_response):
            self.get_response = get_response

        def __call__(self, request):
            return self.get_response(request)


    # Scrapy's and other frameworks' hooks take other arguments.
    class ProxyMiddleware:
        def process_request(self, request, spider):
            request.meta["proxy"] = "http://localhost:3128"
    ```

    ```python file=shop/middleware.py check
    from django.utils.deprecation import MiddlewareMixin


    # Not listed itself: only a part of the middleware below.
    class TenantHooks:
        def process_request(self, request):
            request.tenant = request.get_host()


    class TenantMiddleware(TenantHooks, MiddlewareMixin):
        pass
    ```

    ## Fix safety
    The fix adds `MiddlewareMixin`, which makes the class callable. It is unsafe because the
    middleware starts to run. There is no fix for an `__init__` that does not take the handler.

    ## When not to use it
    When another framework calls these hooks with exactly Django's arguments.

    ## References
    - Django documentation, "Middleware": upgrading pre-Django 1.10-style middleware
    - https://docs.djangoproject.com/en/stable/topics/http/middleware/
    """
    if not django_web.is_middleware_module(ctx.module) or django_web.is_building_block(node, ctx.module):
        return
    info = ctx.class_info(node)
    if django_web.is_old_middleware(info):
        yield ctx.finding(node, end=node, fix=_fix(node, ctx), middleware=node.name)
        return
    init = django_web.init_without_get_response(info)
    if init is not None:
        yield ctx.finding(
            init.node,
            message="Accept `get_response` in `{middleware}.__init__`: Django passes the next handler",
            middleware=node.name,
        )


def _fix(node: ast.ClassDef, ctx: Context) -> Fix | None:
    if node.keywords:
        return None
    name, imports = add_import(ctx.source, django_web.MIDDLEWARE_MIXIN)
    if node.bases:
        return ctx.fix(
            "Derive from `MiddlewareMixin`", ctx.insert_before(node.bases[0], f"{name}, "), *imports
        )
    start = ctx.source.start(node)
    opening = ctx.source.text.index(node.name, start + len("class")) + len(node.name)
    rest = ctx.source.text[opening : ctx.source.start(node.body[0])]
    bracketed = rest.lstrip().startswith("(")
    end = opening + rest.index(")") + 1 if bracketed else opening
    return ctx.fix("Derive from `MiddlewareMixin`", Edit(opening, end, f"({name})"), *imports)
