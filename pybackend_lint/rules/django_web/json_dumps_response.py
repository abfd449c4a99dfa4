"""Rule PB217: json-dumps-response."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_responses
from pybackend_lint.frameworks.django_responses import WrittenJson
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import remove_argument
from pybackend_lint.semantic.import_edits import add_import

_AS_HTML = "Use `JsonResponse`: this JSON is sent as `text/html`"


@rule(
    "PB217",
    "json-dumps-response",
    "Use `JsonResponse` in place of `{response}` around `json.dumps`",
    nodes=(ast.Call,),
    names=django_responses.RESPONSE_NAMES,
    words=("dumps",),
    applies="django",
    fix=SAFE,
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A view writes JSON with `json.dumps` into a plain response.

    ## Why
    A plain response is sent as `text/html` until somebody says otherwise. Clients that look at the content
    type do not parse it, and a browser that opens it shows markup in the data as a page: what a user typed
    into a name becomes a script. `json.dumps` also stops at the first date or decimal number with
    `TypeError: Object of type Decimal is not JSON serializable`; `JsonResponse` writes both.

    ## Bad
    ```python
    import json

    from django.http import HttpResponse


    def stock(request, sku):
        return HttpResponse(json.dumps({"sku": sku, "available": 3}), content_type="application/json")
    ```
    ```python
    import json

    from django.http import HttpResponse

    from shop.models import Product


    def names(request):
        found = list(Product.objects.values_list("name", flat=True))
        return HttpResponse(json.dumps(found, indent=2))
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        name = models.CharField(max_length=100)
    ```
    ## Good
    ```python
    from django.http import JsonResponse


    def stock(request, sku):
        return JsonResponse({"sku": sku, "available": 3})
    ```
    ```python
    from django.http import JsonResponse

    from shop.models import Product


    def names(request):
        found = list(Product.objects.values_list("name", flat=True))
        return JsonResponse(found, safe=False, json_dumps_params={"indent": 2})
    ```
    ## Not reported
    ```python
    import json

    from django.http import HttpResponse

    from shop.encoders import MoneyEncoder


    def place(request):
        return HttpResponse(json.dumps({"type": "Point"}), content_type="application/geo+json")


    def price(request, amount):
        return HttpResponse(json.dumps({"amount": amount}, cls=MoneyEncoder), content_type="application/json")


    def padded(request, callback):
        return HttpResponse(f"{callback}({json.dumps({'ok': True})})", content_type="text/javascript")


    def export(request):
        response = HttpResponse(json.dumps({"ok": True}, indent=2), content_type="application/json")
        response["Content-Disposition"] = "attachment"  # a file to keep
        return response


    def stored(request, cache):
        text = json.dumps({"ok": True})
        cache.set("status", text)  # the text is needed as well
        return HttpResponse(text, content_type="application/json")
    ```
    ```python file=shop/encoders.py
    import json


    class MoneyEncoder(json.JSONEncoder):
        def default(self, value):
            return str(value)
    ```
    ## Fix safety
    The fix is safe for a dictionary that is sent as `application/json` already. It is unsafe where the
    content type changes with it, or where the data is not known to be a dictionary: the fix then adds
    `safe=False`, which very old browsers need to be kept from.
    ## When not to use it
    Where the text has to be exactly that of `json.dumps`, with an error for every date.
    ## References
    - Django documentation, "Request and response objects: JsonResponse objects"
      (https://docs.djangoproject.com/en/stable/ref/request-response/#jsonresponse-objects)
    """
    written = django_responses.written_json(node, ctx.module)
    if written is None:
        return
    message = _AS_HTML if written.content_type is None else None
    response = ctx.text(node.func).rpartition(".")[2]
    yield ctx.finding(node, message=message, response=response, fix=_fix(written, ctx))


def _fix(written: WrittenJson, ctx: Context) -> Fix | None:
    source, call, dumps, data = ctx.source, written.call, written.dumps, written.data
    start, end = source.outer_range(data)
    if source.comments(source.start(dumps), start) or source.comments(end, source.end(dumps)):
        return None
    removal = (
        remove_argument(source, call, written.content_type) if written.content_type is not None else None
    )
    if written.content_type is not None and removal is None:
        return None
    is_dictionary = django_responses.is_dictionary(data, ctx.module)
    added = [] if is_dictionary else ["safe=False"]
    if written.status is not None:
        if any(keyword.arg == "status" for keyword in call.keywords):
            return None
        added.append(f"status={written.status}")
    if written.options:
        options = ", ".join(f'"{item.arg}": {ctx.text(item.value)}' for item in written.options)
        added.append(f"json_dumps_params={{{options}}}")
    name, imports = add_import(source, django_responses.JSON_RESPONSE)
    more = "".join(f", {item}" for item in added)
    body = call.args[0] if call.args else call.keywords[0].value
    edits = [
        ctx.edit(call.func, name),
        ctx.replace_range(source.start(dumps), start, ""),
        *([removal] if removal is not None else []),
        *imports,
    ]
    if any(keyword.arg == "content" for keyword in call.keywords):
        return None
    edits.append(ctx.replace_range(end, source.end(dumps), ""))
    edits += [ctx.insert_after(body, more)] if more else []
    safe = is_dictionary and written.is_exact and written.status is None
    return ctx.fix("Use `JsonResponse`", *edits, applicability=SAFE if safe else UNSAFE)
