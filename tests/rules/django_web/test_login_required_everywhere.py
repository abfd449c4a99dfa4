"""For which views `LoginRequiredMiddleware` asks anyway, and for which the decorator is still needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

SETTINGS = """
INSTALLED_APPS = ["django.contrib.auth", "shop"]
ROOT_URLCONF = "shop.urls"
MIDDLEWARE = ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
"""
URLS = """
from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.cache import never_cache
from shop import views
from shop.guards import outer

urlpatterns = [path("a/", {view})]
"""
FILES = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.1"]\n',
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n',
    "config/settings.py": SETTINGS,
    "shop/__init__.py": "",
    "shop/guards.py": "def outer(view):\n    view.login_required = False\n    return view\n",
    "shop/urls.py": URLS.format(view="views.orders"),
}
HEADER = """
from django.contrib.auth.decorators import login_not_required, login_required, permission_required
from django.db import transaction
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view
from shop.guards import outer
"""
BODY = "def orders(request):\n    return HttpResponse()\n"
SILENT = {
    "no decorator": BODY,
    "another page to log in": f'@login_required(login_url="/in/")\n{BODY}',
    "another parameter": f'@login_required(redirect_field_name="then")\n{BODY}',
    "another question": f'@permission_required("shop.view")\n{BODY}',
    "an exemption": f"@login_not_required\n@login_required\n{BODY}",
    "a decorator of the project": f"@outer\n@login_required\n{BODY}",
    "a view of another framework": f'@login_required\n@api_view(["GET"])\n{BODY}',
    "called by a view": f"@login_required\n{BODY}\n\n@login_not_required\ndef home(request):\n    return orders(request)\n",
    "no view": "@login_required\ndef invoices(request):\n    return HttpResponse()\n",
    "a method": (
        "class A(View):\n    @method_decorator(login_required)\n    def orders(self, request):\n        return HttpResponse()\n"
    ),
}  # fmt: skip
FOUND = {
    "plain": f"@login_required  # PB244\n{BODY}",
    "called": f"@login_required()  # PB244\n{BODY}",
    "among others": f'@permission_required("shop.view")\n@login_required  # PB244\n@transaction.atomic\n{BODY}',
    "a coroutine": f"@login_required  # PB244\nasync {BODY}",
}
PLAIN = f"@login_required\n{BODY}"


def check(body: str, **changed: str) -> list[object]:
    return [*findings("PB244", HEADER + body, files={**FILES, **changed}, path="shop/views.py")]


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    check(SILENT[why])


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    (found,) = findings("PB244", HEADER + FOUND[why], files=FILES, path="shop/views.py")
    assert Path(found.related[0].path).name == "settings.py"
    assert found.related[0].start.row == 3


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS.replace("LoginRequired", "Authentication"),
        SETTINGS.replace("django.contrib.auth.middleware", "shop.middleware"),
        SETTINGS.replace("[", "base() + [", 2).replace("base() + [", "[", 1),
        SETTINGS.replace("MIDDLEWARE = ", "MIDDLEWARE = OTHERS if DEBUG else "),
    ],
)
def test_silent_where_the_middleware_is_not_certain(settings: str) -> None:
    check(PLAIN, **{"config/settings.py": settings})


def test_silent_where_no_settings_are_named() -> None:
    check(PLAIN, **{"manage.py": ""})


def test_silent_before_the_middleware_was_there() -> None:
    check(PLAIN, **{"pyproject.toml": FILES["pyproject.toml"].replace("5.1", "5.0")})


@pytest.mark.parametrize("view", ["login_not_required(views.orders)", "outer(views.orders)", "views.others"])
def test_silent_by_what_the_pattern_does(view: str) -> None:
    check(PLAIN, **{"shop/urls.py": URLS.format(view=view)})


def test_silent_where_one_of_two_patterns_exempts() -> None:
    urls = (
        URLS.format(view="views.orders") + 'urlpatterns += [path("b/", login_not_required(views.orders))]\n'
    )
    check(PLAIN, **{"shop/urls.py": urls})


def test_found_where_the_pattern_adds_something_else() -> None:
    assert check(FOUND["plain"], **{"shop/urls.py": URLS.format(view="never_cache(views.orders)")})


def test_fixed() -> None:
    text = "from django.contrib.auth.decorators import login_required\nfrom django.http import HttpResponse\n\n\n"
    fixed = fix("PB244", f"{text}@login_required  # staff\n{BODY}", files=FILES, path="shop/views.py")
    assert fixed == f"from django.http import HttpResponse\n\n\n{BODY}"


def test_the_middleware_asks_without_the_decorator() -> None:
    printed = run("""
        from django.contrib.auth.decorators import login_not_required, login_required
        from django.contrib.auth.middleware import LoginRequiredMiddleware
        from django.contrib.auth.models import AnonymousUser
        from django.http import HttpResponse
        from django.test import RequestFactory
        from rest_framework.decorators import api_view

        def plain(request):
            return HttpResponse("shown")

        def public(request):
            return HttpResponse("shown")

        @login_required
        @api_view(["GET"])
        def api(request):
            return HttpResponse("shown")

        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        middleware = LoginRequiredMiddleware(plain)
        for view in (plain, login_required(plain), login_not_required(public), api):
            answer = middleware.process_view(request, view, (), {})
            print(answer.url if answer is not None else "passed")
    """)
    assert printed.split() == ["/accounts/login/?next=/"] * 2 + ["passed"] * 2
