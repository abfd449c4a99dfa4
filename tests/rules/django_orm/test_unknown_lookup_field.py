"""Traps of PB130 over the shop; what is found raises under Django, and what is silent does not."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "unknown-lookup-field"

# These run under Django without an error.
VALID = {
    "own columns": "Order.objects.filter(reference='x', paid=True).order_by('-total', 'pk', '?')",
    "relations": "Order.objects.filter(customer__company__name='x', customer_id=1, customer__pk=2)",
    "abstract base": "Order.objects.filter(created_at__year=2024, updated_at__date__gte='2024-01-01')",
    "lookups of relations": "Order.objects.filter(customer__isnull=True, lines__in=[1], invoice=None)",
    "reverse names": "Order.objects.filter(lines__quantity=1, lines__product__tags__name='x')",
    "reverse name of a model": "Product.objects.filter(line__quantity=1, review__text='x')",
    "reverse name by a pattern": "User.objects.filter(reviews__text='x', flags__object_id=1)",
    "children": "Category.objects.filter(children__name='x', parent__parent=None)",
    "parts of JSON": "Product.objects.filter(attributes__size__height__gt=3)",
    "annotation": "Order.objects.annotate(size=models.Count('lines')).filter(size__gt=1).order_by('-size')",
    "annotation without a name": "Order.objects.annotate(models.Count('lines')).filter(lines__count=1)",
    "alias": "Order.objects.alias(size=models.Count('lines')).filter(size=1)",
    "conditions": "Order.objects.filter(models.Q(paid=True) | ~models.Q(customer__phone='x'), total=1)",
    "values": "Order.objects.values('pk', 'customer__phone', 'created_at__year')",
    "only": "Order.objects.only('reference', 'customer__phone')",
    "update": "Order.objects.update(reference='x', customer_id=1)",
    "random and reversed": "Order.objects.order_by('customer', '-customer__company__name')",
    "a method of its own": "Product.objects.listed().filter(name='x')",
    "date parts": "Order.objects.filter(created_at__week_day=1, created_at__hour__gte=3)",
}
# Nothing is known for certain here.
UNKNOWN = {
    "keywords from elsewhere": "Order.objects.filter(**user)",
    "unknown queryset": "user.orders.filter(nothing=1)",
    "names from elsewhere": "Order.objects.annotate(**user).filter(nothing=1)",
    "extra": "Order.objects.extra(select={'size': '1'}).order_by('size')",
    "users have relations of packages": "User.objects.filter(emailaddress__verified=True)",
    "rows of values": "Order.objects.values(x=models.F('pk')).filter(x=1)",
    "other class": "user.filter(nothing=1)",
}
# These raise `FieldError` or `FieldDoesNotExist` under Django.
FOUND = {
    "misspelled": "Order.objects.filter(referense='x')",
    "misspelled at the end": "Order.objects.exclude(customer__company__nam='x')",
    "accessor instead of name": "Product.objects.filter(line_set__quantity=1)",
    "unknown lookup": "Order.objects.filter(reference__like='x')",
    "order": "Order.objects.order_by('-creatd_at')",
    "condition": "Order.objects.filter(models.Q(payed=True) | models.Q(paid=False))",
    "values": "Order.objects.values_list('refrence', flat=True)",
    "update": "Order.objects.update(refrence='x')",
    "in a relation": "Order.objects.filter(lines__amount=1)",
    "behind an annotation": "Order.objects.annotate(size=models.Count('lines')).filter(sise=1)",
    "another manager": "Order.with_customers.filter(nothing=1)",
}
MARK = "  # PB130"


@pytest.mark.parametrize("code", (VALID | UNKNOWN).values(), ids=(VALID | UNKNOWN).keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code + MARK), project="django_shop")


def test_django_agrees() -> None:
    printed = run(
        f"""
        from django.core.exceptions import FieldDoesNotExist, FieldError

        def raises(code):
            try:
                queryset = eval(code)
                if not isinstance(queryset, int):
                    str(queryset.query)
            except (FieldDoesNotExist, FieldError):
                return True
            return False

        print([code for code in {[*VALID.values()]!r} if raises(code)])
        print([code for code in {[*FOUND.values()]!r} if not raises(code)])
        """
    )
    assert printed.split("\n") == ["[]", "[]"]


SHORTCUT = "from django.shortcuts import get_list_or_404, get_object_or_404; "
FUNCTIONS = "from django.db.models.functions import Coalesce, Lower, TruncMonth; "
# These do not run `filter()`; `run` evaluates them over one row of each model.
VALID_ELSEWHERE = {
    "shortcut": f"{SHORTCUT}get_object_or_404(Order, reference='x', customer__phone='')",
    "shortcut with a queryset": f"{SHORTCUT}get_list_or_404(Order.objects.all(), models.Q(paid=False), pk=1)",
    "expression": "Order.objects.filter(total__gte=models.F('customer__pk') - 1).update(total=models.F('pk') + 1)",
    "aggregate": "Order.objects.aggregate(models.Sum('lines__quantity'), n=models.Count('*'))",
    "annotation of an annotation": "Order.objects.annotate(n=models.Count('lines'), m=models.F('n') + 1)",
    "functions": f"{FUNCTIONS}Order.objects.annotate(m=TruncMonth('created_at'), n=Coalesce('reference', Lower('m')))",
    "filtered": "Order.objects.annotate(n=models.Count('lines', filter=models.Q(lines__quantity=3)))",
    "cases": "Order.objects.annotate(n=models.Case(models.When(paid=True, then=models.F('total'))))",
    "outer row": "Order.objects.filter(models.Exists(Line.objects.filter(order=models.OuterRef('pk'))))",
    "new row": "Order.objects.create(reference='y', customer_id=1, paid=True, total=3)",
    "new row of a relation": "user.orders.create(reference='y')",
    "defaults": "Order.objects.update_or_create(reference='x', customer=user, defaults={'paid': True})",
    "saved columns": "Order.objects.get().save(update_fields=['paid', 'customer', 'customer_id'])",
    "read again": "Order.objects.get().refresh_from_db(fields=['paid', 'customer'])",
    "bulk": "Order.objects.bulk_update(list(Order.objects.all()), ['paid', 'total'])",
    "newest": "Order.objects.latest('-created_at', 'customer__phone')",
}
FOUND_ELSEWHERE = {
    "shortcut": f"{SHORTCUT}get_object_or_404(Order, referense='x')",
    "shortcut with a queryset": f"{SHORTCUT}get_list_or_404(Order.objects.all(), models.Q(payed=False))",
    "expression": "Order.objects.update(total=models.F('amount') + 1)",
    "compared": "list(Order.objects.filter(total=models.F('lines__amount')))",
    "aggregate": "Order.objects.aggregate(models.Sum('lines__amount'))",
    "annotation": "Order.objects.annotate(n=models.Count('items'))",
    "ordered expression": "list(Order.objects.order_by(models.F('shipped').desc()))",
    "functions": f"{FUNCTIONS}Order.objects.annotate(m=TruncMonth('shipped'))",
    "all of the names": f"{FUNCTIONS}Order.objects.annotate(n=Coalesce('reference', 'number'))",
    "filtered": "Order.objects.annotate(n=models.Count('lines', filter=models.Q(lines__amount=3)))",
    "cases": "Order.objects.annotate(n=models.Case(models.When(payed=True, then=models.F('total'))))",
    "new row": "Order.objects.create(reference='y', customer_id=1, payed=True)",
    "new row of a relation": "Company.objects.create(name='x').employees.create(username='y', fone='1')",
    "defaults": "Order.objects.update_or_create(reference='z', customer=user, defaults={'payed': True})",
    "saved columns": "Order.objects.get().save(update_fields=['payed'])",
    "read again": "Order.objects.get().refresh_from_db(fields=['payed'])",
    "bulk": "Order.objects.bulk_update(list(Order.objects.all()), ['payed'])",
    "newest": "Order.objects.latest('shipped')",
}
# What is not reported although it raises: packages relate to users.
MISSED = frozenset({"new row of a relation"})


@pytest.mark.parametrize("code", VALID_ELSEWHERE.values(), ids=VALID_ELSEWHERE.keys())
def test_silent_elsewhere(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("name", FOUND_ELSEWHERE)
def test_found_elsewhere(name: str) -> None:
    mark = "" if name in MISSED else MARK
    findings(RULE, program(FOUND_ELSEWHERE[name] + mark), project="django_shop")


def test_django_agrees_elsewhere() -> None:
    printed = run(
        f"""
        from django.core.exceptions import FieldDoesNotExist, FieldError
        user = User.objects.create(username="x")
        Order.objects.create(pk=1, reference="x", customer=user)

        def raises(code):
            try:
                with transaction.atomic():
                    exec(code)
                    transaction.set_rollback(True)
            except (FieldDoesNotExist, FieldError, TypeError, ValueError):
                return True
            return False

        print([code for code in {[*VALID_ELSEWHERE.values()]!r} if raises(code)])
        print([code for code in {[*FOUND_ELSEWHERE.values()]!r} if not raises(code)])
        """
    )
    assert printed.split("\n") == ["[]", "[]"]


def test_models_that_take_other_values() -> None:
    models = """
        from django.db import models

        class Part(models.Model):
            code = models.CharField(max_length=5)
            {line}
        """
    text = "from parts.models import Part\n\nPart.objects.create(code='x', size=1){}\n"
    for line, mark in {
        "": MARK,
        "@property\n            def size(self): return 1": "",
        "def __init__(self, *args, size=1, **kwargs): super().__init__(*args, **kwargs)": "",
    }.items():
        findings(RULE, text.format(mark), files={"parts/models.py": models.format(line=line)})
    saved = "from parts.models import Part\n\nPart.objects.get().save(update_fields=['size']){}\n"
    for line, mark in {
        "def save(self, *args, **kwargs): super().save(*args, **kwargs)": MARK,
        "def save(self, update_fields=None): self.write(update_fields)": "",
    }.items():
        findings(RULE, saved.format(mark), files={"parts/models.py": models.format(line=line)})


def test_models_of_several_tables_and_proxies() -> None:
    models = """
        from django.db import models

        class Shop(models.Model):
            name = models.CharField(max_length=5)

        class Part(models.Model):
            shop = models.ForeignKey(Shop, models.CASCADE, related_name="parts")

        class Wheel(Part):
            size = models.IntegerField()

        class SoldPart(Part):
            class Meta:
                proxy = True
        """
    text = """
        from parts.models import Shop, Wheel

        Wheel.objects.filter(part_ptr=1, part_ptr_id=1, part_ptr__shop__name="x", shop__name="x")
        Wheel.objects.filter(part_ptr__size=1)  # PB130
        Shop.objects.filter(parts__pk=1)
        for shop in Shop.objects.all():
            shop.parts.get(size=1)  # PB130
        """
    findings(RULE, text, files={"parts/models.py": models})


def test_open_models_stay_silent() -> None:
    models = """
        from django.db import models
        from history import HistoricalRecords

        class Part(models.Model):
            name = models.CharField(max_length=5)
            {line}
        """
    text = "from parts.models import Part\n\nPart.objects.filter(changed=1){}\n"
    for line, mark in {
        "size = models.IntegerField()": MARK,
        "history = HistoricalRecords()": "",
        "changed = HistoricalRecords.changed": "",
    }.items():
        findings(RULE, text.format(mark), files={"parts/models.py": models.format(line=line)})
    added = {
        "parts/models.py": models.format(line=""),
        "parts/more.py": "Part.add_to_class('changed', field)\n",
    }
    assert findings(RULE, text.format(""), files=added) == []


# What a field of the project does with the model that it belongs to: the name that it may add, None for none.
CUSTOM_FIELDS = {
    "itself": ("super().contribute_to_class(cls, name, **kwargs)", None),
    "whatever it was given": ("super().contribute_to_class(cls, *args, **kwargs)", None),
    "itself, privately": ("cls._meta.add_field(self, private=True)", None),
    "an attribute": ("setattr(cls, name, self)", None),
    "under another name": ("super().contribute_to_class(cls, 'raw_' + name, **kwargs)", "raw_code"),
    "another field": ("models.TextField().contribute_to_class(cls, 'raw_code')", "raw_code"),
    "another field by the options": ("cls._meta.add_field(models.TextField(name='raw_code'))", "raw_code"),
    "another field by the model": ("cls.add_to_class('raw_code', models.TextField())", "raw_code"),
}


@pytest.mark.parametrize(("body", "added"), CUSTOM_FIELDS.values(), ids=CUSTOM_FIELDS.keys())
def test_fields_that_set_themselves_up(body: str, added: str | None) -> None:
    files = {
        "parts/fields.py": f"""
            from django.db import models

            class Code(models.CharField):
                def contribute_to_class(self, cls, name, *args, **kwargs):
                    {body}
            """,
        "parts/models.py": """
            from django.db import models
            from parts.fields import Code

            class Part(models.Model):
                code = Code(max_length=5)
            """,
    }
    text = "from parts.models import Part\n\nPart.objects.filter(code='x', {}=1){}\n"
    findings(RULE, text.format("raw_code", "" if added else MARK), files=files)


# What another file of the project adds by hand, and whether it may concern the model that is asked.
ADDED_BY_HAND = {
    "to the model": ("Part.add_to_class('raw_code', field)", True),
    "to its base": ("Base.add_to_class('raw_code', field)", True),
    "to any model": ("def add(model):\n    model.add_to_class('raw_code', field)", True),
    "to the class of something": ("field.contribute_to_class(type(made), 'raw_code')", True),
    "to another model": ("Other.add_to_class('raw_code', field)", False),
    "to a model of Django": ("User.add_to_class('raw_code', field)", False),
    "to a model of a package": ("AccessToken.add_to_class('raw_code', field)", False),
    "to the options of another": ("Other._meta.add_field(field)", False),
    "a manager to another model": ("manager.contribute_to_class(Other, 'objects')", False),
    "by a field that the model lacks": (
        "class Raw(models.TextField):\n"
        "    def contribute_to_class(self, cls, name):\n"
        "        cls.add_to_class('raw_' + name, self)",
        False,
    ),
}


@pytest.mark.parametrize(("code", "concerns"), ADDED_BY_HAND.values(), ids=ADDED_BY_HAND.keys())
def test_fields_that_are_added_by_hand(code: str, concerns: bool) -> None:
    files = {
        "parts/models.py": """
            from django.db import models

            class Base(models.Model):
                name = models.CharField(max_length=5)

                class Meta:
                    abstract = True

            class Part(Base):
                code = models.CharField(max_length=5)

            class Other(Base):
                pass
            """,
        "parts/more.py": "from django.contrib.auth.models import User\n"
        "from django.db import models\n"
        "from oauth2_provider.models import AccessToken\n"
        "from parts.models import Base, Other, Part\n\n" + code + "\n",
    }
    text = f"from parts.models import Part\n\nPart.objects.filter(raw_code='x'){'' if concerns else MARK}\n"
    findings(RULE, text, files=files)


def test_fields_with_bases_of_packages_stay_silent() -> None:
    for bases, mark in {
        "models.CharField": MARK,
        "Translated, models.CharField": "",
        "Translated": "",
    }.items():
        models = f"""
            from django.db import models
            from translation import Translated

            class Code({bases}):
                pass

            class Part(models.Model):
                code = Code(max_length=5)
            """
        text = f"from parts.models import Part\n\nPart.objects.filter(code_en='x'){mark}\n"
        findings(RULE, text, files={"parts/models.py": models})


# Fields that lead back to `Kind`, and whether their name there is known.
LEADING_BACK = {
    "plain": ("models.ForeignKey(Kind, models.CASCADE)", True),
    "hidden": ("models.ForeignKey(Kind, models.CASCADE, related_name='+')", True),
    "to another model": ("models.ForeignKey('self', models.CASCADE, related_name=NAME)", True),
    "constant": ("models.ForeignKey(Kind, models.CASCADE, related_name=NAME)", False),
    "query name": ("models.ForeignKey(Kind, models.CASCADE, related_query_name=str(NAME))", False),
    "options": ("models.ForeignKey(Kind, models.CASCADE, **OPTIONS)", False),
    "arguments": ("models.ForeignKey(Kind, *OPTIONS)", False),
    "named by its class": ("KindKey(Kind, models.CASCADE)", False),
    "of a package": ("LinkField(Kind)", False),
    "of a package, named": ("LinkField(Kind, related_name='parts')", True),
    "of a package that is known": ("SortedManyToManyField(Kind)", True),
    "made by a function": ("kind_key()", False),
    "made by a function for a model": ("key_to('Kind')", False),
    "text that is called like the model": ("models.CharField(_('Kind'), max_length=5)", True),
}


@pytest.mark.parametrize(("field", "known"), LEADING_BACK.values(), ids=LEADING_BACK.keys())
def test_unknown_names_that_lead_back_stay_silent(field: str, known: bool) -> None:
    files = {
        "parts/fields.py": """
            from django.db import models
            from parts.links import key_to

            NAME = "things"
            OPTIONS = {"related_name": NAME}

            class KindKey(models.ForeignKey):
                def contribute_to_class(self, cls, name, **kwargs):
                    super().contribute_to_class(cls, name, **kwargs)
                    self.remote_field.related_name = NAME
            """,
        "parts/models.py": f"""
            from django.db import models
            from django.utils.translation import gettext_lazy as _
            from linkfield import LinkField
            from sortedm2m.fields import SortedManyToManyField
            from parts.fields import NAME, OPTIONS, KindKey
            from parts.links import key_to, kind_key

            class Kind(models.Model):
                title = models.CharField(max_length=5)

            class Part(models.Model):
                kind = {field}
            """,
    }
    if "_key()" in field:
        files["parts/links.py"] = """
            from django.db import models

            def kind_key():
                return models.ForeignKey("parts.Kind", models.CASCADE, related_name="things")
            """
    text = f"from parts.models import Kind\n\nKind.objects.filter(things=1){MARK if known else ''}\n"
    findings(RULE, text, files=files)


# What a model that packages have a part in may be asked for, and whether that can be.
PACKAGES = {
    "a base": ("TimeStampedModel", "", "created", True),
    "a base that lacks it": ("TimeStampedModel", "", "changed", False),
    "a base that nobody knows": ("TrackedModel", "", "changed", True),
    "a field": ("models.Model", "price = MoneyField()", "price_currency", True),
    "a field that lacks it": ("models.Model", "price = MoneyField()", "cost", False),
    "texts of a field": ("models.Model", "price = ImageField(width='cost')", "cost", True),
    "history": ("models.Model", "history = HistoricalRecords()", "changed", False),
    "a named history": ("models.Model", "log = HistoricalRecords(related_name='changes')", "changes", True),
    "tags": ("models.Model", "tags = TaggableManager()", "tags__name", True),
    "tags, backward": ("models.Model", "tags = TaggableManager()", "tagged_items__tag", True),
    "tags of the project": ("models.Model", "tags = Tags()", "tagged_items__tag", True),
    "tags that lack it": ("models.Model", "tags = Tags()", "labels", False),
    "what nobody knows": ("models.Model", "extra = Extra()", "changed", True),
    "a plain object": ("models.Model", "Size = namedtuple('Size', 'width height')", "depth", False),
    "a field of a function": ("models.Model", "price = money()", "price_currency", True),
    "a function without it": ("models.Model", "price = money()", "cost", False),
    "types of a polymorphic model": ("PolymorphicModel", "", "instance_of", True),
    "a polymorphic model that lacks it": ("PolymorphicModel", "", "changed", False),
}


@pytest.mark.parametrize(("base", "line", "name", "known"), PACKAGES.values(), ids=PACKAGES.keys())
def test_packages_add_what_is_known_of_them(base: str, line: str, name: str, known: bool) -> None:
    files = {
        "parts/models.py": f"""
            from collections import namedtuple
            from django.db import models
            from djmoney.models.fields import MoneyField
            from model_utils.models import TimeStampedModel
            from polymorphic.models import PolymorphicModel
            from simple_history.models import HistoricalRecords
            from taggit.managers import TaggableManager
            from tracked import Extra, ImageField, TrackedModel

            def money():
                return MoneyField()

            class Tags(TaggableManager):
                pass

            class Part({base}):
                {line or "pass"}

            class Order(models.Model):
                part = models.ForeignKey(Part, models.CASCADE)
            """,
    }
    text = "from parts.models import Order\n\nOrder.objects.filter(part__{}=1){}\n"
    findings(RULE, text.format(name, "" if known else MARK), files=files)


def test_decorated_models() -> None:
    models = """
        import pghistory
        from django.db import models
        from parts.registry import register

        @{}
        class Part(models.Model):
            name = models.CharField(max_length=5)
        """
    text = "from parts.models import Part\n\nPart.objects.filter({}=1){}\n"
    for decorator, name, mark in (
        ("pghistory.track()", "nothing", MARK),
        ("pghistory.track()", "events__pgh_label", ""),
        ("pghistory.track(obj_field=pghistory.ObjForeignKey(related_name='past'))", "past", ""),
        ("register", "nothing", ""),
    ):
        files = {"parts/models.py": models.format(decorator), "parts/registry.py": "register = object()\n"}
        findings(RULE, text.format(name, mark), files=files)


def test_translated_fields_have_names_of_their_own() -> None:
    models = """
        from django.db import models

        class Part(models.Model):
            name = models.CharField(max_length=5)
        """
    translation = """
        from modeltranslation.translator import TranslationOptions, register
        from parts.models import Part

        @register(Part)
        class PartOptions(TranslationOptions):
            fields = ("name",)
        """
    files = {"parts/models.py": models, "parts/translation.py": translation}
    text = "from parts.models import Part\n\nPart.objects.filter(name_en=1){}\n"
    findings(RULE, text.format(""), files=files)
    findings(RULE, text.format(MARK), files={"parts/models.py": models})


def test_models_in_files_that_cannot_be_parsed_stay_silent() -> None:
    models = "from django.db import models\n\n\nclass Kind(models.Model):\n    pass\n"
    text = "from parts.models import Kind\n\nKind.objects.filter(things=1){}\n"
    others = {
        "from parts.models import Kind\n": MARK,
        "from parts.models import Kind\nclass (:\n": MARK,
        "from parts.models import Kind\nkind = ForeignKey(Kind:\n": MARK,
        "from parts.models import Kind\nkind = ForeignKey(Kind, related_name='things':\n": "",
        "from parts.models import Kind\nkind = ForeignKey(Kind, related_name='%(class)ss':\n": "",
    }
    for other, mark in others.items():
        findings(RULE, text.format(mark), files={"parts/models.py": models, "parts/more.py": other})


def test_registered_lookups_stay_silent() -> None:
    models = """
        from django.db import models

        class Part(models.Model):
            name = models.CharField(max_length=5)
        """
    text = "from parts.models import Part\n\nPart.objects.filter(name__ilike=1){}\n"
    findings(RULE, text.format(MARK), files={"parts/models.py": models})
    lookups = "from django.db.models import Field\n\n\n@Field.register_lookup\nclass Like:\n    lookup_name = 'ilike'\n"
    files = {"parts/models.py": models, "parts/lookups.py": lookups}
    assert findings(RULE, text.format(""), files=files) == []


def test_child_models_are_names_of_their_parents() -> None:
    models = """
        from django.db import models

        class Place(models.Model):
            name = models.CharField(max_length=5)
        """
    child = "from places.models import Place\n\n\nclass Restaurant(Place):\n    pass\n"
    text = "from places.models import Place\n\nPlace.objects.filter(restaurant__name=1)\n"
    assert findings(RULE, text, files={"places/models.py": models, "food/models.py": child}) == []


def test_names_that_lead_back_may_be_chosen() -> None:
    models = """
        from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
        from django.contrib.contenttypes.models import ContentType
        from django.db import models

        class Mark(models.Model):
            kind = models.ForeignKey(ContentType, models.CASCADE)
            number = models.IntegerField()
            item = GenericForeignKey("kind", "number")

        class Page(models.Model):
            marks = GenericRelation(Mark, "number", "kind", related_query_name="marked_page")
            first = models.ForeignKey(Mark, models.CASCADE, "+", related_query_name="first_of_%(class)s")
        """
    text = "from marks.models import Mark\n\nMark.objects.filter({}=1){}\n"
    for name, mark in {"marked_page__pk": "", "first_of_page__pk": "", "nothing": MARK}.items():
        findings(RULE, text.format(name, mark), files={"marks/models.py": models})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("filter(nmae='x')", "filter(name='x')"),
        ("order_by('-size__x', '-nam')", "order_by('-size__x', '-name')"),
        ("filter(maker__nane__in=[1])", "filter(maker__name__in=[1])"),
        ("filter(nothing=1)", "filter(nothing=1)"),
    ],
)
def test_fix_takes_the_only_name_that_is_near(before: str, after: str) -> None:
    models = """
        from django.db import models

        class Maker(models.Model):
            name = models.CharField(max_length=5)

        class Part(models.Model):
            name = models.CharField(max_length=5)
            size = models.JSONField()
            maker = models.ForeignKey(Maker, models.CASCADE)
        """
    text = "from parts.models import Part\n\nPart.objects.{}\n"
    assert fix(RULE, text.format(before), files={"parts/models.py": models}) == text.format(after)


VIEW_FILES = {
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Country(models.Model):
            code = models.CharField(max_length=2)

        class Customer(models.Model):
            name = models.CharField(max_length=80)
            country = models.ForeignKey(Country, models.CASCADE)
            address = models.JSONField(default=dict)

        class Order(models.Model):
            customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
            placed = models.DateTimeField(auto_now_add=True)
    """,
    "pyproject.toml": '[project]\ndependencies = ["django>=5.2", "djangorestframework"]\n',
}
VIEW_HEAD = """
from django.contrib import admin
from django.db.models import Count
from django.views.generic import ListView
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters, viewsets

from shop.models import Customer, Order
"""
VIEWS_FOUND = {
    "filters of a view": """
        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            filter_backends = [DjangoFilterBackend, filters.SearchFilter, filters.OrderingFilter]
            filterset_fields = {
                "customer__name": ["exact"],
                "customer__nme": ["exact"],  # PB130
            }
            search_fields = [
                "customer__name",
                "^customer__country__code",
                "$customer__nme",  # PB130
                "customer",  # PB130
                "=customer__country",  # PB130
                "customer__name__contians",  # PB130
            ]
            ordering_fields = ["placed", "customer", "plced"]  # PB130
            ordering = ["-placed", "-plced"]  # PB130
    """,
    "queryset of a mixin": """
        class Mixin:
            filter_backends = (filters.OrderingFilter,)

            def get_queryset(self):
                return Order.objects.select_related("customer").filter(customer=1)

        class Orders(Mixin, viewsets.ReadOnlyModelViewSet):
            ordering_fields = ("placed", "customer__nme")  # PB130
    """,
    "admin": """
        @admin.register(Order)
        class OrderAdmin(admin.ModelAdmin):
            search_fields = ("=id", "customer__name__startswith", "customer__orders__plced")  # PB130

            def get_queryset(self, request):
                return super().get_queryset(request).select_related("customer").order_by("pk")
    """,
    "the row of a view": """
        from django.views.generic import DetailView

        class Page(DetailView):
            model = Customer

            def get_context_data(self, **kwargs):
                return {"orders": self.object.orders.filter(plced=None)}  # PB130

        class Mixin:
            def get_queryset(self):
                return Customer.objects.all()

        class Customers(Mixin, viewsets.ModelViewSet):
            def orders(self, request, pk):
                return self.get_object().orders.filter(plced=None)  # PB130
    """,
    "list": """
        class Orders(ListView):
            model = Order
            ordering = "-plced"  # PB130
    """,
}
VIEWS_SILENT = {
    "names of an annotation": """
        class Customers(viewsets.ModelViewSet):
            queryset = Customer.objects.annotate(size=Count("orders"))
            filter_backends = [filters.OrderingFilter, filters.SearchFilter]
            ordering_fields = ["size", "name"]
            search_fields = ["size", "address__city"]
    """,
    "annotation in the admin": """
        @admin.register(Customer)
        class CustomerAdmin(admin.ModelAdmin):
            search_fields = ("size",)

            def get_queryset(self, request):
                return super().get_queryset(request).annotate(size=Count("orders"))
    """,
    "own search": """
        @admin.register(Customer)
        class CustomerAdmin(admin.ModelAdmin):
            search_fields = ("anything",)

            def get_search_results(self, request, queryset, search_term):
                return queryset.filter(name=search_term), False
    """,
    "filters of the project and of packages": """
        from search import ElasticFilter

        class OwnOrdering(filters.OrderingFilter):
            def get_ordering(self, request, queryset, view):
                return ["pk"]

        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            filter_backends = [OwnOrdering, ElasticFilter]
            ordering_fields = ["age"]
            search_fields = ["anything"]
            filterset_fields = ["anything"]
    """,
    "the row of a view that says so itself": """
        from django.views.generic import DetailView
        from shop import rows

        class Page(DetailView):
            model = Customer

            def get(self, request):
                self.object = rows.customer()
                return self.object.orders.filter(plced=None)

        class Made(DetailView):
            model = Customer

            @property
            def object(self):
                return rows.customer()

            def get(self, request):
                return self.object.orders.filter(plced=None)
    """,
    "unknown queryset": """
        from shop import rows

        class Orders(viewsets.ModelViewSet):
            filter_backends = [filters.OrderingFilter]
            ordering_fields = ["age"]

            def get_queryset(self):
                return rows.orders()
    """,
    "own filtering": """
        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            filter_backends = [filters.OrderingFilter]
            ordering_fields = ["age"]

            def filter_queryset(self, queryset):
                return super().filter_queryset(queryset.annotate(age=Count("pk")))
    """,
    "no filter that looks at it": """
        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            ordering_fields = ["age"]
    """,
    "all columns": """
        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            filter_backends = [filters.OrderingFilter]
            ordering_fields = "__all__"
    """,
}


