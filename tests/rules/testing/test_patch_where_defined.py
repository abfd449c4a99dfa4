"""Which replacements nobody sees, because the code under test holds a copy of the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

FILES = {
    "shop/__init__.py": "",
    "shop/mails.py": """
        def send(name):
            raise RuntimeError

        def notify(name):
            return send(name)

        class Client: ...

        def late(name): ...

        def by_name(name): ...

        def starred(name): ...

        def unused(name): ...

        def mixed(name): ...

        def elsewhere_read(name): ...

        def through(name): ...

        def got(name): ...

        def looked_up(name):
            raise RuntimeError

        def copied(name):
            raise RuntimeError
    """,
    "shop/orders.py": """
        from typing import TYPE_CHECKING
        from shop import mails
        from shop.mails import Client, by_name, copied, elsewhere_read, got, looked_up, mixed, notify, send, through
        from shop import stars

        def place(name):
            copied(name)
            notify(name)
            send(name)
            by_name(name)
            looked_up(name)
            mixed(name)
            elsewhere_read(name)
            through(name)
            got(name)
            return Client()

        def again(name):
            return mails.looked_up(name)

        def later(name):
            from shop.mails import late
            return late(name)
    """,
    "shop/readers.py": """
        import shop
        import shop.mails
        import shop.mails as post

        def read(name):
            post.mixed(name)
            shop.mails.elsewhere_read(name)
            getattr(post, "got")(name)

        def path():
            from . import mails as m
            return m.through
    """,
    "shop/tasks.py": "TASKS = ['shop.mails.by_name']\n",
    "shop/stars.py": "from shop.mails import *\n\ndef run(name):\n    return starred(name)\n",
    "shop/elsewhere.py": "from shop.mails import unused\n\ndef run(name):\n    return unused(name)\n",
}
HEADER = """
from unittest.mock import patch
from shop import mails
from shop.orders import place

"""
SILENT = {
    "where it is used": 'patch("shop.orders.copied")',
    "used by its own module": 'patch("shop.mails.send")',
    "read from its module": 'patch("shop.mails.looked_up")',
    "imported by a function": 'patch("shop.mails.late")',
    "named in a text": 'patch("shop.mails.by_name")',
    "imported with all names": 'patch("shop.mails.starred")',
    "its user is not under test": 'patch("shop.mails.unused")',
    "a member of a class": 'patch("shop.mails.Client.send", create=True)',
    "of a library": 'patch("smtplib.SMTP")',
    "read by the test": 'patch("shop.mails.copied")\n    mails.copied("anna")',
    "read by another module under test": 'patch("shop.mails.mixed")',
    "read by a module that nothing tests": 'patch("shop.mails.elsewhere_read")',
    "read through another path": 'patch("shop.mails.through")',
    "got by name": 'patch("shop.mails.got")',
    "created": 'patch("shop.mails.copied_not", create=True)',
    "also patched where it is used": 'patch("shop.mails.copied")\n    patch("shop.orders.copied")',
    "the test imports later": 'patch("shop.mails.copied")\n    import shop.orders',
    "the test reloads": 'patch("shop.mails.copied")\n    reload(shop.orders)',
}
FOUND = {
    "path": 'patch("shop.mails.copied")',
    "class": 'patch("shop.mails.Client")',
    "object": 'patch.object(mails, "copied")',
    "monkeypatch": 'monkeypatch.setattr("shop.mails.copied", print)',
    "monkeypatch of an object": 'monkeypatch.setattr(mails, "copied", print)',
    "pytest-mock": 'mocker.patch("shop.mails.copied", return_value=1)',
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker, reload, shop):\n    {text}\n"
    findings("PB819", source, files=FILES, path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker):\n    {text}  # PB819\n"
    (found,) = findings("PB819", source, files=FILES, path="tests/test_a.py")
    assert found.message.startswith("Patch `shop.orders.")
    assert [(related.path.rpartition("/")[2], related.start.row) for related in found.related] == [
        ("orders.py", 3)
    ]


def test_names_all_users_and_fixes_nothing_where_there_are_several() -> None:
    files = {**FILES, "shop/bills.py": "from shop.mails import copied\n\ndef f():\n    return copied(1)\n"}
    source = f'{HEADER}from shop import bills\n\ndef test_a():\n    patch("shop.mails.copied")  # PB819\n'
    (found,) = findings("PB819", source, files=files, path="tests/test_a.py")
    assert found.message == "Patch `copied` where it is used: 2 modules imported it by value"
    assert (len(found.related), found.fix) == (2, None)


@pytest.mark.parametrize(
    ("path", "is_found"), [("tests/test_mails.py", True), ("tests/mail_checks.py", False)]
)
def test_tests_of_other_files_do_not_read_what_is_replaced(path: str, is_found: bool) -> None:
    other = "from shop import mails\n\ndef test_copied():\n    assert mails.copied('anna')\n"
    source = f'{HEADER}def test_a():\n    patch("shop.mails.copied"){"  # PB819" if is_found else ""}\n'
    findings("PB819", source, files={**FILES, path: other}, path="tests/test_a.py")


def test_paths_are_written_as_the_test_writes_them() -> None:
    files = {f"src/{path}": text for path, text in FILES.items()}
    source = f"{HEADER}def test_a():\n    with patch('shop.mails.copied'):\n        place('anna')\n"
    fixed = fix("PB819", source, files=files, path="tests/test_a.py")
    assert "patch('shop.orders.copied')" in fixed


def test_the_replacement_is_not_seen_and_the_fixed_one_is(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/mails.py": "def copied(name):\n    raise RuntimeError\n",
        "shop/orders.py": "from shop.mails import copied\n\ndef place(name):\n    copied(name)\n",
    }
    source = (
        "from unittest.mock import patch\nfrom shop.orders import place\n\n"
        '@patch("shop.mails.copied")\ndef test_a(copied):\n    place("anna")\n'
    )
    assert run(tmp_path, {**files, "test_a.py": source}) == "1 failed"
    fixed = fix("PB819", source, files=files, path="test_a.py")
    assert run(tmp_path, {**files, "test_a.py": fixed}) == "1 passed"
