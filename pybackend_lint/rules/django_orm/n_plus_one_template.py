"""Rule PB148: n-plus-one-template."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_contexts, django_rows, template_contexts
from pybackend_lint.rule import UNSAFE, Context, rule

_ONE = "Add `{advice}` where this object is fetched: `{template}` runs a query for every row"


@rule(
    "PB148",
    "n-plus-one-template",
    "Add `{advice}` to this queryset: `{template}` runs a query for every row",
    nodes=(ast.ClassDef, ast.Call),
    words=(*sorted(template_contexts.CALLS), "template_name", "ListView", "DetailView"),
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.ClassDef | ast.Call, ctx: Context) -> Iterator[Finding]:
    """A template shows related objects that the view's queryset did not load.

    ## Why
    A template reads a relation with every `{{ order.customer.name }}` in a loop. The view decides what is
    loaded and the template, in another file and another language, what is read: a column that somebody
    adds to a page turns one query into a hundred and one, and no test fails.

    ## Bad
    ```python
    from django.shortcuts import render

    from shop.models import Order


    def overview(request):
        orders = Order.objects.filter(paid=False)
        return render(request, "shop/orders.html", {"orders": orders})
    ```
    ```html file=shop/templates/shop/orders.html
    <ul>
    {% for order in orders %}
      <li>{{ order.reference }}: {{ order.customer.name }} {% include "shop/tags.html" %}</li>
    {% endfor %}
    </ul>
    ```
    ```html file=shop/templates/shop/tags.html
    {% for tag in order.tags.all %}{{ tag.name }} {% endfor %}
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Tag(models.Model):
        name = models.CharField(max_length=20)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        tags = models.ManyToManyField(Tag)
        reference = models.CharField(max_length=20)
        paid = models.BooleanField(default=False)
    ```
    ```python
    from django.views.generic import ListView

    from shop.models import Order


    class Orders(ListView):
        queryset = Order.objects.order_by("reference")
        paginate_by = 50
    ```
    ```html file=shop/templates/shop/order_list.html
    {% for order in page_obj %}{{ order.label }} {% endfor %}
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        @property
        def label(self):
            return f"{self.reference}: {self.customer.name}"
    ```
    ## Good
    ```python
    from django.shortcuts import render

    from shop.models import Order


    def overview(request):
        orders = Order.objects.filter(paid=False).select_related("customer").prefetch_related("tags")
        return render(request, "shop/orders.html", {"orders": orders})
    ```
    ```python
    from django.views.generic import ListView

    from shop.models import Order


    class Orders(ListView):
        queryset = Order.objects.order_by("reference").select_related("customer")
        paginate_by = 50
    ```
    ## Not reported
    ```python
    from django.shortcuts import get_object_or_404, render

    from shop.models import Order


    def detail(request, pk):
        order = get_object_or_404(Order, pk=pk)
        # one object, so that its customer costs one query more however it is fetched
        return render(request, "shop/order.html", {"order": order})


    def overview(request):
        # which orders show their customer depends on the user, so an alarm may be missed
        return render(request, "shop/orders.html", {"orders": Order.objects.all()})


    def export(request):
        # which template is shown is not known, so an alarm may be missed
        return render(request, f"shop/{request.GET['kind']}.html", {"orders": Order.objects.all()})
    ```
    ```html file=shop/templates/shop/order.html
    {{ order.reference }}: {{ order.customer.name }}
    ```
    ```html file=shop/templates/shop/orders.html
    {% for order in orders %}{% if user.is_staff %}{{ order.customer.name }}{% endif %}{% endfor %}
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    Templates are looked for in the folders `templates` and `jinja2` of the project; a name that two of them
    have is left alone. Inside tags of your own nothing counts, and neither does what `{% cache %}` keeps.
    ## Fix safety
    The fix appends the paths to the queryset where the view builds it. It is unsafe because it changes the
    query. For relations that the template only counts no fix is offered: the template has to show the
    annotation instead.
    ## When not to use it
    For pages that never show more than a few rows.
    ## References
    - Django documentation, "Database access optimization: Use QuerySet.select_related() and
      prefetch_related()" (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    - Django documentation, "The Django template language: Accessing method calls"
      (https://docs.djangoproject.com/en/stable/ref/templates/language/#accessing-method-calls)
    """
    if isinstance(node, ast.ClassDef):
        found = django_contexts.shown_by_view(node, ctx.module) if node.bases else ()
    else:
        found = django_contexts.shown_by_call(node, ctx.module)
    for shown in found:
        missing = shown.missing(ctx.module)
        if not missing:
            continue
        if shown.queryset is not None and django_rows.preloads(shown.queryset, ctx.module):
            continue
        remedy = django_rows.remedy(shown.queryset, missing, ctx.module)
        fix = ctx.fix("Load what the template reads with the rows", *remedy.edits) if remedy.edits else None
        yield ctx.finding(
            shown.node,
            advice=remedy.advice,
            template=shown.template,
            message=_ONE if shown.is_one else None,
            fix=fix,
            related=remedy.related,
        )
