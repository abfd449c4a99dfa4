"""Decorators of the project that give back what the decorated function gives, and others."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.semantic.modules import module_of, types

IMPORTS = "import asyncio, functools, inspect, time, typing\n"
# Each defines `decorate`; `plain` and `coroutine` tell the types of a call of what it decorates.
KEEPS = {
    "notes the function": """
        def decorate(func):
            REGISTRY.append(func)
            return func
    """,
    "calls it in between": """
        def decorate(func):
            @functools.wraps(func)
            def wrapper(*args, **kwargs):
                started = time.monotonic()
                try:
                    return func(*args, **kwargs)
                finally:
                    print(time.monotonic() - started)
            return wrapper
    """,
    "keeps the result in a variable": """
        def decorate(func):
            def wrapper(self, *args, key=None, **kwargs):
                with span():
                    result = func(self, *args, key=key, **kwargs)
                    log(result)
                    return result
            return typing.cast(F, wrapper)
    """,
    "for functions of both kinds": """
        def decorate(func):
            @functools.wraps(func)
            async def async_wrapper(*args, **kwargs):
                return await func(*args, **kwargs)
            @functools.wraps(func)
            def sync_wrapper(*args, **kwargs):
                return func(*args, **kwargs)
            return async_wrapper if inspect.iscoroutinefunction(func) else sync_wrapper
    """,
    "for functions of both kinds under one name": """
        def decorate(func):
            if asyncio.iscoroutinefunction(func):
                async def wrapper(*args, **kwargs):
                    return await func(*args, **kwargs)
            else:
                def wrapper(*args, **kwargs):
                    return func(*args, **kwargs)
            return wrapper
    """,
    "tries again": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                for _ in range(3):
                    try:
                        return func(*args, **kwargs)
                    except OSError:
                        continue
                raise OSError
            return wrapper
    """,
}
CHANGES = {
    "another result": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                return Response(func(*args, **kwargs))
            return wrapper
    """,
    "no result": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                func(*args, **kwargs)
            return wrapper
    """,
    "no result after an error": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                try:
                    return func(*args, **kwargs)
                except OSError:
                    print("failed")
            return wrapper
    """,
    "another argument": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                return func(*args, session=Session(), **kwargs)
            return wrapper
    """,
    "a result that was kept": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                if args in KEPT:
                    return KEPT[args]
                return func(*args, **kwargs)
            return wrapper
    """,
    "runs it in a loop of its own": """
        def decorate(func):
            def wrapper(*args, **kwargs):
                return asyncio.run(func(*args, **kwargs))
            return wrapper
    """,
    "wrapped by a library": """
        def decorate(func):
            @library.task
            def wrapper(*args, **kwargs):
                return func(*args, **kwargs)
            return wrapper
    """,
    "exchanged before": """
        def decorate(func):
            func = library.task(func)
            return func
    """,
    "nothing": """
        def decorate(func):
            REGISTRY.append(func)
    """,
    "an object": """
        class decorate:
            def __init__(self, func):
                self.func = func
    """,
}
# For coroutines only; what a plain function gives is then a coroutine or fails.
WAITS = """
    def decorate(func):
        async def wrapper(*args, **kwargs):
            return await func(*args, **kwargs)
        return wrapper
"""
FORGETS = """
    def decorate(func):
        async def wrapper(*args, **kwargs):
            return func(*args, **kwargs)
        return wrapper
"""
USES = """
from decorators import decorate

class User: ...

@decorate
def plain() -> User: ...

@decorate
async def coroutine() -> User: ...

@decorate
def generator():
    yield User()

probe(plain(), coroutine(), generator())
"""
PLAIN, COROUTINE, GENERATOR = "main.User", "typing.Coroutine[main.User]", "typing.Iterator[main.User]"


def results(tmp_path: Path, decorator: str, uses: str = USES) -> list[str | None]:
    """The types of calls of functions that are decorated."""
    decorators = IMPORTS + textwrap.dedent(decorator)
    return types(module_of(tmp_path, {"decorators.py": decorators, "main.py": uses}))


@pytest.mark.parametrize("name", KEEPS)
def test_kept(name: str, tmp_path: Path) -> None:
    assert results(tmp_path, KEEPS[name])[:2] == [PLAIN, COROUTINE]


@pytest.mark.parametrize("name", ["calls it in between", "for functions of both kinds"])
def test_generators_pass_through_plain_wrappers(name: str, tmp_path: Path) -> None:
    assert results(tmp_path, KEEPS[name])[2] == GENERATOR


@pytest.mark.parametrize("name", CHANGES)
def test_changed(name: str, tmp_path: Path) -> None:
    assert results(tmp_path, CHANGES[name]) == [None, None, None]


def test_coroutines_only(tmp_path: Path) -> None:
    assert results(tmp_path, WAITS) == [None, COROUTINE, None]
    assert results(tmp_path, FORGETS) == [None, None, None]


def test_made_by_a_call(tmp_path: Path) -> None:
    made = f"def made(times):\n{textwrap.indent(textwrap.dedent(KEEPS['tries again']), '    ')}\n    return decorate"
    uses = USES.replace("import decorate", "import made").replace("@decorate", "@made(times=3)")
    assert results(tmp_path, made, uses)[:2] == [PLAIN, COROUTINE]
    uncalled = USES.replace("import decorate", "import made").replace("@decorate", "@made")
    assert results(tmp_path, made, uncalled) == [None, None, None]
