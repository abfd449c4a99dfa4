"""The flake8 plugin: every rule of pybackend-lint as a check of flake8."""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import tokenize
from collections.abc import Iterator
from typing import Any, ClassVar

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from pybackend_lint import __version__
from pybackend_lint.plugin import Host, opt_in_codes
from pybackend_lint.settings import SettingsError


def _encoded(text: str) -> bytes:
    """The bytes of a file that flake8 has decoded, in the encoding that the file declares."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        return text.encode(tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    except (SyntaxError, UnicodeEncodeError):  # flake8 has guessed
        return data


class Plugin:
    """What flake8 asks for: made for each file, run once.

    flake8 itself selects codes, applies `noqa` with codes, `per-file-ignores` and reports syntax
    errors; rule names in `noqa` are ours.
    """

    name = "pybackend-lint"
    version = __version__

    _host: ClassVar[Host] = Host()

    def __init__(self, tree: ast.Module, filename: str, lines: list[str]) -> None:
        self._tree = tree
        self._filename = filename
        self._data = _encoded("".join(lines))

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Put the rules that are off by default on flake8's own list of such codes."""
        with contextlib.suppress(SettingsError):  # named by parse_options
            manager.extend_default_ignore(opt_in_codes())

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take over what flake8 was told; raises `ExecutionError` for settings of ours that are wrong."""
        try:
            opt_in_codes()
        except SettingsError as error:
            raise ExecutionError(str(error)) from error
        cls._host = Host(respect_noqa=not options.disable_noqa)

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """The findings as line, column from 0, text and the class of the check."""
        for finding in self._host.check(self._filename, self._data, self._tree):
            text = f"{finding.code} {finding.message}"
            yield finding.start.row, finding.start.column - 1, text, type(self)
