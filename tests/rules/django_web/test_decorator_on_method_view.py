"""Which decorators fail on methods, which have no effect there, and which may stay."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
from django.contrib.admin import ModelAdmin
from django.contrib.auth.decorators import login_required, login_not_required, permission_required
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers
from rest_framework.decorators import action, api_view
from rest_framework.viewsets import ModelViewSet
from shop.base import ShopView, on_request
"""
FILES = {
    "shop/base.py": """
        from django.views.generic import ListView

        class ShopView(ListView):
            pass

        def on_request(view):
            return lambda self, request: view(request)
    """
}
SILENT = {
    "a function": "@login_required\ndef view(request): ...",
    "wrapped": "class V(View):\n    @method_decorator(login_required)\n    def get(self, request): ...",
    "no view": "class Views:\n    @login_required\n    def get(self, request): ...",
    "a static method": "class V(View):\n    @staticmethod\n    @login_required\n    def page(request): ...",
    "a function inside a method": (
        "class V(View):\n    def get(self, request):\n        @login_required\n"
        "        def inner(request): ...\n        return inner(request)"
    ),
    "adapted by a decorator of the project": (
        "class V(View):\n    @on_request\n    @login_required\n    def get(request): ..."
    ),
    "works on methods": (
        'class V(View):\n    @vary_on_headers("A")\n    @sensitive_variables("b")\n    def get(self, request): ...'
    ),
    "mark on dispatch": "class V(View):\n    @csrf_exempt\n    def dispatch(self, *args): ...",
    "wrapped mark on dispatch": (
        "class V(View):\n    @method_decorator(csrf_exempt)\n    def dispatch(self, *args): ..."
    ),
    "decorators of DRF": "class V(ModelViewSet):\n    @action(detail=True)\n    def pay(self, request, pk): ...",
    "another function of that name": (
        "def cache_page(f):\n    return f\nclass V(View):\n    @cache_page\n    def get(self, request): ..."
    ),
}
FOUND = {
    "bare": "class V(View):\n    @login_required  # PB222\n    def get(self, request): ...",
    "with arguments": 'class V(View):\n    @permission_required("a.b")  # PB222\n    def get(self, request): ...',
    "of a base in another file": "class V(ShopView):\n    @cache_page(60)  # PB222\n    def get(self, request): ...",
    "dispatch": "class V(View):\n    @never_cache  # PB222\n    def dispatch(self, *args): ...",
    "asynchronous": "class V(View):\n    @require_POST  # PB222\n    async def post(self, request): ...",
    "viewset": "class V(ModelViewSet):\n    @cache_page(60)  # PB222\n    def list(self, request): ...",
    "admin": "class A(ModelAdmin):\n    @login_required  # PB222\n    def export(self, request): ...",
    "two at once": (
        "class V(View):\n    @never_cache  # PB222\n    @login_required  # PB222\n    def get(self, request): ..."
    ),
    "mark without effect": "class V(View):\n    @csrf_exempt  # PB222\n    def post(self, request): ...",
    "wrapped mark without effect": (
        "class V(View):\n    @method_decorator(csrf_exempt)  # PB222\n    def post(self, request): ..."
    ),
    "another mark": "class V(View):\n    @login_not_required  # PB222\n    def get(self, request): ...",
}


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB222", f"{HEADER}{text}\n", files=FILES)


def test_fix_wraps_each_decorator_and_leaves_marks_alone() -> None:
    before = """
        from django.contrib.auth.decorators import permission_required
        from django.views import View
        from django.views.decorators.csrf import csrf_exempt


        class V(View):
            @csrf_exempt
            @permission_required(
                "a.b",  # the cashier's
                raise_exception=True,
            )
            def post(self, request): ...
    """
    after = """
        from django.contrib.auth.decorators import permission_required
        from django.utils.decorators import method_decorator
        from django.views import View
        from django.views.decorators.csrf import csrf_exempt


        class V(View):
            @csrf_exempt
            @method_decorator(permission_required(
                "a.b",  # the cashier's
                raise_exception=True,
            ))
            def post(self, request): ...
    """
    assert fix("PB222", before) == textwrap.dedent(after).lstrip("\n")


def test_django_fails_or_ignores_exactly_these_decorators() -> None:
    """Every decorator of the tables is put on `get` and on `dispatch` of a real view."""
    printed = run(
        """
        from django.http import HttpResponse
        from django.test import RequestFactory
        from django.utils.module_loading import import_string
        from django.views import View
        from pybackend_lint.frameworks import django_web

        ARGUMENTS = {
            "permission_required": ("a.b",), "user_passes_test": (bool,), "cache_page": (60,),
            "require_http_methods": (["GET"],), "sensitive_post_parameters": ("a",),
        }
        FACTORIES = {"condition", "etag", "last_modified", "cache_control"}

        def outcome(name, method):
            decorator = import_string(name)
            last = name.rpartition(".")[2]
            if last in FACTORIES:
                decorator = decorator(private=True) if last == "cache_control" else decorator(lambda request: None)
            elif last in ARGUMENTS:
                decorator = decorator(*ARGUMENTS[last])

            def handler(self, request, *args, **kwargs):
                return HttpResponse("ok")

            handler.__name__ = method
            view = type("V", (View,), {method: decorator(handler)}).as_view()
            try:
                view(RequestFactory().get("/"))
            except (AttributeError, TypeError):
                return "fails"
            return "marks" if {"csrf_exempt", "login_required", "should_append_slash"} & set(vars(view)) else "nothing"

        for names in (django_web._NEED_REQUEST, django_web._MARK_VIEW):
            print({outcome(name, "get") for name in names}, {outcome(name, "dispatch") for name in names})
        """
    )
    assert printed == "{'fails'} {'fails'}\n{'nothing'} {'marks'}\n"
