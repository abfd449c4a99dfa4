"""Traps of PB148: what views give to templates, and what templates of Django and Jinja read."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.harness import findings, fix

RULE = "n-plus-one-template"
MODELS = """
    from django.db import models
    from django.utils.functional import cached_property

    class Company(models.Model):
        name = models.CharField(max_length=10)

        def __str__(self):
            return self.name

    class Customer(models.Model):
        company = models.ForeignKey(Company, models.CASCADE)
        name = models.CharField(max_length=10)

        def __str__(self):
            return f"{self.name} ({self.company})"

    class Tag(models.Model):
        name = models.CharField(max_length=10)

    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
        parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
        tags = models.ManyToManyField(Tag)
        reference = models.CharField(max_length=10)

        @property
        def label(self):
            return f"{self.reference}: {self.customer.name}"

        def country(self):
            return self.customer.company.name

        def named(self, language):
            return self.customer.company.name

        @cached_property
        def size(self):
            return self.lines.count()

    class Loaded(models.Manager):
        def get_queryset(self):
            return super().get_queryset().select_related("product")

    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        product = models.ForeignKey(Tag, models.CASCADE)

    class Parcel(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="parcels")
        product = models.ForeignKey(Tag, models.CASCADE)
        objects = Loaded()
    """
VIEW = """
    from django.core.paginator import Paginator
    from django.shortcuts import get_object_or_404, render
    from django.template.loader import render_to_string
    from django.template.response import TemplateResponse
    from django.views.generic import DetailView, ListView, TemplateView, UpdateView
    from shop.models import *

