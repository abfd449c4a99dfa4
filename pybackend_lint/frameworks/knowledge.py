"""What a framework module tells the core: a provider of types, bases of its classes, other names."""

from __future__ import annotations

import ast

from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type


class Knowledge:
    """A provider that has nothing to say; the frameworks override what they know.

    See `pybackend_lint.semantic.types.Provider` for the meaning of the methods.
    """

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The value of a call whose callee is the framework's."""
        return None

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """An attribute of a framework's value or class, or of a project class that inherits from it."""
        return None

    def subscript(self, value: Type, index: ast.expr, module: Module) -> Type | None:
        """The value of a subscription of a framework's value."""
        return None

    def parameter(self, argument: ast.arg, default: ast.expr, module: Module) -> Type | None:
        """The type of a parameter without annotation whose default the framework understands."""
        return None
