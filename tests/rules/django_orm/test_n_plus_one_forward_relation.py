"""Traps of PB100 over the shop, and the query counts that Django itself shows."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "n-plus-one-forward-relation"

SILENT = {
    "selected": "[o.customer.phone for o in Order.objects.select_related('customer')]",
    "prefetched": "[o.customer.phone for o in Order.objects.prefetch_related('customer')]",
    "selected by a longer path": "[o.customer.phone for o in Order.objects.select_related('customer__company')]",
    "selected by a custom manager": "[o.customer.phone for o in Order.with_customers.open()]",
    "selected by a queryset method": "[p.category.name for p in Product.objects.listed()]",
    "unknown method": "[p.category.name for p in Product.objects.searched(name='x')]",
    "unknown arguments": "[o.customer.phone for o in Order.objects.select_related(*NAMES)]",
    "back over a one to one": ("[p.user.profile.bio for p in Profile.objects.select_related('user')]"),
    "key only": "[(o.customer_id, o.customer.pk, o.customer.id) for o in Order.objects.all()]",
    "first row only": "[o.customer.phone for o in Order.objects.all()[:1]]",
    "one row from a place": "[o.customer.phone for o in Order.objects.all()[user : user + 1]]",
    "deferred on purpose": "[o.customer.phone for o in Order.objects.only('pk')]",
    "fetched for all peers": "[o.customer.phone for o in Order.objects.fetch_mode(models.FETCH_PEERS)]",
    "raises instead": "[o.customer.phone for o in Order.objects.fetch_mode(models.FETCH_RAISE)]",
    "no rows": "[o.customer for o in Order.objects.values('customer')]",
    "the row that was asked": "[line.order.reference for line in Order.objects.get(pk=1).lines.all()]",
    "its filtered relation": "[line.order.customer for line in Order.objects.get(pk=1).lines.filter(quantity=1)]",
    "stops at the first": "next(o.customer.phone for o in Order.objects.all())",
    "stops at the first that fits": "next(filter(lambda o: o.customer.phone, Order.objects.all()))",
    "sorted by what is loaded": """
        print(sorted(Order.objects.select_related("customer"), key=lambda o: o.customer.phone))
        print(sorted(Order.objects.all(), key=lambda o: o.customer_id))
        print(sorted(Order.objects.all(), key=lambda o, n=1: o.customer.phone))
        print(transform(lambda o: o.customer.phone, Order.objects.all()))
        """,
    "all that are not null": "[o.customer.phone for o in Order.objects.select_related()]",
    "leaves at once": """
        for o in Order.objects.all():
            print(o.customer.phone)
            break
        """,
    "locked, so that joined rows would be locked as well": (
        "[o.customer.phone for o in Order.objects.select_for_update()]"
    ),
    "after an error": """
        for o in Order.objects.all():
            try:
                o.save()
            except ValueError:
                print(o.customer.phone)
        """,
    "ends with the first that works": """
        for o in Order.objects.all():
            try:
                with o.customer.phone as line:
                    return line
            except ValueError:
                pass
        """,
    "once for each key": """
        found = {}
        for o in Order.objects.all():
            if o.customer_id not in found:
                found[o.customer_id] = o.customer.phone
        """,
    "assigned before": """
        for o in Order.objects.all():
            o.customer = user
            print(o.customer.phone)
        """,
    "another variable of the name": """
        for o in Order.objects.all():
            o = load(o)
            print(o.customer.phone)
        """,
    "loaded afterwards": """
        orders = list(Order.objects.all())
        models.prefetch_related_objects(orders, "customer")
        for o in orders:
            print(o.customer.phone)
        """,
    "one of two querysets": """
        orders = Order.objects.all()
        if user:
            orders = orders.select_related("customer")
        for o in orders:
            print(o.customer.phone)
        """,
    "loaded in one of two branches": """
        orders = Order.objects.select_related("customer") if user else Order.objects.filter(paid=True)
        for o in orders:
            print(o.customer.phone)
        """,
    "loaded by what nobody knows": """
        orders = Order.objects.all()
        if user:
            orders = user.narrowed(orders)
        for o in orders:
            print(o.customer.phone)
        """,
    "loaded in a loop": """
        orders = Order.objects.all()
        for name in ("customer", "invoice"):
            orders = orders.select_related(name)
        for o in orders:
            print(o.customer.phone)
        """,
    "a page of loaded rows": """
        for o in Paginator(Order.objects.select_related("customer"), 10).page(1):
            print(o.customer.phone)
        """,
    "a page of unknown rows": """
        for o in Paginator(user.orders(), 10).get_page(1).object_list:
            print(o.customer.phone)
        """,
    "a filtered relation of a loaded row": """
        for o in Order.objects.select_related("customer"):
            o.customer.orders.filter(paid=True).update(paid=False)
        """,
    "a parameter": """
        for o in user:
            print(o.customer.phone)
        """,
    "read later": """
        for o in Order.objects.all():
            user.later(lambda: o.customer.phone)
        """,
    "prefetched with its own queryset": """
        orders = Order.objects.prefetch_related(models.Prefetch("lines", Line.objects.select_related("product")))
        for o in orders:
            for line in o.lines.all():
                print(line.product.name)
        """,
    "prefetched through the lines": """
        for o in Order.objects.prefetch_related("lines__product"):
            for line in o.lines.all():
                print(line.product.name)
        """,
    "may be prefetched by the caller": """
        order = user.order
        for line in order.lines.all():
            print(line.product.name)
        """,
}

FOUND = {
    "keys to sort by and functions for each row": """
        orders = Order.objects.all()
        print(sorted(orders, key=lambda o: o.customer.phone))  # PB100
        print(max(Order.objects.all(), key=lambda o: o.customer.phone))  # PB100
        print(list(map(lambda o: o.customer.phone, Order.objects.all())))  # PB100
        print(list(filter(lambda o: o.customer.phone, Order.objects.all())))  # PB100
        rows = list(Order.objects.all())
        rows.sort(key=lambda o: o.customer.phone)  # PB100
        """,
    "only its own rows are locked": """
        for o in Order.objects.select_for_update(of=("self",)):
            print(o.customer.phone)  # PB100
        """,
    "none of several querysets loads it": """
        orders = Order.objects.all()
        if user:
            orders = orders.select_related("invoice").filter(paid=True)
        elif Order:
            orders = Order.objects.exclude(paid=True)
        for o in orders:
            print(o.customer.phone)  # PB100
        """,
    "a page": """
        paginator = Paginator(Order.objects.all(), 10)
        try:
            page = paginator.page(user)
        except ValueError:
            page = paginator.page(1)
        for o in page:
            print(o.customer.phone)  # PB100
        """,
    "the rows of a page": """
        for number, o in enumerate(Paginator(list(Order.objects.all()), 10).get_page(1).object_list):
            print(number, o.customer.phone)  # PB100
        """,
    "a helper with an open annotation": """
        def paid() -> models.QuerySet[Any]:
            return Order.objects.filter(paid=True)

        for o in sorted(paid().order_by("pk"), key=len):
            print(o.customer.phone)  # PB100
        """,
    "the row whose relation is filtered": """
        for o in Order.objects.all():
            o.customer.orders.filter(paid=True).update(paid=False)  # PB100
        """,
    "asked for each row": """
        found = {}
        for o in Order.objects.all():
            if o.customer not in found:  # PB100
                found[o.customer] = o.total
        """,
    "foreign key": "[o.customer.phone for o in Order.objects.all()]  # PB100",
    "whole object": "[str(o.customer) for o in Order.objects.filter(paid=True)]  # PB100",
    "reverse one to one": "[o.invoice.number for o in Order.objects.all()]  # PB100",
    "two steps": "[o.customer.company.name for o in Order.objects.select_related('customer')]  # PB100",
    "generic": "[flag.item for flag in Flag.objects.all()]  # PB100",
    "selected and cancelled": (
        "[o.customer for o in Order.objects.select_related('customer').select_related(None)]  # PB100"
    ),
    "in a condition": "[o.pk for o in Order.objects.all() if o.customer.is_staff]  # PB100",
    "together with others": "[(o.customer, x) for o, x in zip(Order.objects.all(), user)]  # PB100",
    "behind others": "[(x, o.customer) for x, _, o in zip(user, user, Order.objects.all())]  # PB100",
    "numbered": "[(i, o.customer) for i, o in enumerate(Order.objects.all())]  # PB100",
    "another relation selected": "[o.invoice for o in Order.objects.select_related('customer')]  # PB100",
    "filtered relation": "[line.product for line in Line.objects.get(pk=1).order.lines.filter(pk=1)]  # PB100",
    "lines of a loaded row": "[line.product for line in Order.objects.get(pk=1).lines.all()]  # PB100",
    "fetched one by one": "[o.customer for o in Order.objects.fetch_mode(models.FETCH_ONE)]  # PB100",
    "list of rows": """
        orders = list(Order.objects.order_by("pk"))
        for o in orders:
            print(o.customer.phone)  # PB100
        """,
    "only the first of two loops over the same rows": """
        orders = Order.objects.all()
        if user and all(o.customer for o in orders):  # PB100
            return [o.customer.phone for o in orders]
        """,
    "inherited row": """
        for review in Review.objects.all():
            print(review.owner.phone, review.product.name)  # PB100 # PB100
        """,
    "prefetched by another name": """
        for o in Order.objects.prefetch_related(models.Prefetch("customer", to_attr="buyer")):
            print(o.customer)  # PB100
        """,
    "inner loop": """
        for o in Order.objects.prefetch_related("lines"):
            for line in o.lines.all():
                print(line.product.name)  # PB100
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


