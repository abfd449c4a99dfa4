"""Rule PB225: route-signature-mismatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import django_urls
from pybackend_lint.rule import Context, rule

_MISSING = "Pass `{name}` to `{view}`, which requires it: each call raises `TypeError`"


@rule(
    "PB225",
    "route-signature-mismatch",
    "Accept `{name}` in `{view}`: the URL passes it, so that each call raises `TypeError`",
    nodes=(ast.Call,),
    names=django_urls.PATTERN_NAMES,
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The arguments of a URL and the parameters of its view do not fit.

    ## Why
    Django calls the view with the parameters of the route, those of the includes around it and the
    extra dictionary. Where the view does not take one of them, or needs another, each request ends in
    `TypeError` and status 500. Often one method of a class-based view was forgotten.

    ## Bad
    ```python file=shop/urls.py check
    from django.urls import path
    from shop import views

    urlpatterns = [
        path("orders/<int:order_id>/", views.order_detail, name="order"),
    ]
    ```
    ```python file=shop/views.py
    from django.contrib.auth.decorators import login_required
    from django.http import HttpResponse

    @login_required
    def order_detail(request, pk):
        return HttpResponse(f"Order {pk}")
    ```
    ## Good
    ```python file=shop/urls.py check
    from django.urls import path
    from shop import views

    urlpatterns = [
        path("orders/<int:pk>/", views.order_detail, name="order"),
    ]
    ```
    ## Not reported
    ```python file=shop/urls.py check
    from django.urls import include, path
    from shop import views

    urlpatterns = [
        path("orders/<int:pk>/", views.order_detail, name="order"),
        path("orders/", views.order_detail, {"pk": 1}, name="first-order"),
        path("<slug:shop>/", include([path("logo/", views.logo, name="logo")])),  # the include passes `shop`
        path("<str:anything>/help/", views.Help.as_view(), name="help"),  # takes all
        path("notes/", views.Notes.as_view(), name="notes"),  # GET fails here, but POST is meant
        path("notes/<int:pk>/", views.Notes.as_view(), name="note"),
    ]
    ```
    ```python file=shop/views.py
    from django.http import HttpResponse
    from django.views import View

    def order_detail(request, pk):
        return HttpResponse(f"Order {pk}")

    def logo(request, shop):
        return HttpResponse(shop)

    class Help(View):
        def get(self, request, **kwargs):
            return HttpResponse("Help")

    class Notes(View):
        def get(self, request, pk):
            return HttpResponse(f"Note {pk}")

        def post(self, request):
            return HttpResponse("created")
    ```
    ## When not to use it
    For views behind decorators that change their arguments in a way that is not visible; decorators
    of other libraries are taken to do so.

    ## References
    - Django: "URL dispatcher", "Passing extra options to view functions"
    - Django: "Class-based views", "View.setup() and View.dispatch()"
    """
    for pattern in django_urls.patterns(ctx.module):
        if pattern.call is not node:
            continue
        for found in django_urls.mismatches(pattern):
            function = found.handler.function
            source = function.module.source
            place = Related(
                source.path, source.position(source.start(function.node)), f"`{found.handler.name}`"
            )
            yield ctx.finding(
                node,
                message=_MISSING if found.is_missing else None,
                related=[place],
                name=found.name,
                view=found.handler.name,
            )
