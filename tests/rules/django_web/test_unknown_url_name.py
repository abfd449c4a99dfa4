"""Traps of unknown-url-name, and what Django raises."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

ROOT = """
from django.contrib import admin
from django.urls import include, path, re_path
from django.conf import settings
from django.conf.urls.static import static
from django.conf.urls.i18n import i18n_patterns
from rest_framework.routers import DefaultRouter
import site_views
extra = [path("extra/", site_views.page, name="extra")]
urlpatterns = [
    path("", site_views.page, name="home"),
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("shop/", include("shop.urls")),
    path("old/", include("shop.urls", namespace="old-shop")),
    path("news/", include(("news.urls", "news"))),
    path("in-place/", include([path("a/", site_views.page, name="in-place")])),
] + static(settings.MEDIA_URL)
urlpatterns += i18n_patterns(path("hello/", site_views.page, name="hello"), *extra)
if settings.DEBUG:
    urlpatterns.append(path("debug/", site_views.page, name="debug"))
"""
FILES = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n',
    "settings.py": 'ROOT_URLCONF = "urls"\nDEBUG = True\n',
    "site_views.py": "def page(request): ...\n",
    "urls.py": ROOT,
    "shop/urls.py": """
        from django.urls import path, include
        from rest_framework.routers import DefaultRouter
        from shop import views
        app_name = "shop"
        router = DefaultRouter()
        urlpatterns = [
            path("orders/", views.orders, name="orders"),
            path("nested/", include(("shop.nested", "nested"))),
            path("api/", include(router.urls)),
        ]
    """,
    "shop/nested.py": """
        from django.urls import path
        from shop import views
        urlpatterns = [path("a/", views.orders, name="a")]
    """,
    "news/urls.py": """
        from django.urls import path
        from shop import views
        urlpatterns = [path("", views.orders, name="latest")]
        for number in range(3):
            urlpatterns += [path(f"{number}/", views.orders, name=f"page{number}")]
    """,
}
HEAD = """
from django.shortcuts import redirect, resolve_url
from django.urls import NoReverseMatch, reverse, reverse_lazy
import library
"""
KNOWN = ("home", "hello", "extra", "debug", "in-place", "login", "shop:orders", "old-shop:orders", "shop:nested:a",
         "shop:order-list", "news:page7", "admin:index", "elsewhere:anything")  # fmt: skip
UNKNOWN = ("hoem", "orders", "shop:order", "shop:home", "old-shop:page", "shop:nested:b", "a-name")


@pytest.mark.parametrize("name", KNOWN)
def test_known(name: str) -> None:
    findings("PB226", f'{HEAD}reverse("{name}")\nredirect("{name}")\n', files=FILES)


@pytest.mark.parametrize("name", [name for name in UNKNOWN if name != "orders"])
@pytest.mark.parametrize("function", ["reverse", "reverse_lazy", "redirect", "resolve_url"])
def test_unknown(name: str, function: str) -> None:
    findings("PB226", f'{HEAD}{function}("{name}")  # PB226\n', files=FILES)


SILENT = {
    "a name of another namespace, which may be another URLconf's": 'reverse("orders")',
    "a path": 'redirect("/nowhere/")',
    "another site": 'redirect("https://example.com")',
    "a dotted path": 'redirect("shop.views.orders")',
    "another URLconf": 'reverse("nowhere", urlconf="other.urls")',
    "another URLconf by position": 'reverse("nowhere", "other.urls")',
    "a view": "reverse(library.view)",
    "a computed name": 'reverse(f"shop:{library.name}")',
    "another function": 'library.reverse("nowhere")',
    "an expected error": "try:\n    reverse('nowhere')\nexcept NoReverseMatch:\n    pass",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB226", f"{HEAD}{code}\n", files=FILES) == []


OPEN = {
    "a URLconf of a library": "urlpatterns += [path('x/', include('allauth.urls'))]\n",
    "a function": "urlpatterns += library.patterns()\n",
    "a computed name": "urlpatterns += [path('x/', site_views.page, name=library.name)]\n",
    "a loop": "for n in library.all():\n    urlpatterns.append(library.pattern(n))\n",
    "a wrapped list": "urlpatterns = library.wrapped(urlpatterns)\n",
}


@pytest.mark.parametrize("added", OPEN.values(), ids=OPEN)
def test_a_urlconf_that_is_not_known(added: str) -> None:
    files = {**FILES, "urls.py": f"{ROOT}import library\n{added}"}
    findings("PB226", f'{HEAD}reverse("nowhere")\nreverse("shop:nowhere")  # PB226\n', files=files)


def test_without_a_root() -> None:
    files = {name: text for name, text in FILES.items() if name != "manage.py"}
    findings("PB226", f'{HEAD}reverse("nowhere")\nreverse("shop:nowhere")  # PB226\n', files=files)


def test_the_nearest_name() -> None:
    assert fix("PB226", f'{HEAD}reverse("shop:order")\n', files=FILES).endswith('reverse("shop:orders")\n')
    assert fix("PB226", f'{HEAD}reverse("shop:other")\n', files=FILES).endswith('reverse("shop:other")\n')


def test_django_raises_for_exactly_these() -> None:
    program = """
        import sys, types
        from django.urls import NoReverseMatch, include, path, reverse
        def page(request): ...
        def module(name, **names):
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(names)
        module("nested", urlpatterns=[path("a/", page, name="a")])
        module("shop", app_name="shop", urlpatterns=[
            path("orders/", page, name="orders"), path("nested/", include(("nested", "nested")))])
        urlpatterns += [
            path("", page, name="home"), path("shop/", include("shop")),
            path("old/", include("shop", namespace="old-shop")),
            path("in-place/", include([path("a/", page, name="in-place")])),
        ]
        for name in ("home", "in-place", "shop:orders", "old-shop:orders", "shop:nested:a",
                     "orders", "shop:order", "shop:home", "old-shop:page", "shop:nested:b", "a-name"):
            try:
                reverse(name)
                print(name, "known")
            except NoReverseMatch:
                print(name, "unknown")
    """
    known = [line.split()[0] for line in run(program).splitlines() if line.endswith(" known")]
    unknown = [line.split()[0] for line in run(program).splitlines() if line.endswith(" unknown")]
    assert (set(known) <= set(KNOWN), set(unknown) <= set(UNKNOWN)) == (True, True)
    assert len(known) + len(unknown) == 11


def test_a_router_that_names_patterns_in_its_own_way() -> None:
    routers = """
        from rest_framework.routers import Route, SimpleRouter

        class PageRouter(SimpleRouter):
            routes = [Route(url="^{prefix}/$", mapping={"get": "list"}, name="{basename}_list",
                            detail=False, initkwargs={})]
    """
    urls = FILES["shop/urls.py"].replace("DefaultRouter()", "PageRouter()") + "urlpatterns += router.urls\n"
    urls = textwrap.dedent(urls).replace(
        "from shop import views", "from shop import views\nfrom routers import PageRouter"
    )
    assert (
        findings(
            "PB226",
            f'{HEAD}reverse("shop:order_list")\n',
            files={**FILES, "routers.py": routers, "shop/urls.py": urls},
        )
        == []
    )


ARGUMENTS = {
    "home": "path('home/', page, name='home')",
    "order": "path('orders/<int:pk>/', page, name='order')",
    "feed": "path('feed/<slug:tag>/', page, {'limit': 3}, name='feed')",
    "both": "path('both/', page, name='both'), path('both/<int:pk>/', page, name='both')",
    "year": "re_path(r'^year/(?P<year>[0-9]+)/$', page, name='year')",
    "unnamed": "re_path(r'^unnamed/([0-9]+)/$', page, name='unnamed')",
    "optional": "re_path(r'^optional/(?:(?P<page>[0-9]+)/)?$', page, name='optional')",
    "inner": "path('in/<slug:shop>/', include([path('<int:pk>/', page, name='inner')]))",
}
FITS = (
    "'home'", "'order', args=[1]", "'order', kwargs={'pk': 1}", "'feed', args=['a']", "'feed', args=('a',)",
    "'feed', kwargs={'tag': 'a', 'limit': 3}", "'both'", "'both', kwargs={'pk': 1}", "'year', args=[2020]",
    "'unnamed', args=[1]", "'optional'", "'optional', kwargs={'page': 1}", "'optional', args=[3]",
    "'inner', kwargs={'shop': 'a', 'pk': 1}", "'inner', args=['a', 1]", "viewname='order', args=[1]",
)  # fmt: skip
DOES_NOT_FIT = (
    "'home', args=[1]", "'order'", "'order', kwargs={'id': 1}", "'order', args=[1, 2]", "viewname='order'",
    "'order', kwargs={'pk': 1, 'tag': 'a'}", "'both', kwargs={'id': 1}", "'year'", "'feed', args=['a', 3]",
    "'optional', kwargs={'number': 1}", "'inner', kwargs={'shop': 'a'}", "'inner', args=['a', 1, 2]",
)  # fmt: skip
WITH_ARGUMENTS = {
    "manage.py": FILES["manage.py"],
    "settings.py": FILES["settings.py"],
    "urls.py": f"""
        from django.urls import include, path, re_path
        from site_views import page
        urlpatterns = [{", ".join(ARGUMENTS.values())}]
    """,
    "site_views.py": FILES["site_views.py"],
}
UNCERTAIN = {
    "computed arguments": "reverse('order', kwargs=library.arguments())",
    "unpacked arguments": "reverse('order', args=[*library.keys(), 1, 2])",
    "an unpacked dictionary": "reverse('order', kwargs={**library.known, 'id': 1})",
    "arguments that `redirect` gets unpacked": "redirect('order', *library.keys())",
    "what `redirect` knows itself": "redirect('home', permanent=True)",
}


def test_arguments() -> None:
    fitting = "".join(f"reverse({text})\n" for text in FITS)
    wrong = "".join(f"reverse({text})  # PB226\n" for text in DOES_NOT_FIT)
    findings("PB226", HEAD + fitting + wrong, files=WITH_ARGUMENTS)
    findings(
        "PB226", f"{HEAD}redirect('order', pk=1)\nredirect(to='order', id=1)  # PB226\n", files=WITH_ARGUMENTS
    )


@pytest.mark.parametrize("code", UNCERTAIN.values(), ids=UNCERTAIN)
def test_arguments_that_are_not_known(code: str) -> None:
    assert findings("PB226", f"{HEAD}{code}\n", files=WITH_ARGUMENTS) == []


def test_patterns_that_take_arguments_from_elsewhere() -> None:
    inner = """
        from django.urls import path
        from site_views import page
        app_name = "news"
        urlpatterns = [path("<int:pk>/", page, name="item")]
    """
    top = """
        from django.urls import include, path
        urlpatterns = [path("<slug:shop>/news/", include("news.urls"))]
    """
    code = f"{HEAD}reverse('news:item', kwargs={{'shop': 'a', 'pk': 1}})\n"
    files = {**WITH_ARGUMENTS, "news/urls.py": inner, "urls.py": top}
    assert findings("PB226", code, files=files) == []
    unknown = top.replace('include("news.urls")', "include(library.urls())")
    assert (
        findings("PB226", code, files={**files, "urls.py": f"import library\n{textwrap.dedent(unknown)}"})
        == []
    )


def test_django_raises_for_exactly_these_arguments() -> None:
    program = f"""
        from django.urls import NoReverseMatch, include, path, re_path, reverse
        def page(request): ...
        urlpatterns += [{", ".join(ARGUMENTS.values())}]
        for call in {[*FITS, *DOES_NOT_FIT]!r}:
            try:
                eval(f"reverse({{call}})")
                print("fits")
            except NoReverseMatch:
                print("does not fit")
    """
    expected = ["fits"] * len(FITS) + ["does not fit"] * len(DOES_NOT_FIT)
    assert run(program).splitlines() == expected


def test_an_argument_of_another_name() -> None:
    assert fix("PB226", f"{HEAD}reverse('order', kwargs={{'id': 1}})\n", files=WITH_ARGUMENTS).endswith(
        "reverse('order', kwargs={'pk': 1})\n"
    )
    assert fix("PB226", f"{HEAD}redirect('order', id=key)\n", files=WITH_ARGUMENTS).endswith(
        "redirect('order', pk=key)\n"
    )
    assert fix("PB226", f"{HEAD}redirect('order', id=1, a=2)\n", files=WITH_ARGUMENTS).endswith(
        "redirect('order', id=1, a=2)\n"
    )


REDIRECTS = """
from django.views.generic import RedirectView, TemplateView

