"""The pylint plugin: every rule of pybackend-lint as a message of pylint.

The rule `PB101` is the message `W9101`, or `E9101` when it tells of an error. Its symbol is the
rule's name; where pylint has a message of that name itself, `backend-` stands before it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from pylint.checkers import BaseRawFileChecker
from pylint.exceptions import UnknownMessageError

from pybackend_lint.finding import Finding, Severity
from pybackend_lint.plugin import Host, opt_in_codes
from pybackend_lint.registry import ENTRIES
from pybackend_lint.rule_entry import Entry
from pybackend_lint.settings import SYNTAX_ERROR, SettingsError

if TYPE_CHECKING:
    from astroid import nodes
    from pylint.lint import PyLinter
    from pylint.typing import ExtraMessageOptions, MessageDefinitionTuple

_FAMILIES = "0123456789"


def message_id(entry: Entry) -> str:
    """The identifier of a rule's message."""
    letter = "E" if entry.severity == Severity.ERROR else "W"
    return f"{letter}9{entry.code.removeprefix('PB')}"


class Checker(BaseRawFileChecker):
    """The messages of one family of rules, since pylint wants a checker for each hundred."""

    name = "pybackend-lint"
    ids: ClassVar[dict[str, str]]  # code to message

    # All families share the findings of the file at hand.
    _host: ClassVar[Host] = Host()
    _file: ClassVar[tuple[object, list[Finding]]] = (None, [])

    def process_module(self, node: nodes.Module) -> None:
        """Report the findings of this family in a file."""
        if Checker._file[0] is not node:
            with node.stream() as stream:
                Checker._file = (node, self._host.check(node.file or node.name, stream.read()))
        for finding in Checker._file[1]:
            if finding.code in self.ids:
                self.add_message(
                    self.ids[finding.code],
                    line=finding.start.row,
                    col_offset=finding.start.column - 1,
                    end_lineno=finding.end.row,
                    end_col_offset=finding.end.column - 1,
                    args=(finding.message,),
                )


def _symbol(entry: Entry, linter: PyLinter) -> str:
    """The symbol of a rule's message: its name, unless pylint itself has a message of this name."""
    try:
        linter.msgs_store.message_id_store.get_active_msgids(entry.name)
    except UnknownMessageError:
        return entry.name
    return f"backend-{entry.name}"


def _checker(family: str, opt_in: Collection[str], linter: PyLinter) -> Checker:
    messages: dict[str, MessageDefinitionTuple] = {}
    entries = [entry for entry in ENTRIES if entry.code[2] == family and entry.code != SYNTAX_ERROR]
    for entry in entries:
        extra: ExtraMessageOptions = {"default_enabled": entry.code not in opt_in}
        messages[message_id(entry)] = ("%s", _symbol(entry, linter), entry.summary, extra)
    ids = {entry.code: message_id(entry) for entry in entries}
    checker: type[Checker] = type("Checker", (Checker,), {"ids": ids, "msgs": messages})
    return checker(linter)


def register(linter: PyLinter) -> None:
    """Add a checker for each family of rules; pylint calls this when it loads the plugin."""
    if any(isinstance(checker, Checker) for checker in linter.get_checkers()):
        return  # pylint 3 loads plugins again in each of its processes
    try:
        opt_in = opt_in_codes()
    except SettingsError as error:
        raise SystemExit(f"pybackend-lint: {error}") from error
    for family in _FAMILIES:
        linter.register_checker(_checker(family, opt_in, linter))
