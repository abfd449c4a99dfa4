"""Calls that make texts of their arguments: `str(x)`, `print(x)` and records of the log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pybackend_lint.semantic.module import Module

BUILTINS = frozenset({"str", "repr", "print"})
# Methods of loggers whose records are usually written.
LOGS = frozenset({"info", "warning", "error", "exception", "critical"})
_CONVERSION = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?([a-zA-Z])")
_CONVERTS = {"s": "__str__", "r": "__repr__", "a": "__repr__"}


def converted(call: ast.Call, module: Module) -> Iterator[tuple[ast.expr, str]]:
    """The arguments that a call makes texts of, and the method of each that does it.

    Arguments of a log record count where the message is written down and has as many conversions.
    Source: Python documentation, "printf-style String Formatting".
    """
    match call:
        case ast.Call(func=ast.Name(id=name) as func, args=given) if name in BUILTINS:
            if module.qualified_name(func) == f"builtins.{name}" and (len(given) == 1 or name == "print"):
                yield from ((argument, "__repr__" if name == "repr" else "__str__") for argument in given)
        case ast.Call(func=ast.Attribute(attr=level), args=[ast.Constant(value=str(message)), *given]) if (
            level in LOGS and given
        ):
            conversions = _CONVERSION.findall(message.replace("%%", ""))
            if len(conversions) == len(given) and "*" not in message:
                for argument, conversion in zip(given, conversions, strict=True):
                    if conversion in _CONVERTS:
                        yield argument, _CONVERTS[conversion]
