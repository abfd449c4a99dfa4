"""Rule PB244: login-required-everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_login
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import delete_lines


@rule(
    "PB244",
    "login-required-everywhere",
    "Remove `@login_required` from `{view}`: `LoginRequiredMiddleware` asks for every view",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    words=("login_required",),
    applies="django>=5.1",
    fix=UNSAFE,
    severity="info",
    tags=("style",),
)
def check(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A view asks for a login that the middleware has asked for already.

    ## Why
    With `LoginRequiredMiddleware` every view needs a login unless it is marked with `login_not_required`.
    Decorators that are left over say otherwise to whoever reads the code: the view next to them looks
    public, and somebody who makes a page public by removing its decorator changes nothing.

    ## Bad
    ```python file=shop/views.py check
    from django.contrib.auth.decorators import login_required
    from django.http import HttpResponse


    @login_required
    def orders(request):
        return HttpResponse(f"Orders of {request.user.pk}")
    ```
    ```python file=shop/urls.py
    from django.urls import path

    from shop import views

    urlpatterns = [path("orders/", views.orders)]
    ```
    ```python file=config/settings.py
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "shop"]
    ROOT_URLCONF = "shop.urls"
    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    ```
    ```python file=manage.py
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## Good
    ```python file=shop/views.py check
    from django.http import HttpResponse


    def orders(request):
        return HttpResponse(f"Orders of {request.user.pk}")
    ```
    ## Not reported
    ```python file=shop/views.py check
    from django.contrib.auth.decorators import login_not_required, login_required
    from django.http import HttpResponse
    from rest_framework.decorators import api_view
    from rest_framework.response import Response


    @login_required(login_url="/staff/login/")  # another page to log in
    def stock(request):
        return HttpResponse("Stock")


    @login_required
    @api_view(["GET"])  # views of Django REST framework are exempt from the middleware
    def prices(request):
        return Response([])


    @login_required
    def account(request):
        return HttpResponse("Account")


    @login_not_required
    def home(request):
        return account(request) if request.GET.get("account") else HttpResponse("Welcome")
    ```
    ```python file=shop/urls.py
    from django.urls import path

    from shop import views

    urlpatterns = [
        path("", views.home),
        path("stock/", views.stock),
        path("prices/", views.prices),
        path("account/", views.account),
    ]
    ```
    ```python file=config/settings.py
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "shop"]
    ROOT_URLCONF = "shop.urls"
    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    ```
    ```python file=manage.py
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## Fix safety
    The fix removes the decorator. It is unsafe because the view is open again when the middleware is taken
    out of the settings, or where other settings do not have it.
    ## When not to use it
    In an app that is installed in projects with and without the middleware.
    ## References
    - Django documentation, "Middleware: LoginRequiredMiddleware"
      (https://docs.djangoproject.com/en/stable/ref/middleware/#django.contrib.auth.middleware.LoginRequiredMiddleware)
    """
    if not node.decorator_list:
        return
    found = django_login.asked_twice(ctx.function_info(node))
    if found is None:
        return
    decorator, middleware = found
    deletion = delete_lines(ctx.source, decorator)
    yield ctx.finding(
        decorator,
        view=node.name,
        fix=ctx.fix("Remove the decorator", deletion) if deletion is not None else None,
        related=[middleware],
    )
