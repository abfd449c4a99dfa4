"""Traps of swallowed-exception."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings, fix

HEAD = """
import logging
from contextlib import suppress
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
logger = logging.getLogger(__name__)
"""
SILENT = {
    "nothing is written": """
        def find(session: Session, order_id: int):
            try:
                return session.get(object, order_id)
            except Exception:
                return None
    """,
    "a specific error": """
        def save(session: Session):
            try:
                session.commit()
            except IntegrityError:
                return False
    """,
    "the error is logged": """
        def save(session: Session):
            try:
                session.commit()
            except Exception:
                logger.exception("save failed")
                return False
    """,
    "the error is the result": """
        def save(session: Session):
            try:
                session.commit()
            except Exception as error:
                return str(error)
    """,
    "rolled back": """
        def save(session: Session):
            try:
                session.commit()
            except Exception:
                session.rollback()
    """,
    "a reason": """
        def save(session: Session):
            try:
                session.commit()
            except Exception:  # the caller asks for the row anyway
                pass
    """,
    "clean-up": """
        def close(session: Session):
            try:
                session.flush()
            except Exception:
                pass
        def work(session: Session):
            try:
                session.get(object, 1)
            finally:
                try:
                    session.flush()
                except Exception:
                    pass
    """,
    "tried again": """
        def save(session: Session):
            while True:
                try:
                    session.commit()
                    return
                except Exception:
                    continue
        def save_soon(session: Session):
            for _ in range(3):
                try:
                    session.commit()
                    return
                except Exception:
                    pass
    """,
    "another object": """
        def save(transaction):
            try:
                transaction.commit()
            except Exception:
                pass
    """,
    "in a function inside": """
        def later(session: Session):
            try:
                def save(): session.commit()
                return save
            except Exception:
                return None
    """,
}
FOUND = {
    "each row for itself": """
        def save(session: Session, rows: list):
            for row in rows:
                try:
                    session.add(row)
                    session.flush()
                except Exception:  # PB901
                    continue
    """,
    "with other errors": """
        def save(session: Session):
            try:
                session.commit()
            except (ValueError, Exception):  # PB901
                return {}
    """,
    "bare": """
        def save(session: Session):
            try:
                session.commit()
            except:  # PB901
                ...
    """,
}
DJANGO = """
    from django.db import models
    class Order(models.Model):
        paid = models.BooleanField()
        class Meta:
            app_label = "shop"
    def pay(order: Order) -> bool:
        try:
            order.paid = True
            order.save()
        except Exception:  # PB901
            return False
        return True
    def forget(order_id: int) -> None:
        try:
            Order.objects.filter(pk=order_id).delete()
        except Exception:  # PB901
            pass
"""


FIXED = """
    import logging
    from sqlalchemy.orm import Session
    log = logging.getLogger(__name__)
    def save(session: Session):
        try:
            session.commit()
        except Exception:
            {before}
        return True
"""


def program(body: str) -> str:
    """A text below the head."""
    return HEAD.lstrip() + textwrap.dedent(body)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB901", program(source))


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB901", program(source))


def test_rows_of_django() -> None:
    found = findings("PB901", DJANGO)
    assert ["`order.save(...)`" in item.message for item in found] == [True, False]
    assert all(item.fix is None for item in found)  # there is no logger


@pytest.mark.parametrize("body", ["pass", "..."])
def test_fix_replaces_an_empty_body(body: str) -> None:
    assert fix("PB901", FIXED.format(before=body)) == textwrap.dedent(
        FIXED.format(before='log.exception("save failed")')
    ).lstrip("\n")


def test_fix_keeps_what_is_returned() -> None:
    fixed = fix("PB901", FIXED.format(before="return False"))
    assert '        log.exception("save failed")\n        return False\n' in fixed
