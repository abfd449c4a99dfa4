"""Traps of PB126, and what the callbacks see under Django."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "on-commit-late-binding"
DATABASE = "from django.db import transaction\n"

SILENT = {
    "bound by a default": """
        for order in user:
            transaction.on_commit(lambda order=order: send(order))
        """,
    "no loop": "transaction.on_commit(lambda: send(user))",
    "the same in each iteration": """
        for order in user:
            transaction.on_commit(lambda: send(user))
        """,
    "commits in each iteration": """
        for order in user:
            with transaction.atomic():
                transaction.on_commit(lambda: send(order))
        """,
    "leaves the loop": """
        for order in user:
            transaction.on_commit(lambda: send(order))
            return
        """,
    "another on_commit": """
        for order in user:
            user.on_commit(lambda: send(order))
        """,
    "its own parameter": """
        for order in user:
            transaction.on_commit(lambda: [send(order) for order in user])
        """,
    "a function of the loop that binds now": """
        for order in user:
            def notify(order=order):
                send(order)
            transaction.on_commit(notify)
        """,
    "a function of the loop with names of its own": """
        for order in user:
            def notify():
                for order in user:
                    send(order)
            transaction.on_commit(notify)
        """,
    "a function from outside of the loop": """
        def notify():
            send(order)
        for order in user:
            transaction.on_commit(notify)
        """,
    "in a function of the loop": """
        for order in user:
            def register(order):
                transaction.on_commit(lambda: send(order))
            register(order)
        """,
}
FOUND = {
    "loop variable": """
        for order in user:
            transaction.on_commit(lambda: send(order))  # PB126
        """,
    "function of the loop": """
        for order in user:
            def notify():
                send(order.pk)
            transaction.on_commit(notify)  # PB126
        """,
    "attribute": """
        for order in user:
            transaction.on_commit(lambda: send(order.pk))  # PB126
        """,
    "assigned in the loop": """
        for order in user:
            key = order.pk
            transaction.on_commit(lambda: send(key))  # PB126
        """,
    "loop inside the transaction": """
        with transaction.atomic():
            for _, order in user:
                if order:
                    transaction.on_commit(lambda: send(order), using="other")  # PB126
        """,
    "by keyword": """
        while user:
            order = user.pop()
            transaction.on_commit(func=lambda: send(order))  # PB126
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, DATABASE + program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, DATABASE + program(code), project="django_shop")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lambda: send(order, now=True)", "partial(send, order, now=True)"),
        ("lambda: send(\n            order,\n        )", "partial(send,\n            order,\n        )"),
        ("lambda: send(now=order)", "partial(send, now=order)"),
        ("lambda: send.delay(order.pk)", "partial(send.delay, order.pk)"),
        ("lambda: send(str(order))", "lambda: send(str(order))"),
        ("lambda: order", "lambda: order"),
    ],
)
def test_fix(before: str, after: str) -> None:
    text = (
        "from functools import partial\n\nfrom django.db import transaction\n\n\n"
        "def pay(orders):\n    for order in orders:\n        transaction.on_commit({})\n"
    )
    assert fix(RULE, text.format(before)) == text.format(after)


def test_all_callbacks_see_the_last_value() -> None:
    printed = run(
        """
        from functools import partial

        with transaction.atomic():
            for number in range(3):
                transaction.on_commit(lambda: print(number, end=" "))
        with transaction.atomic():
            for number in range(3):
                transaction.on_commit(partial(print, number, end=" "))
        for number in range(3):
            with transaction.atomic():
                transaction.on_commit(lambda: print(number, end=" "))
        """
    )
    assert printed.split() == ["2", "2", "2", "0", "1", "2", "0", "1", "2"]
