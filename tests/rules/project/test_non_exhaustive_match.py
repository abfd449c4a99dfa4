"""Traps of non-exhaustive-match, and what Python does with the alternatives that are left out."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

FILES = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "shop/types.py": """
        from dataclasses import dataclass
        from enum import Enum, Flag, IntEnum, StrEnum, auto
        from typing import Generic, Literal, TypeVar
        T = TypeVar("T")
        class Status(StrEnum):
            OPEN = "open"
            PAID = auto()
            _ignore_ = ["hidden"]
            LOST = "lost"
            def is_final(self) -> bool:
                return self is not Status.OPEN
        class Rights(Flag):
            READ = auto()
            WRITE = auto()
            ALL = auto()
        class Twice(IntEnum):
            ONE = 1
            TWO = 2
            UNO = 1
        class Odd(Enum):
            A = 1
            B = 2
            for name in ("C", "D"):
                locals()[name] = name
        @dataclass
        class Ok(Generic[T]):
            value: T
        class Err(Exception):
            reason: str
        class Gone(Err):
            pass
        Result = Ok[int] | Err | Gone
        Mode = Literal["fast", "slow", "off"]
        Maybe = Mode | None
    """,
}

SILENT = {
    "all members, also behind an alternative and by value": """
        from shop import types
        from shop.types import Mode, Status
        def one(status: Status) -> int:
            match status:
                case types.Status.OPEN | Status.PAID:
                    return 1
                case Status.LOST as lost:
                    return 2
        def other(mode: Mode) -> int:
            match mode:
                case "fast" | "slow":
                    return 1
                case "off":
                    return 2
    """,
    "a wildcard or a capture": """
        from shop.types import Status
        def one(status: Status) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
                case _:
                    return 3
        def other(status: Status) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
                case rest:
                    return len(rest)
        def third(status: Status) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID | _:
                    return 2
        def fourth(status: Status) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case Status():
                    return 2
    """,
    "code for the others follows": """
        from shop.types import Status
        def one(status: Status) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
            raise ValueError(status)
        def two(statuses: list[Status]) -> int:
            for status in statuses:
                match status:
                    case Status.OPEN:
                        return 1
                    case Status.PAID:
                        return 2
            return 3
        def three(status: Status) -> int:
            try:
                match status:
                    case Status.OPEN:
                        return 1
                    case Status.PAID:
                        return 2
            finally:
                print(status)
    """,
    "None is a result": """
        from typing import Any, Optional
        from shop.types import Maybe, Status
        def one(status: Status) -> int | None:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
        def two(status: Status):
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
        def three(status: Status) -> Any:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
        def four(status: Status) -> Maybe:
            match status:
                case Status.OPEN:
                    return "fast"
                case Status.PAID:
                    return "slow"
        def five(status: Status) -> Optional[int]:
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
    """,
    "cases that only act": """
        from shop.types import Status
        def one(status: Status, log: list[str]) -> None:
            match status:
                case Status.OPEN:
                    log.append("open")
                case Status.PAID:
                    log.append("paid")
    """,
    "a variable that has a value before or is not used": """
        from shop.types import Status
        def one(status: Status) -> int:
            days = 0
            match status:
                case Status.OPEN:
                    days = 3
                case Status.PAID:
                    days = 5
            return days
        def two(status: Status) -> int:
            match status:
                case Status.OPEN:
                    days = 3
                case Status.PAID:
                    days = 5
            return 1
        def three(status: Status, days: int) -> int:
            match status:
                case Status.OPEN:
                    days = 3
                case Status.PAID:
                    days = 5
            return days
    """,
    "a variable is used where the same or another test passes": """
        from shop.types import Status
        def one(status: Status) -> None:
            match status:
                case Status.OPEN:
                    days = 3
                case Status.PAID:
                    days = 5
            if status is not Status.LOST:
                print(days)
        def two(status: Status, known: bool) -> None:
            match status:
                case Status.OPEN:
                    days = 3
                case Status.PAID:
                    days = 5
            if known:
                print(days)
    """,
    "a subject of the function around": """
        from collections.abc import Callable
        from shop.types import Status
        def outer(status: Status) -> Callable[[], int]:
            if status is Status.LOST:
                return int
            def inner() -> int:
                match status:
                    case Status.OPEN:
                        return 1
                    case Status.PAID:
                        return 2
            return inner
    """,
    "another test asks about the subject before": """
        from shop.types import Status
        def one(status: Status) -> int:
            if status is Status.LOST:
                return 0
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
        def two(status: Status) -> int:
            if status.is_final() and status != Status.PAID:
                raise ValueError(status)
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
        def three(status: Status) -> int:
            assert status in {Status.OPEN, Status.PAID}
            match status:
                case Status.OPEN:
                    return 1
                case Status.PAID:
                    return 2
    """,
    "alternatives that are not closed": """
        from elsewhere import Thing
        from shop.types import Err, Odd, Ok, Rights
        def one(rights: Rights) -> int:
            match rights:
                case Rights.READ:
                    return 1
                case Rights.WRITE:
                    return 2
        def two(value: Odd) -> int:
            match value:
                case Odd.A:
                    return 1
                case Odd.C:
                    return 2
        def three(result: Ok[int] | Thing | Err) -> int:
            match result:
                case Ok(value):
                    return value
                case Thing():
                    return 2
        def four(error: Err) -> int:
            match error:
                case Ok():
                    return 1
                case int():
                    return 2
        def five(*modes: int | str) -> int:
            match modes:
                case [1, _]:
                    return 1
                case [2, _]:
                    return 2
    """,
    "patterns that are not certain": """
        from shop.types import Mode, Status
        FAST = "fast"
        class Names:
            SLOW = "slow"
        def one(status: Status) -> int:
            match status:
                case "open":
                    return 1
                case Status.PAID:
                    return 2
        def two(mode: Mode) -> int:
            match mode:
                case "fast":
                    return 1
                case Names.SLOW:
                    return 2
        def three(status: Status, soon: bool) -> int:
            match status:
                case Status.OPEN if soon:
                    return 1
                case Status.OPEN if not soon:
                    return 2
                case Status.PAID | Status.LOST:
                    return 3
        def four(status: Status, soon: bool) -> int:
            match status:
                case Status.OPEN:
                    return 1
                case _ if soon:
                    return 2
                case Status.PAID:
                    return 3
    """,
    "another name of a member": """
        from shop.types import Twice
        def one(number: Twice) -> int:
            match number:
                case Twice.ONE:
                    return 1
                case Twice.TWO:
                    return 2
    """,
    "a class handles its subclasses": """
        from shop.types import Err, Ok, Result
        def one(result: Result) -> int:
            match result:
                case Ok(value):
                    return value
                case Err(reason=reason):
                    return len(reason)
    """,
    "None of an optional subject": """
        from shop.types import Maybe
        def one(mode: Maybe) -> int:
            match mode:
                case "fast" | "slow":
                    return 1
                case "off":
                    return 2
    """,
    "a name that has several values": """
        from shop.types import Mode
        def one(mode: Mode, given: str) -> int:
            mode = given or mode
            match mode:
                case "fast":
                    return 1
                case "slow":
                    return 2
    """,
}

FOUND = {
    "an attribute, a result and the enum itself": """
        from dataclasses import dataclass
        from enum import Enum
        from shop.types import Err, Gone, Ok, Result, Status
        @dataclass
        class Order:
            status: Status
        async def load() -> Result:
            return Ok(1)
        def one(order: Order) -> str:
            with open("log") as log:
                match order.status:  # PB025
                    case Status.OPEN:
                        return "open"
                    case Status.LOST:
                        raise ValueError(log)
        async def two() -> int:
            result = await load()
            match result:  # PB025
                case Ok(value):
                    return value
                case Gone():
                    return 0
        class Size(Enum):
            S = 1
            M = 2
            L = 3
            def label(self) -> str:
                match self:  # PB025
                    case Size.S:
                        return "small"
                    case Size.M:
                        return "middle"
    """,
    "literals and an optional subject": """
        from typing import Literal
        from shop.types import Maybe, Mode
        def one(mode: Maybe) -> int:
            match mode:  # PB025
                case "fast":
                    return 1
                case "slow":
                    return 2
        def two(size: Literal[1, 2] | Literal[3]) -> int:
            match size:  # PB025
                case 1:
                    return 1
                case 2:
                    return 2
        def three(mode: "Mode") -> "Mode":
            match mode:  # PB025
                case "fast":
                    return "slow"
                case "slow":
                    return "fast"
    """,
    "a guard or an inner pattern handles only a part": """
        from shop.types import Err, Ok, Result, Status
        def one(status: Status, soon: bool) -> int:
            match status:  # PB025
                case Status.OPEN if soon:
                    return 1
                case Status.PAID | Status.LOST:
                    return 2
        def two(result: Result) -> int:
            match result:  # PB025
                case Ok(value=1):
                    return 1
                case Err():
                    return 2
    """,
    "a variable that stays unbound": """
        from shop.types import Status
        def days(status: Status) -> int:
            match status:  # PB025
                case Status.OPEN:
                    found = 3
                case Status.PAID:
                    found: int = 5
            return found
        def later(status: Status) -> int:
            match status:  # PB025
                case Status.OPEN:
                    found = 3
                case Status.PAID:
                    raise ValueError(status)
            return found
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB025", SILENT[name], files=FILES)


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB025", FOUND[name], files=FILES)


