"""Which classes Django cannot use as middleware any more, and which are none of its business."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

FILES = {
    "shop/hooks.py": """
        from django.utils.deprecation import MiddlewareMixin

        class Callable:
            def __call__(self, request):
                return None

        class Ready(MiddlewareMixin):
            pass

        class Plain:
            header = ""
    """
}
HEADER = "from elsewhere import Strange\nfrom shop.hooks import Callable, Plain, Ready\n\n\n"
HOOK = "    def process_request(self, request):\n        return None\n"
SILENT = {
    "derives from the mixin": f"class M(Ready):\n{HOOK}",
    "callable by a base": f"class M(Callable):\n{HOOK}",
    "callable itself": f"class M:\n{HOOK}    def __call__(self, request): ...\n",
    "an unknown base": f"class M(Strange):\n{HOOK}",
    "arguments of another framework": "class M:\n    def process_request(self, req, resp): ...\n",
    "only views": "class M:\n    def process_view(self, request, view, args, kwargs): ...\n",
    "a mixin": f"class HookMixin:\n{HOOK}",
    "a base of another class": f"class M:\n{HOOK}\nclass N(M, Ready): ...\n",
    "takes the handler": "class M:\n    def __init__(self, app): ...\n    def __call__(self, request): ...\n",
    "takes anything": "class M:\n    def __init__(self, *args): ...\n    def __call__(self, request): ...\n",
    "called with more": "class M:\n    def __init__(self): ...\n    def __call__(self, request, call_next): ...\n",
}
FOUND = {
    "request": f"class M:  # PB241\n{HOOK}",
    "response": "class M:  # PB241\n    def process_response(self, request, response):\n        return response\n",
    "a base that does not help": f"class M(Plain):  # PB241\n{HOOK}",
    "cannot take the handler": (
        "class M:\n    def __init__(self):  # PB241\n        self.seen = 0\n    def __call__(self, request): ...\n"
    ),
}


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB241", HEADER + text, files=FILES, path="shop/middleware.py")


def test_only_in_modules_of_middleware() -> None:
    findings("PB241", f"import django\n\n\nclass M:\n{HOOK}", path="shop/hooks.py")


FIXED = {
    "no bases": ("class M:", "class M(MiddlewareMixin):"),
    "empty brackets": ("class M():", "class M(MiddlewareMixin):"),
    "a base": ("class M(Plain):", "class M(MiddlewareMixin, Plain):"),
}


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_fix(before: str, after: str) -> None:
    base = textwrap.dedent(
        """
        from shop.hooks import Plain

        print(Plain)


        """
    ).lstrip("\n")
    result = fix("PB241", f"{base}{before}\n{HOOK}", files=FILES, path="shop/middleware.py")
    assert result == f"from django.utils.deprecation import MiddlewareMixin\n\n{base}{after}\n{HOOK}"


def test_django_cannot_call_it() -> None:
    printed = run(
        """
        from django.core.handlers.base import BaseHandler
        from django.test import override_settings
        from django.utils.deprecation import MiddlewareMixin

        class Old:
            def process_request(self, request):
                return None

        class NoHandler:
            def __init__(self):
                pass

            def __call__(self, request):
                return None

        class New(MiddlewareMixin, Old):
            pass

        for middleware in (Old, NoHandler, New):
            with override_settings(MIDDLEWARE=[f"__main__.{middleware.__name__}"]):
                try:
                    BaseHandler().load_middleware()
                except TypeError:
                    print(middleware.__name__, "fails")
                else:
                    print(middleware.__name__, "loads")
        """
    )
    assert printed == "Old fails\nNoHandler fails\nNew loads\n"
