"""Traps of route-signature-mismatch and django-duplicate-route, and what Django does with such URLs."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings

VIEWS = """
from functools import wraps
import library
from django.contrib.auth.decorators import login_required, user_passes_test
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import DetailView, TemplateView
from drf_spectacular.utils import extend_schema
from drf_yasg.utils import swagger_auto_schema

def plain(request, pk): return HttpResponse(pk)
def none(request): return HttpResponse("none")
def optional(request, pk=None): return HttpResponse(pk)
def keywords(request, **kwargs): return HttpResponse("any")
def only(request, *, pk): return HttpResponse(pk)

def kept(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        return view(request, *args, **kwargs)
    return wrapper
def with_argument(value):
    def decorator(view):
        def wrapper(request, *args, **kwargs):
            return view(request, *args, **kwargs)
        return wrapper
    return decorator
def loading(view):
    def wrapper(request, **kwargs):
        kwargs["order"] = kwargs.pop("pk")
        return view(request, **kwargs)
    return wrapper
@kept
def through(request, pk): return HttpResponse(pk)
@with_argument(1)
def through_argument(request, pk): return HttpResponse(pk)
@loading
def loaded(request, order): return HttpResponse(order)
@library.decorator
def unknown(request, other): return HttpResponse(other)

class Both(View):
    def get(self, request, pk): return HttpResponse(pk)
    def post(self, request): return HttpResponse("posted")
class Child(Both): pass
class Detail(DetailView):
    def get_object(self): return self.kwargs["pk"]
class Documented(View):
    @extend_schema(tags=["parts"])
    def get(self, request, pk): return HttpResponse(pk)
    @swagger_auto_schema(operation_id="post")
    def post(self, request, pk): return HttpResponse("posted")
class Dispatching(View):
    def dispatch(self, request, *args, **kwargs):
        kwargs["order"] = kwargs.pop("pk")
        return super().dispatch(request, *args, **kwargs)
    def get(self, request, order): return HttpResponse(order)
class PassingOn(View):
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)
    def get(self, request): return HttpResponse("none")
class OnlyGet(Both):
    http_method_names = ["get"]
class Listed(Both):
    http_method_names = library.names
class Far(library.View):
    def get(self, request): return HttpResponse("none")