def test_an_older_python() -> None:
    older = {**FILES, "pyproject.toml": FILES["pyproject.toml"].replace("3.11", "3.10")}
    found = findings("PB025", FOUND["a variable that stays unbound"], files=older)
    assert [one.fix for one in found] == [None, None]


def test_message_and_the_place_of_the_members() -> None:
    found = findings("PB025", FOUND["an attribute, a result and the enum itself"], files=FILES)
    assert [one.message for one in found] == [
        "Handle `Status.PAID` in this `match` or end it with `assert_never`: else `None` is returned",
        "Handle `Err` in this `match` or end it with `assert_never`: else `None` is returned",
        "Handle `Size.L` in this `match` or end it with `assert_never`: else `None` is returned",
    ]
    assert found[0].related[0].path.endswith("shop/types.py")
    assert found[2].fix is not None


def test_fix_keeps_comments_and_an_optional_subject_has_none() -> None:
    source = """
        from shop.types import Maybe, Mode
        def one(mode: Mode) -> int:
            match mode:
                case "fast":
                    return 1
                case "slow":
                    return 2  # nearly
        def two(mode: Maybe) -> int:
            match mode:
                case "fast":
                    return 1
                case "slow":
                    return 2
    """
    expected = (
        textwrap.dedent(source)
        .lstrip("\n")
        .replace("# nearly\n", "# nearly\n        case _:\n            assert_never(mode)\n")
    )
    assert fix("PB025", source, files=FILES) == f"from typing import assert_never\n\n{expected}"


def test_what_python_does() -> None:
    code = """
        from enum import Enum
        from typing import assert_never
        class Status(Enum):
            OPEN = 1
            PAID = 2
            LOST = 3
        def label(status: Status) -> str:
            match status:
                case Status.OPEN:
                    return "open"
                case Status.PAID:
                    return "paid"
        def days(status: Status) -> int:
            match status:
                case Status.OPEN:
                    found = 3
                case Status.PAID:
                    found = 5
            return found
        def sure(status: Status) -> str:
            match status:
                case Status.OPEN | Status.PAID:
                    return "here"
                case _:
                    assert_never(status)
    """
    names = executed(code)
    lost = names["Status"].LOST
    assert names["label"](lost) is None
    with pytest.raises(UnboundLocalError):
        names["days"](lost)
    with pytest.raises(AssertionError):
        names["sure"](lost)
