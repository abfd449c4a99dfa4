from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import run
from tests.rules.harness import findings

RULE = "atomic-in-async"

PROJECT = {"pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n'}

FOUND = {
    "blocks": """
        from django.db import transaction
        from django.db.transaction import atomic as together

        async def f():
            with transaction.atomic():  # PB133
                pass
            async with transaction.atomic("other"):  # PB133
                pass
            with open("a"), together():  # PB133
                pass
    """,
    "decorators": """
        from django.db import transaction

        @transaction.atomic  # PB133
        async def f():
            pass

        class View:
            @transaction.atomic(durable=True)  # PB133
            async def post(self, request):
                pass
    """,
    "functions": """
        from django.db import transaction

        async def f():
            transaction.on_commit(print)  # PB133
            transaction.set_autocommit(False)  # PB133
            transaction.savepoint()  # PB133
    """,
}

SILENT = {
    "in a thread": """
        from asgiref.sync import sync_to_async
        from django.db import transaction

        async def f():
            @transaction.atomic
            def work():
                transaction.on_commit(print)
            await sync_to_async(work)()
            await sync_to_async(lambda: transaction.on_commit(print))()
            await sync_to_async(transaction.on_commit)(print)
    """,
    "plain functions": """
        from django.db import transaction

        @transaction.atomic
        def f():
            with transaction.atomic():
                transaction.on_commit(print)
    """,
    "other things of the name": """
        import sqlalchemy
        from shop.locks import atomic

        async def f(session, stack):
            with atomic():
                pass
            await session.savepoint()
            stack.on_commit(print)
    """,
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, code, files=PROJECT)


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, code, files=PROJECT) == []


def test_no_transaction_is_open_in_a_coroutine() -> None:
    printed = run(
        """
        import asyncio

        async def block():
            with transaction.atomic():
                pass

        async def asynchronous_block():
            async with transaction.atomic():
                pass

        async def callback():
            transaction.on_commit(print)

        @transaction.atomic
        async def decorated():
            print(connection.in_atomic_block)

        for function in (block, asynchronous_block, callback, decorated):
            try:
                asyncio.run(function())
            except Exception as error:
                print(type(error).__name__)
        """
    )
    assert printed.split() == ["SynchronousOnlyOperation", "TypeError", "SynchronousOnlyOperation", "False"]