"""
URLS = """
from functools import partial
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_page
from shop import views
import library
urlpatterns = [
    {}
]
"""
FOUND = {
    "a name that is not accepted": 'path("<int:id>/", views.plain)',
    "a view without parameters": 'path("<int:pk>/", views.none)',
    "a parameter that nothing passes": 'path("", views.plain)',
    "a keyword-only one": 'path("", views.only)',
    "a group of a regular expression": 're_path(r"^(?P<id>[0-9]+)/$", views.plain)',
    "a group of alternatives": 're_path(r"^(?P<id>a|b)/$", views.plain)',
    "an extra argument": 'path("<int:pk>/", views.plain, {"page": 1})',
    "a method that was forgotten": 'path("<int:pk>/", views.Both.as_view())',
    "methods with notes for the documentation": 'path("<uuid:id>/", views.Documented.as_view())',
    "an inherited method": 'path("<int:pk>/", views.Child.as_view())',
    "a decorator of Django": 'path("<int:id>/", login_required(views.plain))',
    "a decorator with arguments": 'path("<int:id>/", cache_page(60)(views.plain))',
    "a decorator of the project": 'path("<int:id>/", views.through)',
    "a decorator of the project with arguments": 'path("<int:id>/", views.through_argument)',
    "a second route that no method fits": """path("<int:pk>/", views.Both.as_view(http_method_names=["get"])),
    path("<int:pk>/<int:id>/", views.Both.as_view())""",
    "a dispatch that hands everything on": 'path("<int:pk>/", views.PassingOn.as_view())',
}
SILENT = {
    "it fits": 'path("<int:pk>/", views.plain), path("<pk>/a", views.only), path("<slug:pk>/b", views.through)',
    "a default": 'path("", views.optional), path("<int:pk>/", views.optional)',
    "all keywords": 'path("<int:pk>/", views.keywords)',
    "an extra argument": 'path("", views.plain, {"pk": 1}), path("a", views.plain, kwargs={"pk": 1})',
    "an include in place": 'path("<int:pk>/", include([path("", views.plain)]))',
    "unnamed groups": 're_path(r"^([0-9]+)/$", views.plain)',
    "methods with notes for the documentation": 'path("<uuid:pk>/", views.Documented.as_view())',
    "a generic view": 'path("<int:pk>/", views.Detail.as_view())',
    "a decorator that changes the arguments": 'path("<int:pk>/", views.loaded)',
    "a decorator that is not known": 'path("<int:pk>/", views.unknown)',
    "a dispatch that changes the arguments": 'path("<int:pk>/", views.Dispatching.as_view())',
    "a base that is not known": 'path("<int:pk>/", views.Far.as_view())',
    "a method that is not allowed": 'path("<int:pk>/", views.OnlyGet.as_view())',
    "methods that are not known": 'path("<int:pk>/", views.Listed.as_view())',
    "methods of the pattern": 'path("<int:pk>/", views.Both.as_view(http_method_names=["get"]))',
    "a route for each method": 'path("<int:pk>/", views.Both.as_view()), path("", views.Both.as_view())',
    "a group that may be absent": """re_path(r"^(?P<pk>[0-9]+)?$", views.Both.as_view()),
    re_path(r"^a/(?:(?P<pk>[0-9]+)/|(?P<page>[)?]+))?$", views.Both.as_view())""",
    "a partial view": 'path("", partial(views.plain, pk=1))',
    "a view that is not known": 'path("<int:id>/", library.view)',
    "a route that is not known": "path(library.route, views.plain)",
    "an argument that is not known": 'path("", views.plain, library.extra)',
}


@pytest.mark.parametrize("pattern", FOUND.values(), ids=FOUND)
def test_found(pattern: str) -> None:
    findings(
        "PB225", URLS.format(f"{pattern},  # PB225"), files={"shop/views.py": VIEWS}, path="shop/urls.py"
    )


@pytest.mark.parametrize("pattern", SILENT.values(), ids=SILENT)
def test_silent(pattern: str) -> None:
    assert findings("PB225", URLS.format(pattern), files={"shop/views.py": VIEWS}, path="shop/urls.py") == []


ROOT = """
from django.urls import include, path
from shop import urls
urlpatterns = [path("<int:pk>/", include("shop.urls")), path("two/<int:pk>/", include(urls))]
"""


def test_arguments_of_includes_of_other_files() -> None:
    files = {"shop/views.py": VIEWS, "root/urls.py": ROOT}
    urls = URLS.format('path("", views.plain){}')
    findings("PB225", urls.format(""), files=files, path="shop/urls.py")
    findings("PB225", urls.format(",  # PB225"), files={"shop/views.py": VIEWS}, path="shop/urls.py")
    unknown = {**files, "root/urls.py": ROOT + "urlpatterns += [path('x', include(get_urls()))]\n"}
    findings("PB225", URLS.format('path("", views.plain)'), files=unknown, path="shop/urls.py")


SPLICED = {
    "starred in an include": 'path("<int:pk>/", include([*shop_patterns]))',
    "added to a list": 'path("<int:pk>/", include([] + shop_patterns))',
    "under its own name": 'path("<int:pk>/", include(shop_urls.urlpatterns))',
    "handed to a function": "*versions(shop_patterns)",
}


@pytest.mark.parametrize("pattern", SPLICED.values(), ids=SPLICED)
def test_lists_that_other_files_take_over(pattern: str) -> None:
    root = f"""
        from django.urls import include, path
        from shop import urls as shop_urls
        from shop.urls import urlpatterns as shop_patterns
        from library import versions
        urlpatterns = [{pattern}]
    """
    files = {"shop/views.py": VIEWS, "root/urls.py": root}
    assert findings("PB225", URLS.format('path("", views.plain)'), files=files, path="shop/urls.py") == []


def test_lists_of_the_same_file() -> None:
    source = """
        from django.urls import include, path
        from shop import views
        orders = [path("", views.plain), path("<int:number>/", views.plain)]  # PB225
        others = [path("", views.plain)]  # PB225
        urlpatterns = [path("orders/<int:pk>/", include(orders))] + others
    """
    findings("PB225", source, files={"shop/views.py": VIEWS}, path="shop/urls.py")


def test_django_raises_a_type_error() -> None:
    program = """
        from django.test import Client
        from django.urls import path, include, re_path
        from django.http import HttpResponse
        from django.views import View
        def plain(request, pk): return HttpResponse(pk)
        class Both(View):
            def get(self, request, pk): return HttpResponse(pk)
            def post(self, request): return HttpResponse("posted")
        urlpatterns += [
            path("a/<int:id>/", plain), path("b/", plain), path("c/<int:pk>/", Both.as_view()),
            path("d/<int:pk>/", include([path("", plain)])), re_path("^e/(?P<pk>[0-9]+)?$", Both.as_view()),
        ]
        client = Client()
        for ask, url in ((client.get, "/a/1/"), (client.get, "/b/"), (client.get, "/c/1/"), (client.post, "/c/1/"),
                         (client.get, "/d/1/"), (client.get, "/e/1"), (client.post, "/e/")):
            try:
                print(ask(url).status_code)
            except TypeError:
                print("TypeError")
    """
    assert run(program).split() == ["TypeError", "TypeError", "200", "TypeError", "200", "200", "200"]


DUPLICATES = {
    "another view": 'path("a/", views.plain), path("b/", views.none), path("a/", views.keywords)',
    "another name of the parameter": 'path("<int:pk>/", views.plain), path("<int:id>/", views.keywords)',
    "regular expressions": 're_path("^a/$", views.none), re_path("^a/$", views.keywords)',
}
NO_DUPLICATES = {
    "a second name": 'path("a/", views.none, name="a"), path("a/", views.none, name="b")',
    "includes": 'path("a/", include("one")), path("a/", include("two"))',
    "another converter": 'path("<int:pk>/", views.plain), path("<slug:pk>/", views.optional)',
    "lists of two includes": 'path("x/", include([path("a/", views.none)])), path("y/", include([path("a/", views.only)]))',
    "a route that is not known": "path(library.a, views.none), path(library.a, views.only)",
    "what a function of the project makes": 'path("a/", views.plain()), path("a/", views.only)',
    "an include in front": 'path("a/", include("one")), path("a/", views.none)',
}


@pytest.mark.parametrize("pattern", DUPLICATES.values(), ids=DUPLICATES)
def test_duplicates(pattern: str) -> None:
    files = {"shop/views.py": VIEWS}
    findings("PB224", URLS.format(f"{pattern},  # PB224"), files=files, path="shop/urls.py")


@pytest.mark.parametrize("pattern", NO_DUPLICATES.values(), ids=NO_DUPLICATES)
def test_no_duplicates(pattern: str) -> None:
    assert findings("PB224", URLS.format(pattern), files={"shop/views.py": VIEWS}, path="shop/urls.py") == []


def test_patterns_added_later_and_under_a_condition() -> None:
    source = URLS.format('path("a/", views.none),') + textwrap.dedent(
        """
        if library.DEBUG:
            urlpatterns += [path("a/", views.optional)]
        urlpatterns += [path("a/", views.keywords)]  # PB224
        other = [path("a/", views.only)]
        """
    )
    findings("PB224", source, files={"shop/views.py": VIEWS}, path="shop/urls.py")


def test_django_takes_the_first() -> None:
    program = """
        from django.urls import path, resolve
        def first(request, pk): ...
        def second(request, id): ...
        urlpatterns += [path("<int:pk>/", first), path("<int:id>/", second)]
        print(resolve("/1/").func.__name__)
    """
    assert run(program).split() == ["first"]
