from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import run
from tests.rules.harness import findings, fix

RULE = "sync-contrib-call-in-async"

PROJECT = {"pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n'}

FOUND = {
    "shortcuts": """
        from django import shortcuts
        from django.shortcuts import get_list_or_404, get_object_or_404

        async def f(model):
            get_object_or_404(model, pk=1)  # PB138
            get_list_or_404(model)  # PB138
            return shortcuts.get_object_or_404(model, pk=1).name  # PB138
    """,
    "authentication": """
        from django.contrib.auth import authenticate, login, logout

        class View:
            async def post(self, request):
                user = authenticate(request, username="a", password="b")  # PB138
                if user:
                    login(request, user)  # PB138
                logout(request)  # PB138
    """,
    "prefetching": """
        from django.db.models import prefetch_related_objects

        async def f(rows):
            prefetch_related_objects(rows, "lines")  # PB138
    """,
}

SILENT = {
    "plain functions and threads": """
        from asgiref.sync import sync_to_async
        from django.contrib.auth import authenticate, login
        from django.shortcuts import get_object_or_404

        def f(request):
            return authenticate(request)

        async def g(request, model):
            def work():
                return get_object_or_404(model, pk=1)
            await sync_to_async(work)()
            await sync_to_async(lambda: login(request, None))()
            return await sync_to_async(get_object_or_404)(model, pk=1)
    """,
    "functions of other names": """
        from shop.auth import authenticate, login

        async def f(request, client):
            authenticate(request)
            login(request)
            client.logout(request)
    """,
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, code, files=PROJECT)


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, code, files=PROJECT) == []


def test_older_django_has_no_twins() -> None:
    older = {"pyproject.toml": '[project]\ndependencies = ["django>=4.2"]\n'}
    code = FOUND["prefetching"].replace("  # PB138", "")
    assert findings(RULE, code, files=older) == []


def test_fix_adds_parentheses() -> None:
    source = (
        "from django.shortcuts import get_object_or_404, render\n\n\nasync def f(model):\n"
        "    return render(get_object_or_404(model, pk=1).request)\n"
    )
    assert fix(RULE, source, files=PROJECT) == (
        "from django.shortcuts import aget_object_or_404, render\n\n\nasync def f(model):\n"
        "    return render((await aget_object_or_404(model, pk=1)).request)\n"
    )


def test_django_refuses_them_in_a_coroutine() -> None:
    printed = run(
        """
        import asyncio
        from django.contrib.auth import authenticate
        from django.db.models import prefetch_related_objects
        from django.shortcuts import aget_object_or_404, get_object_or_404
        from asgiref.sync import async_to_sync

        Tag.objects.create(name="a")

        async def attempt(call):
            try:
                call()
                print("fine", end=" ")
            except Exception as error:
                print(type(error).__name__, end=" ")

        asyncio.run(attempt(lambda: get_object_or_404(Tag, name="a")))
        asyncio.run(attempt(lambda: prefetch_related_objects([Order(pk=1)], "lines")))
        print(async_to_sync(aget_object_or_404)(Tag, name="a").name)
        """
    )
    assert printed.split() == ["SynchronousOnlyOperation", "SynchronousOnlyOperation", "a"]
