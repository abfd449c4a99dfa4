"""Traps of PB102 over the shop, and the query counts of the documented examples under Django."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.django_orm.shop import program
from tests.rules.harness import findings, fix

RULE = "n-plus-one-through-call"
FILES = {
    "shipping/models.py": """
        from django.conf import settings
        from django.db import models
        from functools import cached_property

        class Addressed(models.Model):
            order = models.ForeignKey("sales.Order", models.CASCADE, related_name="%(class)ss")

            class Meta:
                abstract = True

            @property
            def buyer(self):
                return self.order.customer

            def country(self, short=False):
                return self.order.customer.company.country if short else ""

        class Carrier(models.Model):
            name = models.CharField(max_length=10)

        class Parcel(Addressed):
            carrier = models.ForeignKey(Carrier, models.CASCADE, null=True)
            parent = models.ForeignKey("self", models.CASCADE, null=True)
            stamps = models.ManyToManyField("catalog.Tag")

            def __str__(self):
                return f"{self.pk} by {self.carrier.name}"

            @property
            def label(self):
                return self.order.reference

            @cached_property
            def heavy(self):
                return any(line.product.stock for line in self.order.lines.all())

            def root(self):
                return self if self.parent is None else self.parent.root()

            def checked_carrier(self):
                if Parcel.carrier.is_cached(self):
                    return self.carrier.name

            def carrier_or_none(self):
                if self.carrier_id:
                    return self.carrier.name

            def set_carrier(self, carrier):
                self.carrier = carrier
                return self.carrier.name

            def named(self, carrier):
                self.carrier = carrier
                return str(self)

            def in_debug(self):
                if settings.DEBUG:
                    return self.carrier.name

            def not_in_tests(self):
                if settings.TESTING:
                    return None
                return self.carrier.name

            def failing(self):
                try:
                    return self.pk + 1
                except TypeError:
                    return self.carrier.name

            def first_saved(self):
                if not self.pk:
                    return self.carrier.name

            def refresh_stamps(self):
                for stamp in self.stamps.all():
                    stamp.save()

            def carrier_key(self):
                return self.carrier.pk

            def again(self):
                return self.order.reference

            def lazily(self):
                return lambda: self.carrier.name

            def every_stamp(self):
                yield from self.stamps.all()

            def all_stamps(self):
                return self.stamps.all()

            def same_stamps(self):
                stamps = self.stamps.all()
                return stamps.filter(parcel__carrier__in=self.stamps.all())

            def sorted_stamps(self):
                return self.stamps.order_by("name")

            async def later(self):
                return self.carrier.name

            def save(self, *args, **kwargs):
                self.note = self.carrier.name
                super().save(*args, **kwargs)

            def own_order(self):
                return [parcel.order.customer for parcel in self.order.parcels.all()]
        """,
    "shipping/texts.py": """
        from functools import lru_cache

        def carrier_of(parcel):
            return parcel.carrier.name

        def line(number, parcel, *, prefix=""):
            carrier = parcel.carrier
            return f"{prefix}{number} {carrier.name}"

        def deep(parcel):
            return line(1, parcel=parcel)

        @lru_cache
        def kept(parcel):
            return parcel.carrier.name

        class Label:
            def __init__(self, parcel):
                self.text = parcel.carrier.name

        class Shown:
            def __call__(self, parcel):
                return parcel.carrier.name

        show = Shown()
        """,
}
IMPORTS = "from shipping.models import Parcel\nfrom shipping import texts\n"

SILENT = {
    "selected": "[p.label for p in Parcel.objects.select_related('order')]",
    "selected deeper": "[p.buyer.phone for p in Parcel.objects.select_related('order__customer__company')]",
    "prefetched": "[p.heavy for p in Parcel.objects.prefetch_related('order__lines__product')]",
    "calls itself": "[p.root() for p in Parcel.objects.all()]",
    "looks at what is loaded": "[p.checked_carrier() for p in Parcel.objects.all()]",
    "sets what it reads": "[p.set_carrier(user) for p in Parcel.objects.all()]",
    "sets what a method reads": "[p.named(user) for p in Parcel.objects.all()]",
    "returned, not read": "[p.all_stamps() for p in Parcel.objects.all()]",
    "part of a query": "[p.same_stamps() for p in Parcel.objects.all()]",
    "a setting decides": "[(p.in_debug(), p.not_in_tests()) for p in Parcel.objects.all()]",
    "an argument decides": "[p.country(short=user) for p in Parcel.objects.all()]",
    "only after an error": "[p.failing() for p in Parcel.objects.all()]",
    "only for new rows": "[p.first_saved() for p in Parcel.objects.all()]",
    "changes the rows": "[p.refresh_stamps() for p in Parcel.objects.all()]",
    "saves": "[p.save() for p in Parcel.objects.all()]",
    "key only": "[p.carrier_key() for p in Parcel.objects.all()]",
    "not certain to be written": "[logger.debug('%s', p) for p in Parcel.objects.all()]",
    "later": "[(p.lazily(), p.every_stamp(), p.later()) for p in Parcel.objects.all()]",
    "a query of its own": "[p.sorted_stamps() for p in Parcel.objects.all()]",
    "mapped with what is needed": "list(map(texts.carrier_of, Parcel.objects.select_related('carrier')))",
    "mapped with others": "list(map(texts.carrier_of, Parcel.objects.all(), user))",
    "mapped by another map": "list(user.map(texts.carrier_of, Parcel.objects.all()))",
    "zipped with what is needed": (
        "[texts.carrier_of(p) for x, p in zip(user, Parcel.objects.select_related('carrier'))]"
    ),
    "kept for all calls": "[texts.kept(p) for p in Parcel.objects.all()]",
    "the row that was asked": "[p.again() for p in Order.objects.get(pk=1).parcels.all()]",
    "not called": "[p.root for p in Parcel.objects.all()]",
    "one row": "[p.label for p in Parcel.objects.all()[:1]]",
    "a parameter": "[p.label for p in user]",
    "deferred on purpose": "[p.label for p in Parcel.objects.only('pk')]",
    "only for the one that is found": """
        for p in Parcel.objects.all():
            if p.pk == user.pk:
                print(p.label)
                break
        """,
    "assigned before": """
        for p in Parcel.objects.all():
            p.order = user
            print(p.label)
        """,
    "loaded afterwards": """
        parcels = list(Parcel.objects.all())
        models.prefetch_related_objects(parcels, "order")
        for p in parcels:
            print(p.label)
        """,
}
FOUND = {
    "property": "[p.label for p in Parcel.objects.all()]  # PB102",
    "property of the abstract base": "[p.buyer for p in Parcel.objects.select_related('order')]  # PB102",
    "cached property": "[p.heavy for p in Parcel.objects.all()]  # PB102",
    "the row decides": "[p.carrier_or_none() for p in Parcel.objects.all()]  # PB102",
    "as text": "[str(p) for p in Parcel.objects.all()]  # PB102",
    "in a lambda that is called at once": "[sorted([p], key=lambda _: p.label) for p in Parcel.objects.all()]  # PB102",
    "in a text": "[f'{p}' for p in Parcel.objects.all()]  # PB102",
    "on the screen": "[print('parcel', p) for p in Parcel.objects.all()]  # PB102",
    "in a record of the log": """
        import logging
        for number, parcel in enumerate(Parcel.objects.all()):
            logging.getLogger(__name__).info("%d: %s", number, parcel)  # PB102
        """,
    "function of another file": "[texts.carrier_of(p) for p in Parcel.objects.all()]  # PB102",
    "by keyword through another name": "[texts.deep(p) for p in Parcel.objects.all()]  # PB102",
    "mapped": "list(map(texts.carrier_of, Parcel.objects.all()))  # PB102",
    "mapped by a constructor": "tuple(map(texts.Label, Parcel.objects.order_by('pk')))  # PB102",
    "mapped by a method": "set(map(Parcel.carrier_or_none, Parcel.objects.all()))  # PB102",
    "object that is called": "[texts.show(p) for p in Parcel.objects.all()]  # PB102",
    "zipped": "[texts.carrier_of(p) for x, p in zip(user, Parcel.objects.all())]  # PB102",
    "constructor": "[texts.Label(p) for p in Parcel.objects.all()]  # PB102",
    "rows of a relation": "[p.carrier_or_none() for p in Order.objects.get(pk=1).parcels.all()]  # PB102",
    "back and forth": "[p.own_order() for p in Parcel.objects.select_related('order')]  # PB102",
    "each path once": """
        for p in Parcel.objects.all():
            print(p.label)  # PB102
            print(p.again())
            print(texts.carrier_of(p))  # PB102
        """,
    "read here already": """
        for p in Parcel.objects.all():
            print(p.order.reference)
            print(p.label)
        """,
    "in the branch that goes on": """
        for p in Parcel.objects.all():
            if p.pk == user.pk:
                print(p.label)  # PB102
                continue
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES) == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)