"""
SHOWS_NAME = "{% for order in orders %}{{ order.customer.name }}{% endfor %}"
LIST = "return render(request, 'shop/page.html', {'orders': Order.objects.all()})"
ONE = "return render(request, 'shop/page.html', {'order': get_object_or_404(Order, pk=1)})"


def view(body: str) -> str:
    """A module with a view of this body."""
    return VIEW + "    def view(request):\n        " + body.replace("\n", "\n        ") + "\n"


def cls(text: str) -> str:
    """A module with class-based views."""
    return VIEW + "    " + text.replace("\n", "\n    ") + "\n"


def files(template: str, **more: str) -> dict[str, str]:
    """The files of the shop with a page, and with further templates by their names."""
    pages = {"page": template, **more}
    return {
        "shop/__init__.py": "",
        "shop/models.py": MODELS,
        **{f"shop/templates/shop/{name}.html": text for name, text in pages.items()},
    }


def advice(module: str, template: str, **more: str) -> list[str]:
    """What the findings advise."""
    found = findings(RULE, module, files=files(template, **more))
    return [finding.message.split("`")[1] for finding in found]


SILENT = {
    "loaded": "{% for order in loaded %}{{ order.customer.name }}{% endfor %}",
    "the key": "{% for order in orders %}{{ order.customer_id }}{% endfor %}",
    "the user decides": "{% for order in orders %}{% if user.is_staff %}{{ order.label }}{% endif %}{% endfor %}",
    "the user decides first": (
        "{% for order in orders %}{% if user.is_staff and order.customer.name %}yes{% endif %}{% endfor %}"
    ),
    "the user decides otherwise": (
        "{% for order in orders %}{% if brief %}x{% else %}{{ order.label }}{% endif %}{% endfor %}"
    ),
    "only the first": (
        "{% for order in orders %}{% if forloop.first %}{{ order.customer.name }}{% endif %}{% endfor %}"
    ),
    "when it changes": (
        "{% for order in orders %}{% ifchanged order.parent_id %}{{ order.customer }}{% endifchanged %}{% endfor %}"
    ),
    "kept": "{% cache 500 page %}" + SHOWS_NAME + "{% endcache %}",
    "kept by row": "{% for order in orders %}{% cache 9 order %}{{ order.label }}{% endcache %}{% endfor %}",
    "a tag of the project": "{% for order in orders %}{% card %}{{ order.label }}{% endcard %}{% endfor %}",
    "a comment": "{% for order in orders %}{# {{ order.label }} #}{% comment %}{{ order.label }}{% endcomment %}{% endfor %}",
    "no template language": "{% verbatim %}" + SHOWS_NAME + "{% endverbatim %}",
    "a text": "{% for order in orders %}{% trans 'order.customer.name' %}{{ x|default:'order.customer' }}{% endfor %}",
    "another name": "{% for order in orders %}{{ orderly.customer.name }}{% endfor %}{{ order.customer.name }}",
    "behind the loop": "{% for order in orders %}x{% endfor %}{{ order.customer.name }}",
    "the loop is empty": "{% for order in orders %}x{% empty %}{{ order.customer.name }}{% endfor %}",
    "another variable of the name": (
        "{% for order in orders %}{% for order in others %}{{ order.customer.name }}{% endfor %}{% endfor %}"
    ),
    "a name that is given anew": "{% with orders=others %}" + SHOWS_NAME + "{% endwith %}",
    "a name that a tag gives": "{% newest as orders %}" + SHOWS_NAME,
    "a filter of the project": "{% for order in orders|newest %}{{ order.customer.name }}{% endfor %}",
    "pairs": "{% for order, number in orders %}{{ order.customer.name }}{% endfor %}",
    "a method with arguments": "{% for order in orders %}{{ order.named }}{% endfor %}",
    "only given rows": (
        "{% for order in orders %}{% include 'shop/row.html' with line=order only %}{% endfor %}"
    ),
    "an unknown template": "{% for order in orders %}{% include name %}{% endfor %}",
    "back to the row": (
        "{% for order in with_lines %}{% for line in order.lines.all %}{{ line.order.reference }}"
        "{% endfor %}{% endfor %}"
    ),
    "a filtered relation": "{% for order in orders %}{{ order.lines.first }}{% endfor %}",
    "which part is not known": "{% macro x() %}{% endmacro %}{% for order in orders %}{{ order.label if y else 1 }}{% endfor %}",
    "a method that is not called": "{% set x = 1 %}{% for order in orders %}{{ order.country }}{% endfor %}",
    "a filtered loop": "{% set x = 1 %}{% for order in orders if x %}{{ order.customer.name }}{% endfor %}",
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    module = view(
        "loaded = Order.objects.select_related('customer')\n"
        "lines = Order.objects.prefetch_related('lines')\n"
        "return render(request, 'shop/page.html', {\n"
        "    'orders': Order.objects.all(), 'loaded': loaded, 'with_lines': lines,\n})"
    )
    assert advice(module, SILENT[name], row="{{ order.customer.name }}") == []


FOUND = {
    "{% for order in orders %}{% for child in order.children.all %}{{ child.tags.count }}{% endfor %}{% endfor %}": (
        '.prefetch_related("children__tags")'
    ),
    SHOWS_NAME: '.select_related("customer")',
    "{% for order in orders reversed %}{{ order.customer }}{% endfor %}": '.select_related("customer__company")',
    "{% for order in orders|slice:':5' %}{{ order.label }}{% endfor %}": '.select_related("customer")',
    "{% for order in orders|dictsort:'reference' %}{{ order.country }}{% endfor %}": (
        '.select_related("customer__company")'
    ),
    "{% for order in orders %}{% url 'customer' order.customer.pk %}{% endfor %}": '.select_related("customer")',
    "{% for order in orders %}{% if order.customer == me %}x{% endif %}{% endfor %}": '.select_related("customer")',
    "{% for order in orders %}{% if me == order.customer or x %}x{% endif %}{% endfor %}": (
        '.select_related("customer")'
    ),
    "{% for order in orders %}{% if order.reference %}{{ order.label }}{% endif %}{% endfor %}": (
        '.select_related("customer")'
    ),
    "{% if orders %}{% for order in orders %}{{ order.label|title }}{% endfor %}{% endif %}": (
        '.select_related("customer")'
    ),
    "{% if user.is_staff %}{% for order in orders %}{{ order.label }}{% endfor %}{% endif %}": (
        '.select_related("customer")'
    ),
    "{% for order in orders %}{% with c=order.customer %}{{ c.company.name }}{% endwith %}{% endfor %}": (
        '.select_related("customer__company")'
    ),
    "{% for order in orders %}{% with order.customer as c %}{{ c.company }}{% endwith %}{% endfor %}": (
        '.select_related("customer__company")'
    ),
    "{% for order in orders %}{% blocktrans with n=order.customer.name %}{{ n }}{% endblocktrans %}{% endfor %}": (
        '.select_related("customer")'
    ),
    "{% for order in orders %}{% for tag in order.tags.all %}{{ tag.name }}{% endfor %}{% endfor %}": (
        '.prefetch_related("tags")'
    ),
    "{% for order in orders %}{% with tags=order.tags.all %}{% for tag in tags %}x{% endfor %}{% endwith %}{% endfor %}": (
        '.prefetch_related("tags")'
    ),
    "{% for order in orders %}{% if order.tags.all %}x{% endif %}{{ order.tags.count }}{% endfor %}": (
        '.prefetch_related("tags")'
    ),
    "{% for order in orders %}{{ order.tags.count }} {{ order.size }}{% endfor %}": (
        '.annotate(Count("lines", distinct=True), Count("tags", distinct=True))'
    ),
    "{% for order in orders %}{% for line in order.lines.all %}{{ line.product.name }}{% endfor %}{% endfor %}": (
        '.prefetch_related("lines__product")'
    ),
    "{% for order in orders %}{% include 'shop/row.html' with line=order only %}{% endfor %}": (
        '.select_related("customer")'
    ),
    "{% for line in orders %}{% include 'shop/row.html' %}{% endfor %}": '.select_related("customer")',
    "{% set x = 1 %}{% for order in orders %}{% set c = order.customer %}{{ f(c.company.name) }}{% endfor %}": (
        '.select_related("customer__company")'
    ),
    "{% set x = 1 %}{% for order in orders %}{{ order.country() }}{% for t in order.tags.all() %}x{% endfor %}{% endfor %}": (
        '.select_related("customer__company").prefetch_related("tags")'
    ),
    "{% set x = 1 %}{% for order in orders %}{{ _('by %s')|format(order.customer.name) }}{% endfor %}": (
        '.select_related("customer")'
    ),
}  # fmt: skip


@pytest.mark.parametrize("template", FOUND)
def test_found(template: str) -> None:
    assert advice(view(f"{LIST}  # PB148"), template, row="{{ line.customer.name }}") == [FOUND[template]]


MACROS = """
    {% macro name(order, big=False) %}{{ order.customer.name }}{% endmacro %}
    {% macro row(order) %}<td>{{ name(order, big=True) }}</td>{% endmacro %}
    {% macro unused(order) %}{{ order.tags.all() }}{% endmacro %}
    """


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("{% import 'shop/macros.html' as macros with context %}", "macros.name(order)"),
        ("{% import 'shop/macros.html' as macros %}", "macros.row(order)"),
        (
            "{% from 'shop/macros.html' import unused, name as shown with context %}",
            "shown(big=1, order=order)",
        ),
        ("{% macro name(a, b) %}{{ b.customer }}{{ a }}{% endmacro %}", "name((1, 2), order)"),
    ],
)
def test_macros(head: str, call: str) -> None:
    page = f"{head}{{% for order in orders %}}{{{{ {call} }}}}{{% endfor %}}"
    (found,) = advice(view(f"{LIST}  # PB148"), page, macros=MACROS)
    assert found.startswith('.select_related("customer')


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("{% import 'shop/macros.html' as macros %}", "macros.name(other)"),
        ("{% import 'shop/macros.html' as macros %}", "macros.missing(order)"),
        ("{% import 'shop/macros.html' as macros %}", "macros.name(order.reference)"),
        ("{% from 'shop/macros.html' import unused %}", "name(order)"),
        ("{% macro name(a, b) %}{{ b.customer }}{{ c.customer }}{% endmacro %}", "name(order, 1)"),
    ],
)
def test_macros_that_read_nothing(head: str, call: str) -> None:
    page = f"{head}{{% for order in orders %}}{{{{ {call} }}}}{{% endfor %}}"
    assert advice(view(LIST), page, macros=MACROS) == []


def test_an_included_template_that_includes_itself() -> None:
    row = "{{ order.label }}{% for order in order.children.all %}{% include 'shop/row.html' %}{% endfor %}"
    found = advice(
        view(f"{LIST}  # PB148"),
        "{% for order in orders %}{% include 'shop/row.html' %}{% endfor %}",
        row=row,
    )
    assert found == ['.select_related("customer").prefetch_related("children")']


ONE_OBJECT = {
    "{{ order.customer.name }}{% for line in order.lines.all %}{{ line.pk }}{% endfor %}": [],
    "{% for x in others %}{{ order.customer.name }}{% endfor %}": [],
    "{% for parcel in order.parcels.all %}{{ parcel.product.name }}{% endfor %}": [],
    "{% for line in order.lines.all %}{{ line.product.name }}{% endfor %}": ['.prefetch_related("lines__product")'],
    "{% for line in order.lines.all %}{{ line.order.reference }}{{ line.product }}{% endfor %}": [
        '.prefetch_related("lines__product")'
    ],
}  # fmt: skip


@pytest.mark.parametrize("template", ONE_OBJECT)
def test_one_object(template: str) -> None:
    marker = "  # PB148" if ONE_OBJECT[template] else ""
    assert advice(view(ONE + marker), template) == ONE_OBJECT[template]


HELPERS = """
def attach(rows):
    for row in rows:
        row.customer = CUSTOMERS[row.customer_id]

