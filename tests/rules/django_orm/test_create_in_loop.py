"""Traps of PB109 over the shop."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings, fix

RULE = "create-in-loop"

SILENT = {
    "result kept": """
        tags = []
        for name in user:
            tags.append(Tag.objects.create(name=name))
        """,
    "result used": """
        for name in user:
            tag = Tag.objects.create(name=name)
            print(tag.pk)
        """,
    "tried one by one": """
        for name in user:
            try:
                Tag.objects.create(name=name)
            except ValueError:
                continue
        """,
    "another query": """
        for name in user:
            if not Tag.objects.filter(name=name).exists():
                Tag.objects.create(name=name)
        """,
    "another write": """
        for name in user:
            Tag.objects.create(name=name)
            Category.objects.create(name=name)
        """,
    "a few": """
        for name in ("new", "sale", "last"):
            Tag.objects.create(name=name)
        """,
    "users save their password": """
        for name in user:
            User.objects.create(username=name)
        """,
    "unknown manager": """
        for name in user:
            user.objects.create(name=name)
        """,
    "nested function": """
        for name in user:
            def later():
                Tag.objects.create(name=name)
        """,
}
FOUND = {
    "create": """
        for name in user:
            Tag.objects.create(name=name)  # PB109
        """,
    "save": """
        for name in user:
            Tag(name=name).save()  # PB109
        """,
    "prepared": """
        for name in user:
            name = name.strip()
            Tag.objects.create(name=name)  # PB109
        """,
    "under a condition": """
        for name in user:
            if name:
                Tag.objects.create(name=name)  # PB109
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


LOOP = """
    from catalog.models import Tag

    def load(names):
        for name in names:
            Tag.objects.create(name=name){}
    """


@pytest.mark.parametrize(
    "receiver",
    [
        "@receiver(post_save, sender=Tag)",
        "@receiver(signals.pre_save)",
        "@receiver([post_save, pre_save])",
    ],
)
def test_receivers_of_another_file(receiver: str) -> None:
    files = {
        "catalog/receivers.py": f"""
            from catalog.models import Tag
            from django.db.models import signals
            from django.db.models.signals import post_save, pre_save
            from django.dispatch import receiver

            {receiver}
            def changed(sender, **kwargs):
                pass
            """
    }
    assert findings(RULE, LOOP.format(""), project="django_shop", files=files) == []


def test_receivers_of_other_models() -> None:
    files = {
        "orders/receivers.py": """
            from django.db.models.signals import post_save
            from django.dispatch import receiver
            from orders.models import Order

            @receiver(post_save, sender=Order)
            def changed(sender, **kwargs):
                pass
            """
    }
    findings(RULE, LOOP.format("  # PB109"), project="django_shop", files=files)


MODELS = "from django.db import models\n\nclass Tag(models.Model):\n    name = models.TextField()\n"


def test_fix_keeps_comments() -> None:
    text = (
        "from shop.models import Tag\n\n\ndef load(names):\n    for name in names:\n"
        "        # why\n        Tag.objects.create(name=name)\n"
    )
    assert fix(RULE, text, files={"shop/models.py": MODELS}) == text


def test_fix_of_save() -> None:
    before = "from shop.models import Tag\n\n\ndef load(names):\n    for name in names:\n        Tag(name=name).save()\n"
    after = (
        "from shop.models import Tag\n\n\ndef load(names):\n"
        "    Tag.objects.bulk_create([Tag(name=name) for name in names])\n"
    )
    assert fix(RULE, before, files={"shop/models.py": MODELS}) == after


def test_models_of_several_tables_cannot_be_created_in_bulk() -> None:
    models = MODELS + "\n\nclass Brand(Tag):\n    country = models.TextField()\n"
    text = "from shop.models import Brand\n\n\ndef load(names):\n"
    text += "    for name in names:\n        Brand.objects.create(name=name)\n"
    assert findings(RULE, text, files={"shop/models.py": models}) == []
