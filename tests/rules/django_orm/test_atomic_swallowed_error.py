"""Traps of PB124 over the shop, and the errors that Django itself raises."""

from __future__ import annotations

import django
import pytest

from tests.rules.django_orm.shop import indented, program, run
from tests.rules.harness import findings

RULE = "atomic-swallowed-error"
DATABASE = "from django.db import DatabaseError, IntegrityError, OperationalError, transaction\n"

SILENT = {
    "savepoint inside": """
        with transaction.atomic():
            try:
                with transaction.atomic():
                    Tag.objects.create(name="x")
            except IntegrityError:
                pass
            Tag.objects.count()
        """,
    "caught outside": """
        try:
            with transaction.atomic():
                Tag.objects.create(name="x")
        except IntegrityError:
            pass
        Tag.objects.count()
        """,
    "raised again": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")
            except IntegrityError:
                print("no")
                raise
            Tag.objects.count()
        """,
    "returns": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")
            except IntegrityError:
                return None
            Tag.objects.count()
        """,
    "other error": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")
            except ValueError:
                pass
            Tag.objects.count()
        """,
    "no write": """
        with transaction.atomic():
            try:
                Tag.objects.get(name="x")
            except Exception:
                pass
            Tag.objects.count()
        """,
    "own savepoint": """
        with transaction.atomic():
            try:
                Tag.objects.get_or_create(name="x")
            except IntegrityError:
                pass
            Tag.objects.count()
        """,
    "no further query": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")
            except IntegrityError:
                pass
        Tag.objects.count()
        """,
    "savepoints by hand": """
        with transaction.atomic():
            point = transaction.savepoint()
            try:
                Tag.objects.create(name="x")
            except IntegrityError:
                transaction.savepoint_rollback(point)
            Tag.objects.count()
        """,
    "inner function": """
        with transaction.atomic():
            def later():
                try:
                    Tag.objects.create(name="x")
                except IntegrityError:
                    pass
                Tag.objects.count()
        """,
    "no transaction": """
        try:
            Tag.objects.create(name="x")
        except IntegrityError:
            pass
        Tag.objects.count()
        """,
}
FOUND = {
    "with": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")  # PB124
            except IntegrityError:
                pass
            Tag.objects.count()
        """,
    "one of several": """
        with user.open(), transaction.atomic(using="default"):
            try:
                Tag(name="x").save()  # PB124
            except (ValueError, DatabaseError):
                print("no")
            Tag.objects.count()
        """,
    "query in the handler": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")  # PB124
            except IntegrityError:
                Tag.objects.filter(name="x").update(name="y")
        """,
    "query on the way out": """
        with transaction.atomic():
            try:
                return Tag.objects.create(name="x")  # PB124
            except IntegrityError:
                return Tag.objects.get(name="x")
        """,
    "loop": """
        with transaction.atomic():
            for name in user:
                try:
                    Tag.objects.create(name=name)  # PB124
                except IntegrityError:
                    continue
        """,
    "query in a function": """
        with transaction.atomic():
            try:
                Tag.objects.create(name="x")  # PB124
            except Exception:
                pass
            count()
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, DATABASE + program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    text = DATABASE + program(code) + "\n\ndef count():\n    return Tag.objects.count()\n"
    findings(RULE, text, project="django_shop")


def test_decorated_function() -> None:
    body = """
        try:
            Tag.objects.create(name="x")  # PB124
        except IntegrityError:
            pass
        return Tag.objects.count()
        """
    text = f"{DATABASE}from catalog.models import Tag\n\n@transaction.atomic\ndef load():\n{indented(body)}\n"
    (found,) = findings(RULE, text, project="django_shop")
    assert found.fix is not None
    assert found.fix.edits[0].text == "with transaction.atomic():\n            "


def test_django_refuses_queries_after_the_error() -> None:
    printed = run(
        """
        from django.db import IntegrityError

        Tag.objects.create(pk=1, name="x")

        def attempt(write):
            try:
                with transaction.atomic():
                    try:
                        write()
                    except IntegrityError:
                        pass
                    Tag.objects.count()
            except transaction.TransactionManagementError:
                return "refused"
            return "fine"

        def nested():
            with transaction.atomic():
                Tag.objects.create(pk=1, name="y")

        print(attempt(lambda: Tag.objects.create(pk=1, name="y")))
        print(attempt(lambda: Tag(pk=1, name="y").save(force_insert=True)))
        print(attempt(lambda: Tag.objects.bulk_create([Tag(pk=1, name="y")])))
        print(attempt(lambda: Tag.objects.get_or_create(name="z", defaults={"pk": 1})))
        print(attempt(nested))
        """
    )
    # From 6.1 on Django leaves it to the database to refuse what follows a failed bulk_create; SQLite does not.
    bulk = "fine" if django.VERSION >= (6, 1) else "refused"
    assert printed.split() == ["refused", "refused", bulk, "fine", "fine"]


TAGS = {
    "catalog/tagging.py": """
        from django.db import IntegrityError, transaction
        from catalog.models import Tag


        def plain(name):
            make(name)


        def make(name):
            return Tag.objects.create(name=name)


        @transaction.atomic
        def decorated(name):
            make(name)


        def guarded(name):
            with transaction.atomic():
                make(name)


        def caught(name):
            try:
                make(name)
            except IntegrityError:
                return None


        def found(name):
            return Tag.objects.get_or_create(name=name)
        """
}


@pytest.mark.parametrize(
    ("callee", "caught", "is_found"),
    [
        ("plain", "IntegrityError", True),
        ("plain", "(ValueError, DatabaseError)", True),
        ("plain", "Exception", False),  # more likely meant for other errors
        ("decorated", "IntegrityError", False),
        ("guarded", "IntegrityError", False),
        ("caught", "IntegrityError", False),
        ("found", "IntegrityError", False),
    ],
)
def test_writes_of_helpers(callee: str, caught: str, is_found: bool) -> None:
    code = f"""
        from catalog.tagging import {callee}
        with transaction.atomic():
            try:
                {callee}("x"){"  # PB124" if is_found else ""}
            except {caught}:
                pass
            return Tag.objects.count()
        """
    found = findings(RULE, DATABASE + program(code), project="django_shop", files=TAGS)
    if found:
        places = [(place.path.rpartition("/")[2], place.start.row) for place in found[0].related]
        assert places[1:] == [("tagging.py", 6), ("tagging.py", 10)]
