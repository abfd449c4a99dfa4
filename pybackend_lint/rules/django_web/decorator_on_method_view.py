"""Rule PB222: decorator-on-method-view."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB222",
    "decorator-on-method-view",
    "Wrap `{decorator}` in `method_decorator`: on `{method}` it gets `self` in place of the request",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    words=django_web.VIEW_DECORATOR_NAMES,
    applies="django",
    fix=SAFE,
    severity="error",
    tags=("correctness", "security"),
)
def check(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A decorator for view functions stands on a method of a class-based view.

    ## Why
    `login_required`, `require_POST`, `cache_page` and their kind call what they decorate with the
    request as the first argument. On a method the first argument is the view object, so every request
    ends with `AttributeError: 'OrderView' object has no attribute 'user'`. `csrf_exempt`,
    `login_not_required` and `no_append_slash` only mark a view: on a method other than `dispatch`
    nobody ever reads the mark, and the webhook goes on answering 403.

    ## Bad
    ```python
    from django.contrib.auth.decorators import login_required
    from django.http import HttpResponse

    from shop.views import ShopView


    class OrderView(ShopView):
        @login_required
        def get(self, request, pk):
            return HttpResponse(f"order {pk} of {request.user.pk}")
    ```
    ```python file=shop/views.py
    from django.views import View


    class ShopView(View):
        http_method_names = ["get", "head", "options"]
    ```

    ## Good
    ```python
    from django.contrib.auth.decorators import login_required
    from django.http import HttpResponse
    from django.utils.decorators import method_decorator

    from shop.views import ShopView


    class OrderView(ShopView):
        @method_decorator(login_required)
        def get(self, request, pk):
            return HttpResponse(f"order {pk} of {request.user.pk}")
    ```

    ## Not reported
    ```python
    from django.http import HttpResponse
    from django.utils.decorators import method_decorator
    from django.views import View
    from django.views.decorators.clickjacking import xframe_options_exempt
    from django.views.decorators.csrf import csrf_exempt


    class EmbeddedPriceView(View):
        # On `dispatch` the mark reaches the view function, also without `method_decorator`.
        @csrf_exempt
        def dispatch(self, request, *args, **kwargs):
            return super().dispatch(request, *args, **kwargs)

        # Sets a header on the response, whatever the first argument is.
        @xframe_options_exempt
        def get(self, request):
            return HttpResponse("12.50")


    @method_decorator(csrf_exempt, name="dispatch")
    class WebhookView(View):
        def post(self, request):
            return HttpResponse(status=204)
    ```

    ## Fix safety
    The fix wraps the decorator in `method_decorator`. It is safe: as it stands, every request to the
    method ends with an exception. Where a mark belongs on `dispatch` there is no fix, because moving
    it opens the other methods of the view too.

    ## When not to use it
    When a class is instantiated by your own code and its methods get a request as first argument.

    ## References
    - Django documentation, "Introduction to class-based views": decorating the class
    - https://docs.djangoproject.com/en/stable/topics/class-based-views/intro/#decorating-the-class
    """
    if not node.decorator_list:
        return
    owner = ctx.parent(node)
    if not isinstance(owner, ast.ClassDef):
        return
    module = ctx.module
    wrong = [item for item in node.decorator_list if django_web.needs_request(item, module)]
    marks = [item for item in node.decorator_list if django_web.marks_view(item, module) is not None]
    if not (wrong or marks) or not django_web.takes_requests(ctx.class_info(owner)):
        return
    if ctx.function_info(node).is_static:
        return
    for decorator in wrong:
        outer = node.decorator_list[: node.decorator_list.index(decorator)]
        if not all(django_web.passes_arguments_on(item, module) for item in outer):
            continue
        name, imports = add_import(ctx.source, django_web.METHOD_DECORATOR)
        yield ctx.finding(
            decorator,
            fix=ctx.fix(
                "Wrap it in `method_decorator`",
                ctx.insert_before(decorator, f"{name}("),
                ctx.insert_after(decorator, ")"),
                *imports,
            ),
            decorator=ctx.text(decorator.func if isinstance(decorator, ast.Call) else decorator),
            method=node.name,
        )
    for decorator in marks if node.name != "dispatch" and django_web.is_view(ctx.class_info(owner)) else ():
        mark = django_web.marks_view(decorator, module)
        assert mark is not None
        yield ctx.finding(
            decorator,
            message="Move `{decorator}` to `dispatch`: it has no effect on `{method}`",
            decorator=ctx.text(mark),
            method=node.name,
        )
