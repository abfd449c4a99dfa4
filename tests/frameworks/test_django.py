"""What Django's names mean: models, relations in both directions, managers, querysets and their rows."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.frameworks import django, django_models
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type
from pybackend_lint.settings import Settings
from tests.rules.harness import PROJECTS

HEADER = """
from accounts.models import Company, Profile, User
from catalog.models import Category, Product, Tag
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import connection, models
from django.shortcuts import get_list_or_404, get_object_or_404
from orders.models import Invoice, Line, Order
from rest_framework.pagination import PageNumberPagination
from reviews.models import Flag, Review
"""


def shop(directory: Path, text: str, path: str = "shop_report.py") -> Module:
    """A module of the shop."""
    root = directory / "shop"
    if not root.exists():
        shutil.copytree(PROJECTS / "django_shop", root)
    (root / path).write_text(textwrap.dedent(text))
    engine = Engine(Settings(root=root))
    return engine.index.add(str(root / path), (root / path).read_bytes())


def types(directory: Path, text: str) -> dict[str, Type | None]:
    """The types of the variables that a piece of code of the shop assigns."""
    module = shop(directory, HEADER + textwrap.dedent(text))
    found = {}
    for name, bindings in module.scope.bindings.items():
        value = bindings[-1].value
        if bindings[-1].kind == "assign" and value is not None:
            found[name] = module.type_of(value)
    return found


def short(value: Type | None) -> str:
    """A type as `QuerySet[Order]`."""
    if value is None:
        return "?"
    inner = f"[{', '.join(map(short, value.args))}]" if value.args else ""
    return value.name.rpartition(".")[2] + inner


@pytest.mark.parametrize(
    ("code", "expected"),
    {
        "Order.objects": "Manager[Order]",
        "Order.objects.all()": "QuerySet[Order]",
        "Order.objects.filter(paid=True).exclude(total=0).order_by('pk')[:5]": "QuerySet[Order]",
        "Order.objects.filter(paid=True)[0]": "Order",
        "Order.objects.get(pk=1)": "Order",
        "Order.objects.first()": "Order",
        "Order.objects.get_or_create(reference='x')": "tuple[Order, bool]",
        "Order.objects.in_bulk([1])": "dict[?, Order]",
        "Order.objects.count()": "int",
        "Order.objects.values('pk')": "QuerySet[?]",
        "Order.objects.acount()": "Coroutine[int]",
        "Order.objects.aget(pk=1)": "Coroutine[Order]",
        "Order.with_customers.open()": "QuerySet[Order]",
        "Order.with_customers.all()": "QuerySet[Order]",
        "Order.no_manager": "no_manager",
        "Product.objects.active()": "ProductQuerySet[Product]",
        "Product.objects.active().with_category()": "ProductQuerySet[Product]",
        "Product.objects.filter(stock=0).listed()": "ProductQuerySet[Product]",
        "User.objects.filter(is_staff=True)": "QuerySet[User]",
        "get_user_model().objects.all()": "QuerySet[User]",
        "get_object_or_404(Order, pk=1)": "Order",
        "get_object_or_404(Order.objects.all(), pk=1)": "Order",
        "get_list_or_404(Order)": "list[Order]",
        "Order.objects.get(pk=1).customer": "User",
        "Order.objects.get(pk=1).customer.company.name": "str",
        "Order.objects.get(pk=1).customer_id": "value",
        "Order.objects.get(pk=1).invoice": "Invoice",
        "Order.objects.get(pk=1).lines": "RelatedManager[Line]",
        "Order.objects.get(pk=1).lines.all()": "QuerySet[Line]",
        "Order.objects.get(pk=1).reference": "str",
        "Order.objects.get(pk=1).total": "Decimal",
        "Product.objects.get(pk=1).attributes": "value",
        "Product.objects.get(pk=1).tags.all()": "QuerySet[Tag]",
        "Product.objects.get(pk=1).line_set.all()": "QuerySet[Line]",
        "Product.objects.get(pk=1).review_set.all()": "QuerySet[Review]",
        "Tag.objects.get(pk=1).products.active()": "ProductQuerySet[Product]",
        "Category.objects.get(pk=1).children.all()": "QuerySet[Category]",
        "Category.objects.get(pk=1).parent": "Category",
        "User.objects.get(pk=1).profile": "Profile",
        "User.objects.get(pk=1).orders.all()": "QuerySet[Order]",
        "User.objects.get(pk=1).groups.all()": "QuerySet[Group]",
        "User.objects.get(pk=1).reviews.all()": "QuerySet[Review]",
        "User.objects.get(pk=1).flags.all()": "QuerySet[Flag]",
        "User.objects.get(pk=1).company": "Company",
        "Company.objects.get(pk=1).employees.all()": "QuerySet[User]",
        "list(Order.objects.all())": "list[Order]",
        "Order.objects.iterator()": "Iterator[Order]",
        "Paginator(Order.objects.all(), 10)": "Paginator[Page[Order]]",
        "Paginator(Order.objects.all(), 10).page(1)": "Page[Order]",
        "Paginator(list(Order.objects.all()), 10).get_page(1).object_list": "list[Order]",
        "Paginator(unknown(), 10).page(1)": "Page[?]",
        "PageNumberPagination().paginate_queryset(Order.objects.all(), request)": "list[Order]",
        "Order.objects.unheard_of()": "?",
        "connection.cursor()": "CursorWrapper",
    }.items(),
)  # fmt: skip
def test_types(code: str, expected: str, tmp_path: Path) -> None:
    assert short(types(tmp_path, f"x = {code}")["x"]) == expected


def covered(directory: Path, code: str, *paths: str) -> dict[str, bool | None]:
    """Which relation paths the rows of an expression have loaded; None where that is unknown."""
    loaded = django.loaded(types(directory, f"x = {code}")["x"])
    return {path: None if loaded is None else loaded.covers(path) for path in paths}


@pytest.mark.parametrize(
    ("code", "path", "expected"),
    [
        ("Order.objects.all()", "customer", False),
        ("Order.objects.select_related('customer')", "customer", True),
        ("Order.objects.select_related('customer__company')", "customer", True),
        ("Order.objects.select_related('customer')", "customer__company", False),
        ("Order.objects.prefetch_related('lines__product')", "lines", True),
        ("Order.objects.prefetch_related('lines').filter(paid=True)", "lines", True),
        ("Order.objects.select_related('customer').select_related(None)", "customer", False),
        (
            "Order.objects.prefetch_related(models.Prefetch('lines', queryset=Line.objects.all()))",
            "lines",
            True,
        ),
        ("Order.objects.prefetch_related(models.Prefetch('lines', to_attr='kept'))", "lines", False),
        ("Order.objects.select_related(*NAMES)", "customer", None),
        ("Order.with_customers.open()", "customer", True),
        ("Order.with_customers.open()", "customer__company", False),
        ("Product.objects.active()", "category", False),
        ("Product.objects.with_category()", "category", True),
        ("Product.objects.listed()", "tags", True),
        ("Product.objects.searched(name='x')", "category", None),
        ("Order.objects.get(pk=1).lines.all()", "order", True),
        ("Order.objects.get(pk=1).lines.all()", "product", False),
        ("Order.objects.union(Order.objects.all())", "customer", None),
        ("Order.objects.select_related('customer').get(pk=1).customer.orders", "lines", False),
    ],
)
def test_what_is_loaded(code: str, path: str, expected: bool | None, tmp_path: Path) -> None:
    assert covered(tmp_path, code, path) == {path: expected}


def test_what_one_of_several_alternatives_loads_may_be_loaded(tmp_path: Path) -> None:
    found = types(
        tmp_path,
        """
        orders = Order.objects.all()[:5]
        if orders.exists():
            orders = orders.select_related("customer")[:3]
        if len(orders) > 2:
            orders = orders.prefetch_related("lines")
        rows = orders
        """,
    )
    assert short(found["rows"]) == "QuerySet[Order]"
    loaded = django.loaded(found["rows"])
    assert loaded is not None
    assert loaded.limit == 5
    assert [loaded.covers(path) for path in ("customer", "lines", "customer__company")] == [True, True, False]


def test_an_alternative_that_may_load_anything_makes_all_unknown(tmp_path: Path) -> None:
    found = types(
        tmp_path,
        """
        orders = Order.objects.all()
        if orders.exists():
            orders = orders.select_related(*NAMES)
        rows = orders
        """,
    )
    assert django.loaded(found["rows"]) is None


def test_relations(tmp_path: Path) -> None:
    module = shop(tmp_path, HEADER)

    def kind(model: str, name: str) -> tuple[str, str | None] | None:
        found = django_models.relation(module.export(model) or "", name, module)
        return None if found is None else (found.kind, found.target)

    assert kind("Order", "customer") == ("forward", "accounts.models.User")
    assert kind("Order", "invoice") == ("reverse", "orders.models.Invoice")
    assert kind("Order", "lines") == ("multi", "orders.models.Line")
    assert kind("Order", "line_set") is None
    assert kind("Order", "reference") is None
    assert kind("Flag", "item") == ("generic", None)
    assert kind("User", "owneds") is None


def test_settings_follow_star_imports(tmp_path: Path) -> None:
    module = shop(tmp_path, HEADER)
    assert django_models.settings_value(module, "AUTH_USER_MODEL") == "accounts.User"
    assert django_models.settings_value(module, "DATABASES") is django_models.UNKNOWN
    assert django_models.settings_value(module, "APPEND_SLASH", True) is True


def test_app_labels(tmp_path: Path) -> None:
    module = shop(tmp_path, HEADER)
    assert django_models.model_by_label("sales.Order", module) == "orders.models.Order"
    assert django_models.model_by_label("orders.Order", module) is None
    assert django_models.model_by_label("auth.Group", module) == "django.contrib.auth.models.Group"


def test_views(tmp_path: Path) -> None:
    module = shop(
        tmp_path,
        """
        from django.views.generic import DetailView, ListView
        from orders.models import Order

        class Orders(ListView):
            queryset = Order.objects.select_related("customer")

            def get_context_data(self, **kwargs):
                return self.get_queryset()

            def get_queryset(self):
                return super().get_queryset().filter(paid=True)
        """,
    )
    info = module.modules.class_info(f"{module.name}.Orders")
    assert info is not None
    method = info.method("get_context_data")
    assert method is not None
    value = method.body_type()
    assert short(value) == "QuerySet[Order]"
    loaded = django.loaded(value)
    assert loaded is not None
    assert loaded.covers("customer")


def test_imports_are_looked_for_beside_manage_py(tmp_path: Path) -> None:
    """Django's commands run from that directory, also when it is a package of an outer project."""
    package = tmp_path / "outer" / "backend"
    shutil.copytree(PROJECTS / "django_shop", package)
    (package / "pyproject.toml").rename(tmp_path / "outer" / "pyproject.toml")
    (package / "__init__.py").write_text("")
    path = package / "report.py"
    path.write_text("from orders.models import Order\n\nx = Order.objects.first().customer.company\n")
    module = Engine(Settings(root=tmp_path / "outer")).index.add(str(path), path.read_bytes())
    value = module.scope.bindings["x"][0].value
    assert value is not None
    found = module.type_of(value)
    assert found is not None
    assert found.name == "backend.accounts.models.Company"


