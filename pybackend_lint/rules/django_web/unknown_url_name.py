"""Rule PB226: unknown-url-name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix, Related
from pybackend_lint.frameworks import django_url_names
from pybackend_lint.frameworks.similar_names import edit_distance
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.source import last_name

_TAKES = "Give `{name}` the arguments of its URL pattern, {names}: this call raises `NoReverseMatch`"
_TAKES_NONE = "Call `{name}` without arguments: its URL pattern takes none, so that this call raises"


@rule(
    "PB226",
    "unknown-url-name",
    "Use the name of a URL pattern: no pattern is called `{name}`",
    nodes=(ast.Call, ast.ClassDef),
    names=(*django_url_names.REVERSING, "as_view"),
    words=(*django_url_names.REVERSING, "pattern_name"),
    applies="django",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call | ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """`reverse()` or `redirect()` asks for a name that no URL pattern has, or gives it other arguments.

    ## Why
    The call raises `NoReverseMatch`, and the request ends with status 500. A name or an argument that was
    changed in `urls.py` goes on living in views, often in the branch that runs after a form was saved. The
    `pattern_name` of a `RedirectView` is looked up in the same way.

    ## Bad
    ```python file=shop/views.py check
    from django.shortcuts import redirect

    def save_order(request):
        return redirect("shop:orders_list")
    ```
    ```python file=shop/urls.py
    from django.urls import path
    from shop import views

    app_name = "shop"
    urlpatterns = [
        path("orders/save/", views.save_order, name="save_order"),
        path("orders/", views.save_order, name="order_list"),
    ]
    ```
    ```python file=shop/models.py check
    from django.db import models
    from django.urls import reverse

    class Order(models.Model):
        def get_absolute_url(self):
            return reverse("shop:order", kwargs={"order_id": self.pk})
    ```
    ```python file=shop/urls.py
    from django.urls import path
    from shop import views

    app_name = "shop"
    urlpatterns = [path("orders/<int:pk>/", views.order, name="order")]
    ```
    ## Good
    ```python file=shop/views.py check
    from django.shortcuts import redirect

    def save_order(request):
        return redirect("shop:order_list")
    ```
    ```python file=shop/models.py check
    from django.db import models
    from django.urls import reverse

    class Order(models.Model):
        def get_absolute_url(self):
            return reverse("shop:order", kwargs={"pk": self.pk})
    ```
    ## Not reported
    ```python file=shop/views.py check
    from django.shortcuts import redirect
    from django.urls import NoReverseMatch, reverse

    def order(request):
        if request.method == "POST":
            return redirect("/orders/")  # a path
        if not request.user.is_authenticated:
            return redirect(reverse("accounts:login"))  # a namespace that the project does not declare
        try:
            return redirect(reverse("shop:dashboard"))
        except NoReverseMatch:
            return redirect("shop:orders-detail", key=1)  # a router computes its names and arguments
    ```
    ```python file=shop/urls.py
    from django.urls import include, path
    from rest_framework.routers import DefaultRouter
    from shop import views

    app_name = "shop"
    router = DefaultRouter()
    router.register("orders", views.Orders)
    urlpatterns = [path("orders/", views.order, name="order"), path("api/", include(router.urls))]
    ```
    ## Fix safety
    Offered where exactly one name of the same namespace differs by one letter, and where one argument has
    another name than in the pattern. Whether that one was meant is for you to say.

    ## When not to use it
    In a project whose URL patterns are made by code that cannot be read from `urls.py`. Names without
    a namespace are only judged where all includes of `ROOT_URLCONF` are known.

    ## References
    - Django: "URL dispatcher", "Reverse resolution of URLs"
    - Django: "URL dispatcher", "URL namespaces"
    """
    if isinstance(node, ast.ClassDef) or last_name(node.func) == "as_view":
        found = django_url_names.refused_target(node, ctx.module)
    else:
        found = django_url_names.refused(node, ctx.module)
    if found is None:
        return
    if found.pattern is not None:
        pattern, source = found.pattern, found.pattern.module.source
        place = Related(source.path, source.position(source.start(pattern.call)), "the pattern of this name")
        names = ", ".join(f"`{name}`" for name in sorted(pattern.names or ()))
        fix = _renamed(*found.renamed, ctx) if found.renamed is not None else None
        message = _TAKES if names else _TAKES_NONE
        yield ctx.finding(node, message=message, fix=fix, related=[place], name=found.name, names=names)
        return
    name = found.name.rpartition(":")[2]
    close = [known for known in sorted(found.names.known) if edit_distance(known, name) <= 1]
    fix = None
    if len(close) == 1:
        written = ctx.text(found.node)
        fix = ctx.fix(f"Use `{close[0]}`", ctx.edit(found.node, written.replace(name, close[0])))
    yield ctx.finding(found.node, fix=fix, name=found.name)


def _renamed(place: ast.Constant | ast.keyword, name: str, ctx: Context) -> Fix | None:
    """Give an argument the name that the pattern has for it."""
    if isinstance(place, ast.keyword):
        return ctx.fix(f"Pass it as `{name}`", ctx.edit(place, f"{name}={ctx.text(place.value)}"))
    written = ctx.text(place)
    return ctx.fix(f"Pass it as `{name}`", ctx.edit(place, written.replace(str(place.value), name)))