@pytest.mark.parametrize(
    ("outer", "advice"),
    [
        ("Order.objects.prefetch_related('lines')", 'prefetch_related("lines__product")'),
        ("Order.objects.all()", 'select_related("product")'),
    ],
)
def test_rows_that_were_prefetched_themselves(outer: str, advice: str) -> None:
    code = f"for o in {outer}:\n    for line in o.lines.all():\n        print(line.product.name)  # PB100"
    (found,) = findings(RULE, program(code), project="django_shop")
    assert found.message.split("`")[1] == advice
    assert found.fix is None


@pytest.mark.parametrize(("version", "marker"), [("5.2", ""), ("3.2", "  # PB100")])
def test_coroutines_have_a_rule_of_their_own(version: str, marker: str) -> None:
    code = f"async for o in Order.objects.all():\n    print(o.customer.phone){marker}"
    files = {"pyproject.toml": f'[project]\ndependencies = ["django~={version}.0"]\n'}
    findings(RULE, program(code, function="async def"), project="django_shop", files=files)


def test_queryset_of_another_file() -> None:
    found = findings(
        RULE,
        """
        from orders.queries import unpaid

        def report():
            for order in unpaid():
                print(order.customer.phone)  # PB100
        """,
        project="django_shop",
        files={
            "orders/queries.py": """
                from orders.models import Order

                def unpaid():
                    return Order.objects.filter(paid=False)
                """
        },
    )
    assert found[0].fix is None
    assert [(related.path.rpartition("/")[2], related.start.row) for related in found[0].related] == [
        ("queries.py", 3)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Order.objects.all()", 'Order.objects.all().select_related("customer")'),
        ("Order.objects.all()[:10]", 'Order.objects.all().select_related("customer")[:10]'),
        ("list(Order.objects.all())", 'list(Order.objects.all().select_related("customer"))'),
        (
            'Order.objects.select_related("invoice").filter(paid=True)',
            'Order.objects.select_related("invoice", "customer").filter(paid=True)',
        ),
    ],
)
def test_fix(before: str, after: str) -> None:
    text = "from shop.models import Order\n\n\ndef report():\n    return [o.customer.name for o in {}]\n"
    models = """
        from django.db import models

        class Customer(models.Model):
            name = models.CharField(max_length=10)

        class Order(models.Model):
            customer = models.ForeignKey(Customer, models.CASCADE)
            paid = models.BooleanField()

        class Invoice(models.Model):
            order = models.OneToOneField(Order, models.CASCADE)
        """
    assert fix(RULE, text.format(before), files={"shop/models.py": models}) == text.format(after)


