"""Which orders of bases leave a view open, decided by Python's own method resolution order."""

from __future__ import annotations

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
from django.contrib.auth.mixins import AccessMixin, LoginRequiredMixin, UserPassesTestMixin
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.auth.views import LogoutView
from django.views import View
from django.views.generic import FormView, ListView
from rest_framework.views import APIView
from shop.base import Base, ClosedView, HeaderMixin, StaffMixin, TitleMixin
from elsewhere.views import StrangeMixin
"""
FILES = {
    "shop/base.py": """
        from django.contrib.auth.mixins import AccessMixin, LoginRequiredMixin
        from django.views.generic import ListView, View

        class Base(ListView):
            pass

        class StaffMixin(AccessMixin):
            def dispatch(self, request, *args, **kwargs):
                if not request.user.is_staff:
                    return self.handle_no_permission()
                return super().dispatch(request, *args, **kwargs)

        class TitleMixin(AccessMixin):
            login_url = "/login/"

        class ClosedView(LoginRequiredMixin, View):
            pass

        class HeaderMixin:
            header = ""
    """
}
SILENT = {
    "before the view": "class V(LoginRequiredMixin, ListView): ...",
    "between mixins": "class V(HeaderMixin, LoginRequiredMixin, Base): ...",
    "a mixin that has no dispatch": "class V(ListView, TitleMixin): ...",
    "no view": "class M(HeaderMixin, LoginRequiredMixin): ...",
    "python moves it forward": "class V(ClosedView, UserPassesTestMixin): ...",
    "a base that nobody knows": "class V(StrangeMixin, ListView, LoginRequiredMixin): ...",
    "the order of a base is reported there": "class V(HeaderMixin, ClosedView): ...",
    "a mixin of another name": "class V(ListView, HeaderMixin): ...",
}
FOUND = {
    "behind a generic view": "class V(ListView, LoginRequiredMixin): ...  # PB221",
    "behind a view of the project": "class V(Base, PermissionRequiredMixin): ...  # PB221",
    "behind the plain view": "class V(HeaderMixin, View, UserPassesTestMixin): ...  # PB221",
    "behind a view of DRF": "class V(APIView, LoginRequiredMixin): ...  # PB221",
    "behind a view with its own dispatch": "class V(LogoutView, LoginRequiredMixin): ...  # PB221",
    "a mixin of the project": "class V(FormView, StaffMixin): ...  # PB221",
    "with the mixin's own subclass": ("class M(LoginRequiredMixin): ...\nclass V(ListView, M): ...  # PB221"),
}


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB221", f"{HEADER}{text}\n", files=FILES)


FIXED = {
    "a third base": (
        "class V(HeaderMixin, Base, LoginRequiredMixin, object): ...",
        "class V(HeaderMixin, LoginRequiredMixin, Base, object): ...",
    ),
    "lines and comments": (
        "class V(\n    Base,  # the list\n    LoginRequiredMixin,\n): ...",
        "class V(\n    LoginRequiredMixin,  # the list\n    Base,\n): ...",
    ),
    "not when another base shares a class": ("class V(TitleMixin, ListView, LoginRequiredMixin): ...", None),
}


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = HEADER.lstrip("\n")
    assert fix("PB221", f"{head}{text}\n", files=FILES) == f"{head}{text if expected is None else expected}\n"


def test_the_view_is_really_open() -> None:
    """The four orders, answered by Django: open exactly where the rule reports."""
    printed = run(
        """
        from django.contrib.auth.mixins import LoginRequiredMixin, UserPassesTestMixin
        from django.contrib.auth.models import AnonymousUser
        from django.http import HttpResponse
        from django.test import RequestFactory
        from django.views import View

        class Page:
            def get(self, request):
                return HttpResponse("secret")

        class Closed(LoginRequiredMixin, Page, View): ...
        class Open(Page, View, LoginRequiredMixin): ...
        class Moved(Closed, UserPassesTestMixin): ...

        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        print([view.as_view()(request).status_code for view in (Closed, Open, Moved)])
        """
    )
    assert printed == "[302, 200, 302]\n"
