"""Facts about the standard library's logging."""

from __future__ import annotations

import ast

from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.rule import Context
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type, instance

ROOTS = ("logging",)
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}

_LOGGER = "logging.Logger"
_FACTORIES = frozenset({"logging.getLogger", "logging.Logger.getChild"})


class LoggingKnowledge(Knowledge):
    """Types of logging's names."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """Loggers come from factory functions."""
        return instance(_LOGGER) if callee.name in _FACTORIES else None


KNOWLEDGE = LoggingKnowledge()


def logging_method(call: ast.Call, ctx: Context) -> str | None:
    """The name of the method when a call logs with the standard library: `error`, `exception`, ..."""
    callee = ctx.type_of(call.func)
    if callee is None or callee.kind is not Kind.EXTERNAL:
        return None
    owner, _, method = callee.name.rpartition(".")
    return method if owner in {_LOGGER, "logging", "logging.LoggerAdapter"} and method.islower() else None


def module_logger(ctx: Context) -> str | None:
    """The name of the one variable of this module that holds a logger, or None."""
    found = []
    for statement in ctx.source.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Call()):
                known = ctx.type_of(target)
                if known is not None and known.is_instance(_LOGGER):
                    found.append(name)
    return found[0] if len(found) == 1 else None