def test_fix_where_a_name_is_narrowed() -> None:
    text = """
        from django.core.paginator import Paginator
        from shop.models import Order


        def report(paid, number):
            orders = Order.objects.order_by("pk"){}
            if paid:
                orders = orders.filter(paid=True)
            return [order.customer.name for order in Paginator(orders, 10).page(number)]
        """
    models = """
        from django.db import models

        class Customer(models.Model):
            name = models.CharField(max_length=10)

        class Order(models.Model):
            customer = models.ForeignKey(Customer, models.CASCADE)
            paid = models.BooleanField()
        """
    text = textwrap.dedent(text).lstrip()
    fixed = text.format('.select_related("customer")')
    assert fix(RULE, text.format(""), files={"shop/models.py": models}) == fixed


MANAGERS = {
    "of django-scopes": (
        "from django_scopes import ScopedManager",
        "ScopedManager(shop='shop')",
        "  # PB100",
    ),
    "of django-scopes, made of one that loads": (
        "from django_scopes import ScopedManager",
        "ScopedManager(_manager_class=Loading, shop='shop')",
        "",
    ),
    "of django-mptt": ("from mptt.managers import TreeManager", "TreeManager()", "  # PB100"),
    "of a package that keeps rows": ("from idmapper.manager import Manager", "Manager()", ""),
}