@pytest.mark.parametrize(
    "code", [*VIEWS_FOUND.values(), *VIEWS_SILENT.values()], ids=[*VIEWS_FOUND, *VIEWS_SILENT]
)
def test_options_of_views(code: str) -> None:
    findings("PB130", VIEW_HEAD + textwrap.dedent(code), files=VIEW_FILES)


def test_filters_of_the_settings() -> None:
    settings = "REST_FRAMEWORK = {'DEFAULT_FILTER_BACKENDS': ['rest_framework.filters.OrderingFilter']}\n"
    manage = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
    code = """
        class Orders(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            ordering_fields = ["plced"]  # PB130
            search_fields = ["plced"]
    """
    files = VIEW_FILES | {"settings.py": settings, "manage.py": manage}
    findings("PB130", VIEW_HEAD + textwrap.dedent(code), files=files)


def test_a_search_by_a_relation_fails() -> None:
    result = run(
        """
        from django.contrib import admin
        from django.core.exceptions import FieldError

        class OrderAdmin(admin.ModelAdmin):
            search_fields = []

        for name in ("customer__phone", "customer", "=customer", "^refrence", "reference__startswith"):
            shown = OrderAdmin(Order, admin.site)
            shown.search_fields = [name]
            try:
                list(shown.get_search_results(None, Order.objects.all(), "x")[0])
            except FieldError:
                print(name)
        """
    )
    assert result.split() == ["customer", "=customer", "^refrence"]