class Base(RedirectView):
    permanent = True

class Known(Base):
    pattern_name = "shop:orders"

class Unknown(Base):
    pattern_name = "shop:order"  # PB226

class Computed(Base):
    pattern_name = "shop:" + library.name

class Other(TemplateView):
    pattern_name = "shop:order"

views = [
    RedirectView.as_view(pattern_name="shop:orders"),
    RedirectView.as_view(pattern_name="shop:order"),  # PB226
    Base.as_view(pattern_name="hoem"),  # PB226
    Base.as_view(pattern_name=library.name),
    TemplateView.as_view(pattern_name="shop:order"),
]
"""


def test_redirect_views() -> None:
    findings("PB226", HEAD + REDIRECTS, files=FILES)


@pytest.mark.parametrize("around", ["include(cart)", "include(cart, namespace='cart')"])
def test_patterns_and_their_namespace_by_one_name(around: str) -> None:
    root = f"""
        from django.urls import include, path
        import site_views
        cart = ([path("", site_views.page, name="show")], "cart")
        shop = [path("cart/", {around})]
        urlpatterns = [path("market/", include((shop, "market"))), path("", site_views.page, name="home")]
    """
    code = f"""{HEAD}reverse("market:cart:show")
reverse("market:show")  # PB226
reverse("cart:shown")  # PB226
"""
    findings("PB226", code, files=FILES | {"urls.py": root})
