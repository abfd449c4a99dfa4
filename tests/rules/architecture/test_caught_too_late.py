"""Traps of caught-too-late."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings, fix

HEAD = """
import requests
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, models
from unknown import Problem, Trouble

class Order(models.Model): ...
class Lost(Problem): ...
class Refused(Exception): ...
class Late(Refused): ...
"""
SILENT = {
    "from special to general": """
        try:
            run()
        except Late:
            pass
        except Refused:
            pass
        except Exception:
            pass
    """,
    "unrelated": """
        try:
            run()
        except Refused:
            pass
        except (KeyError, IndexError):
            pass
    """,
    "a library's class may be anything": """
        try:
            run()
        except Problem:
            pass
        except Trouble:
            pass
    """,
    "its bases are not known": """
        try:
            run()
        except Exception:
            pass
        except Trouble:
            pass
    """,
    "one of two can still be caught": """
        try:
            run()
        except Refused:
            pass
        except (Late, KeyError):
            pass
    """,
    "a class in a variable": """
        def guarded(failure: type[Exception]):
            try:
                run()
            except failure:
                pass
            except Exception:
                pass
    """,
    "names made at run time": """
        errors = (KeyError, Late)
        try:
            run()
        except Refused:
            pass
        except errors:
            pass
    """,
}
FOUND = {
    "drivers and sockets": """
        import redis
        import socket
        import sqlite3

        def f(g):
            try:
                g()
            except sqlite3.Error:
                return "database"
            except sqlite3.IntegrityError:  # PB914
                return "conflict"
            except redis.RedisError:
                return "cache"
            except redis.exceptions.LockNotOwnedError:  # PB914
                return "lock"
            except OSError:
                return "network"
            except socket.gaierror:  # PB914
                return "name"
    """,
    "built in": """
        try:
            run()
        except OSError:
            pass
        except FileNotFoundError:  # PB914
            pass
    """,
    "the row that does not exist": """
        try:
            run()
        except ObjectDoesNotExist:
            pass
        except Order.DoesNotExist:  # PB914
            pass
    """,
    "the database": """
        try:
            run()
        except DatabaseError:
            pass
        except IntegrityError:  # PB914
            pass
    """,
    "two names": """
        try:
            run()
        except Exception:
            pass
        except (Late, KeyError):  # PB914
            pass
    """,
    "the same again": """
        try:
            run()
        except (KeyError, Refused):
            pass
        except Refused:  # PB914
            pass
    """,
    "a client": """
        try:
            run()
        except requests.RequestException:
            pass
        except requests.Timeout:  # PB914
            pass
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB914", HEAD + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB914", HEAD + textwrap.dedent(FOUND[name]))


def test_a_comment_between_stays_where_it_is() -> None:
    text = """
        try:
            run()
        except OSError:
            pass
        # when it is gone
        except FileNotFoundError:
            pass
    """
    assert fix("PB914", text) == textwrap.dedent(text).lstrip("\n")


def test_classes_of_one_name_are_told_apart() -> None:
    (found,) = findings(
        "PB914",
        """
        from fastapi import HTTPException
        from starlette.exceptions import HTTPException as StarletteHTTPException

        def f(g):
            try:
                g()
            except StarletteHTTPException:
                return 1
            except HTTPException:  # PB914
                return 2
        """,
    )
    assert "`except fastapi.HTTPException` above `except starlette.exceptions.HTTPException`" in found.message