def test_querysets_that_managers_build_from_their_model(tmp_path: Path) -> None:
    found = types(
        tmp_path,
        """
        class PartQuerySet(models.QuerySet):
            def tagged(self):
                return self.prefetch_related("tags")

        class PartManager(models.Manager):
            def get_queryset(self):
                return PartQuerySet(self.model, using=self._db).filter(hidden=False).select_related("maker")

        class Part(models.Model):
            maker = models.ForeignKey(Company, models.CASCADE)
            tags = models.ManyToManyField(Tag)

            objects = PartManager()

        parts = Part.objects.filter(pk=1)
        tagged = Part.objects.get_queryset().tagged()
        """,
    )
    assert short(found["parts"]) == "PartQuerySet[Part]"
    loaded = django.loaded(found["tagged"])
    assert loaded is not None
    assert (loaded.select, loaded.prefetch) == (frozenset({"maker"}), frozenset({"tags"}))


def test_one_to_one_relations_lead_back_without_a_query(tmp_path: Path) -> None:
    module = shop(tmp_path, HEADER)
    profile, user = module.export("Profile"), module.export("User")
    assert profile is not None
    assert user is not None
    forward = django_models.relation(profile, "user", module)
    reverse = django_models.relation(user, "profile", module)
    assert forward is not None
    assert reverse is not None
    assert (forward.back, reverse.back) == ("profile", "user")


def test_related_names_by_position(tmp_path: Path) -> None:
    text = """
        class Maker(models.Model):
            pass

        class Part(models.Model):
            maker = models.ForeignKey(Maker, models.CASCADE, "parts")
            others = models.ManyToManyField(Maker, "other_parts")
        """
    module = shop(tmp_path, HEADER + textwrap.dedent(text))
    for name in ("parts", "other_parts"):
        found = django_models.relation("shop_report.Maker", name, module)
        assert found is not None
        assert found.kind == "multi"
