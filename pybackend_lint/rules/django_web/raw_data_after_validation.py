"""Rule PB206: raw-data-after-validation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB206",
    "raw-data-after-validation",
    'Use `{form}.cleaned_data["{key}"]`: the raw value skips what the form has cleaned',
    nodes=(ast.Subscript, ast.Call),
    names=("get",),
    words=("is_valid",),
    applies="django",
    fix=UNSAFE,
    tags=("correctness", "security"),
)
def check(node: ast.Subscript | ast.Call, ctx: Context) -> Iterator[Finding]:
    """A view validates a form and then reads the same field from the request again.

    ## Why
    `cleaned_data` holds the stripped text, the `Decimal`, the model instance; `request.POST` holds what
    the browser sent. After `is_valid()` both look alike in tests with clean input. In production the
    raw one is `" Anna@Example.com "`, a number as text, or an id that the field's queryset would have
    refused, and it goes into the database unchecked.

    ## Bad
    ```python
    from django.http import HttpResponse

    from shop.forms import SubscribeForm
    from shop.news import subscribe


    def subscribe_view(request):
        form = SubscribeForm(request.POST)
        if not form.is_valid():
            return HttpResponse(status=422)
        subscribe(request.POST["email"])
        return HttpResponse(status=201)
    ```
    ```python file=shop/forms.py
    from django import forms


    class SubscribeForm(forms.Form):
        email = forms.EmailField()

        def clean_email(self):
            return self.cleaned_data["email"].lower()
    ```
    ```python file=shop/news.py
    def subscribe(address): ...
    ```

    ## Good
    ```python
    from django.http import HttpResponse

    from shop.forms import SubscribeForm
    from shop.news import subscribe


    def subscribe_view(request):
        form = SubscribeForm(request.POST)
        if not form.is_valid():
            return HttpResponse(status=422)
        subscribe(form.cleaned_data["email"])
        return HttpResponse(status=201)
    ```

    ## Not reported
    ```python
    from shop.answers import refuse, remember
    from shop.forms import SubscribeForm


    def subscribe_view(request):
        form = SubscribeForm(request.POST)
        if form.is_valid():
            # Not a field of the form.
            return remember(request.POST["campaign"])
        # Not valid: there is no cleaned value to read.
        return refuse(request.POST["email"])
    ```
    ```python file=shop/forms.py
    from django import forms


    class SubscribeForm(forms.Form):
        email = forms.EmailField()
    ```
    ```python file=shop/answers.py
    def refuse(address): ...


    def remember(campaign): ...
    ```

    ## Fix safety
    The fix reads the cleaned value. It is unsafe because that value may be of another type: a number,
    a date or a model instance in place of a text. It is not offered for `get()` with a default.

    ## When not to use it
    When you store exactly what was sent, for an audit or a signature.

    ## References
    - Django documentation, "Working with forms": field data
    - https://docs.djangoproject.com/en/stable/topics/forms/#field-data
    """
    match node:
        case ast.Subscript(value=ast.Attribute(attr="POST") as data, slice=key, ctx=ast.Load()):
            arguments = [key]
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="POST") as data), args=arguments):
            pass
        case _:
            return
    if not arguments or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):
        return
    field = arguments[0].value
    for form in django_web.validated_forms(node, ctx.module):
        info = django_web.form_of(form, ctx.module)
        if info is None or field not in django_web.form_fields(info):
            continue
        if django_web.keeps_field_names(info) and django_web.is_bound_to(form, data, ctx.module):
            plain = len(arguments) == 1 and '"' not in field
            cleaned = f'{form.id}.cleaned_data["{field}"]'
            yield ctx.finding(
                node,
                fix=ctx.fix("Read the cleaned value", ctx.edit(node, cleaned)) if plain else None,
                related=[ctx.related(form, "validates the same data")],
                form=form.id,
                key=field,
            )
            return