def load(rows):
    prefetch_related_objects(rows, "customer")
"""
QUIET_VIEWS = {
    "another template": "return render(request, 'shop/other.html', {'orders': Order.objects.all()})",
    "a template that is not known": "return render(request, name, {'orders': Order.objects.all()})",
    "a name of several values": (
        "context = {'orders': Order.objects.all()}\n"
        "if staff():\n    context['orders'] = Order.objects.select_related('customer')\n"
        "return render(request, 'shop/page.html', context)"
    ),
    "rows that may be loaded": (
        "orders = Order.objects.all()\n"
        "if staff():\n    orders = orders.select_related('customer')\n"
        "return render(request, 'shop/page.html', {'orders': orders})"
    ),
    "values": "return render(request, 'shop/page.html', {'orders': Order.objects.values()})",
    "one row": "return render(request, 'shop/page.html', {'orders': Order.objects.all()[:1]})",
    "an argument": "return render(request, 'shop/page.html', {'orders': request.orders})",
    "loaded later": (
        "orders = list(Order.objects.all())\nprefetch_related_objects(orders, 'customer')\n"
        "return render(request, 'shop/page.html', {'orders': orders})"
    ),
    "set by the view": (
        "orders = list(Order.objects.all())\nfor order in orders:\n    order.customer = customers[order.customer_id]\n"
        "return render(request, 'shop/page.html', {'orders': orders})"
    ),
    "set by a function": (
        "orders = list(Order.objects.all())\nattach(orders)\n"
        "return render(request, 'shop/page.html', {'orders': orders})"
    ),
    "loaded by a function": (
        "orders = list(Order.objects.all())\nload(orders)\n"
        "return render(request, 'shop/page.html', {'orders': orders})"
    ),
    "another name": "return render(request, 'shop/page.html', {'all_orders': Order.objects.all()})",
}


@pytest.mark.parametrize("name", QUIET_VIEWS)
def test_quiet_views(name: str) -> None:
    module = view(QUIET_VIEWS[name]) + textwrap.indent(HELPERS, "    ")
    assert advice(module, SHOWS_NAME, other="x") == []


FOUND_VIEWS = {
    "a response": (
        "return TemplateResponse(request, 'shop/page.html', context={\n    'orders': Order.objects.all()  # PB148\n})"
    ),
    "a text": "return render_to_string('shop/page.html', dict(orders=Order.objects.all()))  # PB148",
    "a context that is filled": (
        "context = {}\ncontext['orders'] = Order.objects.all()  # PB148\n"
        "return render(request, 'shop/page.html', context)"
    ),
    "a context that is updated": (
        "context = {'a': 1}\ncontext.update({'orders': Order.objects.all()})  # PB148\n"
        "return render(request, template_name='shop/page.html', context=context)"
    ),
    "a page": (
        "context = {'orders': Paginator(Order.objects.all(), 5).get_page(1)}  # PB148\n"
        "return render(request, 'shop/page.html', context)"
    ),
    "a list": "return render(request, 'shop/page.html', {'orders': list(Order.objects.all())})  # PB148",
    "a relation": (
        "customer = Customer.objects.get()\n"
        "return render(request, 'shop/page.html', {'orders': customer.orders.all()})  # PB148"
    ),
}


@pytest.mark.parametrize("name", FOUND_VIEWS)
def test_found_views(name: str) -> None:
    page = SHOWS_NAME if name != "a relation" else SHOWS_NAME.replace("customer.name", "parent.reference")
    expected = "customer" if name != "a relation" else "parent"
    assert advice(view(FOUND_VIEWS[name]), page) == [f'.select_related("{expected}")']


CLASSES = {
    "class V(ListView):\n    model = Order  # PB148\n": "order_list",
    "class V(ListView):\n    model = Order  # PB148\n    context_object_name = 'orders'\n": "orders",
    "class V(ListView):\n    template_name = 'shop/page.html'\n"
    "    def get_queryset(self):\n        return Order.objects.filter(parent=None)  # PB148\n": "object_list",
    "class V(ListView):\n    queryset = Order.objects.all()  # PB148\n    template_name = 'shop/page.html'\n": "page_obj",
    "class V(TemplateView):\n    template_name = 'shop/page.html'\n"
    "    def get_context_data(self, **kwargs):\n        context = super().get_context_data(**kwargs)\n"
    "        context['orders'] = Order.objects.all()  # PB148\n        return context\n": "orders",
    "class V(UpdateView):\n    model = Tag\n    template_name = 'shop/page.html'\n"
    "    def get_context_data(self, **kwargs):\n"
    "        return {'orders': Order.objects.all(), **kwargs}  # PB148\n": "orders",
    "class V(ListView):\n    model = Order\n    template_name = 'shop/page.html'\n"
    "    def get_queryset(self):\n        return super().get_queryset().select_related('customer')\n": "object_list",
    "class V(ListView):\n    model = Order\n    template_name = 'shop/page.html'\n"
    "    def get_queryset(self):\n        return search(Order)\n": "object_list",
    "class V(ListView):\n    model = Order\n"
    "    def get_template_names(self):\n        return ['shop/page.html']\n": "object_list",
    "class V(ListView):\n    model = Order\n    template_name = 'shop/page.html'\n"
    "    def get_context_data(self, **kwargs):\n        context = super().get_context_data(**kwargs)\n"
    "        context['object_list'] = loaded(context['object_list'])\n        return context\n": "object_list",
    "from tables import SingleTableView\nclass V(SingleTableView):\n    model = Order\n"
    "    template_name = 'shop/page.html'\n": "object_list",
}


@pytest.mark.parametrize("text", CLASSES)
def test_classes(text: str) -> None:
    page = SHOWS_NAME.replace("orders", CLASSES[text])
    expected = ['.select_related("customer")'] if "# PB148" in text else []
    assert advice(cls(text), page, order_list=page) == expected


@pytest.mark.parametrize(
    ("body", "finds"),
    [
        ("return {'orders': Order.objects.all()}  # PB148", True),
        ("context['orders'] = Order.objects.all()  # PB148\n    return context", True),
        ("return {'orders': Order.objects.all()} if brief() else {'orders': []}", False),
        ("return {'orders': Order.objects.select_related('customer')}", False),
    ],
)
def test_tags_with_a_template(body: str, finds: bool) -> None:
    text = (
        "from django import template\nregister = template.Library()\n\n@register.inclusion_tag('shop/page.html')\n"
        f"def orders():\n    context = {{'a': 1}}\n    {body}\n"
    )
    assert advice(cls(text), SHOWS_NAME) == ['.select_related("customer")'] * finds


def test_detail() -> None:
    text = "class V(DetailView):\n    model = Order  # PB148\n"
    page = "{% for line in order.lines.all %}{{ line.product.name }}{% endfor %}{{ object.customer.name }}"
    assert advice(cls(text), "", order_detail=page) == ['.prefetch_related("lines__product")']


def test_a_template_of_two_folders() -> None:
    pages = files(SHOWS_NAME)
    pages["templates/shop/page.html"] = "overridden"
    assert findings(RULE, view(LIST), files=pages) == []


def test_a_folder_of_jinja() -> None:
    pages = files("")
    del pages["shop/templates/shop/page.html"]
    pages["shop/jinja2/shop/page.html"] = (
        "{% for order in orders %}{{ order.country }}{{ order.label }}{% endfor %}"
    )
    found = findings(RULE, view(f"{LIST}  # PB148"), files=pages)
    assert found[0].message.startswith('Add `.select_related("customer")`')


def test_places() -> None:
    found = findings(
        RULE,
        view(f"{LIST}  # PB148"),
        files=files("<p>\n  é {% for order in orders %}\n\t{{ order.label }}{% endfor %}"),
    )
    places = [(place.path.rpartition("/")[2], place.start.row, place.message) for place in found[0].related]
    assert places[1:] == [("page.html", 3, "shows `label`"), ("models.py", 28, "reads `customer`")]
    assert found[0].related[1].start.column == 2


def test_no_fix_for_what_is_counted() -> None:
    page = "{% for order in orders %}{{ order.tags.count }}{{ order.customer }}{% endfor %}"
    assert fix(RULE, view(LIST), files=files(page)).strip().endswith("{'orders': Order.objects.all()})")


@pytest.mark.parametrize("number", [0, 1])
def test_queries(number: int) -> None:
    call = (
        "from django.test import RequestFactory\nexample.overview(RequestFactory().get('/')).content",
        "from django.test import RequestFactory\n"
        "example.Orders.as_view()(RequestFactory().get('/')).render().content",
    )[number]
    few, many = queries("PB148", "Bad", number, call)
    assert many > few
    few, many = queries("PB148", "Good", number, call)
    assert many == few
