"""Which assertions of mocks are made up, on what is certainly a mock."""

from __future__ import annotations

import sys
from unittest.mock import AsyncMock, call

import pytest

from pybackend_lint.frameworks import testing
from tests.rules.harness import findings, fix

HEADER = """
from unittest import mock
from unittest.mock import AsyncMock, MagicMock, Mock, call, create_autospec, patch
from shop.orders import Receipts, send

"""
FILES = {"shop/orders.py": "class Receipts:\n    called_once = True\n\n\ndef send(): ...\n"}
SILENT = {
    "the real assertion": "def test_a():\n    m = Mock()\n    m.assert_called_once_with(1)\n",
    "real attributes": "def test_a():\n    m = Mock()\n    assert m.called\n",
    "no mock": "def test_a():\n    m = Receipts()\n    assert m.called_once\n",
    "nobody knows what it is": "def test_a(m):\n    assert m.called_once\n",
    "a matcher of requests_mock": "def test_a(requests_mock):\n    m = requests_mock.get('/')\n    assert m.called_once\n",
    "a patch by something else": '@patch("a.b", new=Receipts())\ndef test_a(m):\n    assert m.called_once\n',
    "a value that new_callable makes": '@patch("a.b", new_callable=Receipts)\ndef test_a(m):\n    assert m.called_once\n',
    "set on purpose": "def test_a():\n    m = Mock()\n    m.called_once = True\n    assert m.called_once\n",
    "given on purpose": "def test_a():\n    m = Mock(called_once=True)\n    assert m.called_once\n",
    "a fixture that is no mock": (
        "import pytest\n@pytest.fixture\ndef m(mocker):\n    mocker.patch('a.b')\n    return Receipts()\n"
        "def test_a(m):\n    assert m.called_once\n"
    ),
    "another word": "def test_a():\n    m = Mock()\n    m.assertion_failed()\n",
    "kept as a value": "def test_a():\n    m = Mock()\n    x = m.called_once\n",
    "one of two things": "def test_a(x):\n    m = Mock() if x else Receipts()\n    assert m.called_once\n",
    "a mocker that the project defines": (
        "import pytest\n@pytest.fixture\ndef mocker(): ...\n"
        "def test_a(mocker):\n    m = mocker.patch('a.b')\n    assert m.called_once\n"
    ),
}
FOUND = {
    "attribute": "def test_a():\n    m = Mock()\n    assert m.called_once  # PB815\n",
    "call": "def test_a():\n    m = MagicMock()\n    m.called_once_with(1)  # PB815\n",
    "asserted call": "def test_a():\n    m = AsyncMock()\n    assert m.awaited_once_with(1)  # PB815\n",
    "denied": "def test_a():\n    m = mock.Mock()\n    assert not m.any_call(1)  # PB815\n",
    "child": "def test_a():\n    m = Mock()\n    m.mailer.send.has_calls([call(1)])  # PB815\n",
    "with patch": 'def test_a():\n    with patch("a.b") as m:\n        m.called_with(1)  # PB815\n',
    "patch of an object": 'def test_a():\n    with mock.patch.object(send, "b") as m:\n        m.called_with(1)  # PB815\n',
    "autospec": "def test_a():\n    m = create_autospec(send)\n    m.called_with(1)  # PB815\n",
    "decorator": '@patch("a.b")\n@patch("a.c", 1)\ndef test_a(m):\n    m.called_with(1)  # PB815\n',
    "decorator of a method": (
        'class TestA:\n    @patch("a.b")\n    @patch("a.c")\n    def test_a(self, c, b):\n        b.called_with(1)  # PB815\n'
    ),
    "pytest-mock": "def test_a(mocker):\n    m = mocker.patch('a.b')\n    m.called_with(1)  # PB815\n",
    "a fixture": (
        "import pytest\n@pytest.fixture\ndef m(mocker):\n    return mocker.patch('a.b')\n"
        "def test_a(m):\n    m.called_with(1)  # PB815\n"
    ),
    "a fixture that yields": (
        "import pytest\n@pytest.fixture\ndef m():\n    with patch('a.b') as mailer:\n        yield mailer\n"
        "def test_a(m):\n    assert m.called_once  # PB815\n"
    ),
    "a slip": "def test_a():\n    m = Mock()\n    m.assert_called_onc()  # PB815\n",
    "another slip": "def test_a():\n    m = Mock()\n    m.asert_called_with(1)  # PB815\n",
    "assertTrue": "def test_a(self):\n    m = Mock()\n    self.assertTrue(m.called_once)  # PB815\n",
    "assertTrue of a record": (
        "def test_a(self):\n    m = Mock()\n    self.assertTrue(m.call_args_list[-1].called_with(1))  # PB815\n"
    ),
    "a record": "def test_a():\n    m = Mock()\n    m.mock_calls[0].called_with(1)  # PB815\n",
}


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB815", HEADER + text, files=FILES, path="tests/test_a.py")


FIXED = {
    "attribute": ("assert m.called_once", "m.assert_called_once()"),
    "asserted call": ("assert m.called_once_with(1, b=2)", "m.assert_called_once_with(1, b=2)"),
    "call": ("m.has_calls([])", "m.assert_has_calls([])"),
    "slip": ("m.assert_calledd_once()", "m.assert_called_once()"),
    "assertTrue": ("self.assertTrue(m.called_once)", "m.assert_called_once()"),
    "not assertTrue with a message": ('self.assertTrue(m.called_once, "never")', None),
    "not without its arguments": ("assert m.called_once_with", None),
    "not denied": ("assert not m.called_once", None),
    "not with a message": ('assert m.called_once, "never"', None),
}


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = "from unittest.mock import Mock\n\n\ndef test_a():\n    m = Mock()\n    "
    result = fix("PB815", f"{head}{text}\n", path="tests/test_a.py")
    assert result == f"{head}{text if expected is None else expected}\n"


def test_the_right_names_really_check() -> None:
    """Every assertion that a fix may call fails on a mock that was never called."""
    for name in sorted(testing.ASSERTIONS - {"assert_not_called", "assert_not_awaited"}):
        arguments = [] if testing.takes_no_arguments(name) else [[call(1)]]
        with pytest.raises(AssertionError):
            getattr(AsyncMock(), name)(*arguments)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="newer versions refuse these names")
def test_the_wrong_names_check_nothing() -> None:
    for name in ("called_once", "called_with", "has_calls", "any_call", "not_called"):
        assert getattr(AsyncMock(), name)