def test_path_back_is_not_part_of_the_advice() -> None:
    code = "[p.own_order() for p in Parcel.objects.select_related('order')]  # PB102"
    found = findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)
    assert '.select_related("order__customer").prefetch_related("order__parcels")' in found[0].message


def test_names_the_chain() -> None:
    code = "[texts.deep(p) for p in Parcel.objects.all()]  # PB102"
    found = findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)
    assert [(step.path.rpartition("/")[2], step.message) for step in found[0].related] == [
        ("example.py", "the queryset is built here"),
        ("texts.py", "calls `line()`"),
        ("texts.py", "reads `carrier`"),
    ]


def test_fix_adds_to_what_is_there() -> None:
    models = """
        from django.db import models

        class Maker(models.Model):
            name = models.CharField(max_length=5)

        class Part(models.Model):
            maker = models.ForeignKey(Maker, models.CASCADE)
            other = models.ForeignKey(Maker, models.CASCADE, related_name="+")
            tags = models.ManyToManyField(Maker, related_name="+")

            def label(self):
                return self.maker.name, list(self.tags.all())
        """
    text = "from parts.models import Part\n\n\ndef f():\n    return [p.label() for p in {}]\n"
    before = 'Part.objects.select_related("other").order_by("pk")[:10]'
    after = 'Part.objects.select_related("other", "maker").order_by("pk").prefetch_related("tags")[:10]'
    assert fix(RULE, text.format(before), files={"parts/models.py": models}) == text.format(after)


def test_what_is_counted_is_annotated() -> None:
    models = """
        from django.db import models

        class Part(models.Model):
            def size(self):
                return self.pieces.count()

            def shown(self):
                return self.pieces.count(), [piece.pk for piece in self.pieces.all()]

        class Piece(models.Model):
            part = models.ForeignKey(Part, models.CASCADE, related_name="pieces")
        """
    text = """
        from parts.models import Part

        sizes = [part.size() for part in Part.objects.all()]  # PB102
        shown = [part.shown() for part in Part.objects.all()]  # PB102
        """
    found = findings(RULE, text, files={"parts/models.py": models})
    assert [finding.message.split("`")[1] for finding in found] == [
        '.annotate(Count("pieces"))',
        '.prefetch_related("pieces")',
    ]
    assert [finding.fix is None for finding in found] == [True, False]


@pytest.mark.parametrize(
    ("number", "call"), [(0, "example.overview()"), (1, "example.totals()"), (2, "example.unpaid()")]
)
def test_django_runs_one_query_per_row(number: int, call: str) -> None:
    few, many = queries(RULE, "Bad", number, call)
    assert many - few >= 4
    few, many = queries(RULE, "Good", number, call)
    assert few == many
