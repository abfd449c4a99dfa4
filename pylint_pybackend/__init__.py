"""The pylint plugin: every rule of pybackend-lint as a message of pylint.

The rule `PB101` is the message `W9101`, or `E9101` when it tells of an error; its symbol is the
rule's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pylint.checkers import BaseRawFileChecker

from pybackend_lint.finding import Finding, Severity
from pybackend_lint.plugin import Host, opt_in_codes
from pybackend_lint.registry import ENTRIES
from pybackend_lint.rule_entry import Entry
from pybackend_lint.settings import SYNTAX_ERROR, SettingsError
from pybackend_lint.source import Source

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
    family: ClassVar[str]

    # All families share the findings of the file at hand.
    _host: ClassVar[Host] = Host()
    _file: ClassVar[tuple[object, list[Finding]]] = (None, [])

    def process_module(self, node: nodes.Module) -> None:
        """Report the findings of this family in a file."""
        if Checker._file[0] is not node:
            with node.stream() as stream:
                source = Source(node.file or node.name, stream.read())
            Checker._file = (node, self._host.check(source, source.path))
        for finding in Checker._file[1]:
            if finding.code[2] == self.family and finding.code != SYNTAX_ERROR:
                self.add_message(
                    finding.name,
                    line=finding.start.row,
                    col_offset=finding.start.column - 1,
                    end_lineno=finding.end.row,
                    end_col_offset=finding.end.column - 1,
                    args=(finding.message,),
                )


def _messages(family: str, opt_in: frozenset[str]) -> dict[str, MessageDefinitionTuple]:
    messages: dict[str, MessageDefinitionTuple] = {}
    for entry in ENTRIES:
        if entry.code[2] == family and entry.code != SYNTAX_ERROR:
            extra: ExtraMessageOptions = {"default_enabled": entry.code not in opt_in}
            messages[message_id(entry)] = ("%s", entry.name, entry.summary, extra)
    return messages


def register(linter: PyLinter) -> None:
    """Add a checker for each family of rules; pylint calls this when it loads the plugin."""
    if any(isinstance(checker, Checker) for checker in linter.get_checkers()):
        return  # pylint 3 loads plugins again in each of its processes
    try:
        opt_in = frozenset(opt_in_codes())
    except SettingsError as error:
        raise SystemExit(f"pybackend-lint: {error}") from error
    for family in _FAMILIES:
        checker = type("Checker", (Checker,), {"family": family, "msgs": _messages(family, opt_in)})
        linter.register_checker(checker(linter))
