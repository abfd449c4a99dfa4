"""Questions that need their own answers, so that no answer depends on the question that came first.

The type of a call may need the type of another one that needs the type of the first. Such a question
gets no answer where it meets itself. What was concluded from this is kept only until the first question
of the circle is answered: each of the others may still get an answer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

Value = TypeVar("Value")

_NEVER = 1_000_000_000
_UNKNOWN = object()


class Circles:
    """The questions under way in one index, and the answers that rest on one of them.

    A question under way stands among the answers with its depth, a number, in place of an answer.
    `types` is how many of them ask for types, as far as one waits for the other.
    """

    def __init__(self) -> None:
        self.types = 0
        self._depth = 0
        self._lowest = _NEVER  # the depth of the first question that was met again and is still under way
        self._provisional: list[tuple[MutableMapping[Any, Any], Hashable]] = []

    def answer(
        self, answers: MutableMapping[Any, Any], key: Hashable, compute: Callable[..., Value], *asked: object
    ) -> Value | None:
        """The answer to a question, which is kept; None when the question is under way already."""
        known = answers.get(key, _UNKNOWN)
        if known is not _UNKNOWN:
            if known.__class__ is not int:
                return known  # type: ignore[no-any-return]
            self._lowest = min(self._lowest, known)
            return None
        depth = answers[key] = self._depth = self._depth + 1
        try:
            result = compute(*asked)
        except BaseException:
            answers.pop(key, None)
            raise
        finally:
            self._depth = depth - 1
        answers[key] = result
        if self._lowest <= depth:
            if self._lowest == depth:
                self._close()
            self.note(answers, key)
        return result

    def ask(
        self, under_way: dict[Hashable, int], key: Hashable, compute: Callable[[], Value]
    ) -> Value | None:
        """The answer to a question, which is not kept; None when the question is under way already."""
        known = under_way.get(key)
        if known is not None:
            self._lowest = min(self._lowest, known)
            return None
        depth = under_way[key] = self._depth = self._depth + 1
        try:
            return compute()
        finally:
            del under_way[key]
            self._depth = depth - 1
            if self._lowest == depth:
                self._close()

    def note(self, answers: MutableMapping[Any, Any], key: Hashable) -> None:
        """Note an answer that is kept, or will be: it may rest on a question that is under way."""
        if self._lowest <= self._depth:
            self._provisional.append((answers, key))

    def _close(self) -> None:
        """Forget what rests on the question that has been answered now."""
        self._lowest = _NEVER
        self._forget(0)

    def _forget(self, start: int) -> None:
        for answers, key in self._provisional[start:]:
            answers.pop(key, None)
        del self._provisional[start:]

    # Questions that need too many others to be answered on top of them

    def mark(self) -> int:
        """What `put_off` needs to know about the time before an attempt to answer."""
        return len(self._provisional)

    def put_off(self, answers: MutableMapping[Any, Any], key: Hashable, mark: int) -> None:
        """Leave a question under way whose answer could not be found yet."""
        self._forget(mark)
        answers[key] = self._depth = self._depth + 1
        if self._lowest > self._depth:
            self._lowest = _NEVER

    def take_up(self, answers: MutableMapping[Any, Any], key: Hashable) -> None:
        """Let the question that was put off last be asked again."""
        answers.pop(key, None)
        self._depth -= 1


if TYPE_CHECKING:
    answered_once = cached_property
else:

    class answered_once(cached_property):
        """A cached property of a definition: an answer that rests on a question under way is not kept."""

        def __get__(self, instance, owner=None):
            value = super().__get__(instance, owner)
            if instance is not None:
                instance.module.modules.circles.note(instance.__dict__, self.attrname)
            return value