@pytest.mark.parametrize(("line", "manager", "marker"), MANAGERS.values(), ids=MANAGERS.keys())
def test_managers_of_packages(line: str, manager: str, marker: str) -> None:
    models = f"""
        from django.db import models
        {line}

        class Loading(models.Manager):
            def get_queryset(self):
                return super().get_queryset().select_related("parent")

        class Room(models.Model):
            parent = models.ForeignKey("Room", models.CASCADE)
            objects = {manager}
    """
    source = (
        f"from rooms.models import Room\n\n\nprint([str(r.parent) for r in Room.objects.all()]){marker}\n"
    )
    findings(RULE, source, files={"rooms/models.py": models})


@pytest.mark.parametrize(
    ("base", "marker"), [("audit.models.Logged", "  # PB100"), ("idmapper.models.SharedMemoryModel", "")]
)
def test_models_with_bases_of_packages(base: str, marker: str) -> None:
    module, _, name = base.rpartition(".")
    models = f"""
        from django.db import models
        from {module} import {name}

        class Room({name}, models.Model):
            parent = models.ForeignKey("Room", models.CASCADE)
    """
    source = (
        f"from rooms.models import Room\n\n\nprint([str(r.parent) for r in Room.objects.all()]){marker}\n"
    )
    findings(RULE, source, files={"rooms/models.py": models})


def test_django_runs_one_query_per_row() -> None:
    printed = run(
        """
        company = Company.objects.create(name="C", country="NL")
        user = User.objects.create(username="u", company=company)
        order = None
        for number in range(3):
            order = Order.objects.create(customer=user, reference=str(number))
            Invoice.objects.create(order=order, number="1")
            Line.objects.create(order=order, product=Product.objects.create(
                name="p", price=1, category=Category.objects.create(name="c")))

        def count(body):
            with CaptureQueriesContext(connection) as captured:
                body()
            print(len(captured), end=" ")

        count(lambda: [o.customer.phone for o in Order.objects.all()])
        count(lambda: [o.customer.phone for o in Order.objects.select_related("customer")])
        count(lambda: [o.customer.phone for o in Order.with_customers.open()])
        count(lambda: sorted(Order.objects.all(), key=lambda o: o.customer.phone))
        count(lambda: [o.invoice.number for o in Order.objects.all()])
        count(lambda: [o.customer.phone for o in Paginator(Order.objects.order_by("pk"), 10).page(1)])
        count(lambda: [o.customer.orders.filter(paid=True).delete for o in Order.objects.all()])
        Profile.objects.create(user=user)
        count(lambda: [p.user.profile.bio for p in Profile.objects.select_related("user")])
        count(lambda: [o.customer_id for o in Order.objects.all()])
        order = Order.objects.get(pk=order.pk)
        count(lambda: [line.order.customer for line in order.lines.all()])
        count(lambda: [line.order.reference for line in order.lines.filter(quantity=1)])
        orders = Order.objects.prefetch_related(models.Prefetch("lines", Line.objects.select_related("product")))
        count(lambda: [line.product.name for o in orders for line in o.lines.all()])
        """
    )
    assert printed.split() == ["4", "1", "1", "4", "4", "5", "4", "1", "1", "2", "1", "2"]


@pytest.mark.parametrize(("body", "marker"), [("def __call__(cls, *args): ...", ""), ("pass", "  # PB100")])
def test_models_of_a_metaclass_of_the_project(body: str, marker: str) -> None:
    models = f"""
        from django.db import models
        from django.db.models.base import ModelBase

        class SharedBase(ModelBase):
            {body}

        class Shared(models.Model, metaclass=SharedBase):
            class Meta:
                abstract = True

        class Room(Shared):
            area = models.ForeignKey("Room", models.CASCADE)
    """
    source = (
        f"from rooms.models import Room\n\nprint([str(room.area) for room in Room.objects.all()]){marker}\n"
    )
    findings(RULE, source, files={"rooms/models.py": models})
