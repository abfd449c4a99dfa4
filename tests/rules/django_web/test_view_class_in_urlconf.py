"""Which views of a pattern are no functions, and what Django does with them."""

from __future__ import annotations

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
from django.contrib.auth.decorators import login_required
from django.contrib.syndication.views import Feed
from django.urls import include, path, re_path
from django.views.generic import TemplateView
from rest_framework.routers import DefaultRouter
from shop import views
from shop.views import Base, Closed, Made, Orders, Plain, Unknown, orders
from somewhere import path as other_path
"""
FILES = {
    "shop/__init__.py": "",
    "shop/views.py": """
from django.views import View
from library import Mixin

class Base(View):
    pass

class Orders(Base):
    def get(self, request):
        return None

class Made(View):
    def __init__(self, request):
        self.request = request

class Closed(View, metaclass=type):
    pass

class Unknown(unknown(), View):
    pass

class Plain:
    def __init__(self, request):
        pass

def orders(request):
    return None

page = Orders.as_view()
""",
}
SILENT = {
    "called": 'path("", Orders.as_view())',
    "called with arguments": 'path("", Orders.as_view(template_name="a.html"))',
    "called in a decorator": 'path("", login_required(Orders.as_view()))',
    "what the call gave": 'path("", views.page)',
    "a function": 'path("", orders)',
    "an include": 'path("", include("shop.urls"))',
    "a class that takes the request": 'path("", Made)',
    "no view class": 'path("", Plain)',
    "a class that something else makes": 'path("", Closed)',
    "a class of a base that is not known": 'path("", Unknown)',
    "the path of another library": 'other_path("", Orders)',
    "the URLs of a router": 'path("", DefaultRouter().urls)',
    "a router": 'DefaultRouter().register("orders", Orders)',
    "a feed": 'path("", Feed())',
    "no view": 'path("")',
}
FOUND = {
    "a class": ('path("", Orders)', 'path("", Orders.as_view())'),
    "a class of a module": ('path("", views.Orders, name="a")', 'path("", views.Orders.as_view(), name="a")'),
    "a class of Django": ('re_path("^$", TemplateView)', 're_path("^$", TemplateView.as_view())'),
    "by keyword": ('path("", view=Orders)', 'path("", view=Orders.as_view())'),
    "the method itself": ('path("", Orders.as_view)', 'path("", Orders.as_view())'),
    "an object": ('path("", Orders())', 'path("", Orders.as_view())'),
    "an object with arguments": (
        'path("", TemplateView(template_name="a.html"))', 'path("", TemplateView.as_view(template_name="a.html"))',
    ),
    "in a decorator": ('path("", login_required(Orders))', 'path("", login_required(Orders.as_view()))'),
}  # fmt: skip


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB223", f"{HEADER}\nurlpatterns = [{SILENT[why]}]\n", files=FILES, path="shop/urls.py")


@pytest.mark.parametrize("why", FOUND)
def test_found_and_fixed(why: str) -> None:
    before, after = FOUND[why]
    assert findings(
        "PB223", f"{HEADER}\nurlpatterns = [{before}]  # PB223\n", files=FILES, path="shop/urls.py"
    )
    text = fix("PB223", f"{HEADER}\nurlpatterns = [{before}]\n", files=FILES, path="shop/urls.py")
    assert text.endswith(f"\nurlpatterns = [{after}]\n")


def test_django_calls_the_class_with_the_request() -> None:
    printed = run("""
        from django.http import HttpResponse
        from django.test import Client
        from django.urls import path
        from django.views import View
        from django.views.decorators.csrf import csrf_exempt

        class Orders(View):
            def get(self, request):
                return HttpResponse("orders")

        for name in ("Orders", "Orders.as_view", "csrf_exempt(Orders)", "Orders()", "Orders.as_view()"):
            try:
                urlpatterns[:] = [path(f"{len(urlpatterns)}{name}/", eval(name))]
                print(urlpatterns[0].callback(object.__new__(type("R", (), {"method": "GET"}))).content.decode())
            except TypeError as error:
                print("TypeError")
    """)
    assert printed.split() == ["TypeError"] * 4 + ["orders"]
