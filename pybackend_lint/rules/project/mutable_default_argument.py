"""Rule PB023: mutable-default-argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks.none_defaults import NoneDefault, optional_edit
from pybackend_lint.frameworks.shared_defaults import SharedDefault, shared_defaults
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after, line_before
from pybackend_lint.source import is_none


@rule(
    "PB023",
    "mutable-default-argument",
    "Use `None` and make the {kind} inside: all calls share the default of `{name}`, which changes",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A function changes the object that is the default of its parameter.

    ## Why
    A default is evaluated once, when the function is defined. What one request puts into it is still
    there for the next one, of another user. Linters warn about `={}`; they do not see that a constant of
    another module is such an object, nor that a function that is called for the default makes one.

    ## Bad
    ```python
    from shop.config import DEFAULT_HEADERS


    def request_headers(token: str, headers: dict[str, str] = DEFAULT_HEADERS) -> dict[str, str]:
        headers["Authorization"] = f"Bearer {token}"
        return headers
    ```
    ```python file=shop/config.py
    DEFAULT_HEADERS = {"Accept": "application/json"}
    ```

    ## Good
    ```python
    from shop.config import DEFAULT_HEADERS


    def request_headers(token: str, headers: dict[str, str] | None = None) -> dict[str, str]:
        if headers is None:
            headers = dict(DEFAULT_HEADERS)
        headers["Authorization"] = f"Bearer {token}"
        return headers
    ```

    ## Not reported
    ```python
    from shop.config import DEFAULT_HEADERS


    def accepts(kind: str, headers: dict[str, str] = DEFAULT_HEADERS) -> bool:
        return headers["Accept"] == kind  # only read


    def request_headers(token: str, headers: dict[str, str] = DEFAULT_HEADERS) -> dict[str, str]:
        headers = dict(headers)
        headers["Authorization"] = f"Bearer {token}"  # a copy is changed
        return headers
    ```
    Defaults such as `=[]` and `=dict()` are the matter of other linters (B006). Fields of models and
    dataclasses are not judged.

    ## Fix safety
    Every call without the argument gets a value of its own: a copy of the constant, or what the function
    makes anew. It is unsafe because some code may rely on what earlier calls left behind. Not offered
    before Python 3.10 where the annotation has to include `None`.

    ## When not to use it
    Where the shared object is meant to be a cache; a module's variable says so more clearly.

    ## References
    - Python tutorial, "Default Argument Values"
    """
    if not node.args.defaults and not any(node.args.kw_defaults):
        return
    for shared in shared_defaults(node, ctx.module):
        related = [ctx.related(shared.change, "this changes it")]
        if shared.origin is not None:
            related.append(shared.origin)
        yield ctx.finding(
            shared.parameter,
            end=shared.default,
            kind=shared.kind,
            name=shared.parameter.arg,
            related=related,
            fix=_fix(node, shared, ctx),
        )


def _fix(node: ast.FunctionDef | ast.AsyncFunctionDef, shared: SharedDefault, ctx: Context) -> Fix | None:
    source, name, made = ctx.source, shared.parameter.arg, ctx.text(shared.default)
    if "\n" in made:
        return None
    first = node.body[0]
    has_documentation = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    value = made if isinstance(shared.default, ast.Call) else f"{shared.kind}({made})"
    lines = f"if {name} is None:\n{source.indentation_step}{name} = {value}"
    guard = (line_after if has_documentation else line_before)(source, first, lines)
    edits = [ctx.edit(shared.default, "None")]
    annotation = shared.parameter.annotation
    if annotation is not None and not _includes_none(annotation):
        if not ctx.project.satisfies("python>=3.10", "lower"):
            return None
        edits.append(optional_edit(NoneDefault(name, shared.parameter, annotation), ctx.module))
    return ctx.fix("Make the value inside", *edits, guard) if guard is not None else None


def _includes_none(annotation: ast.expr) -> bool:
    """Whether an annotation is a union that names None, or `Optional`."""
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_none(right) or _includes_none(left)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional")):
            return True
    return is_none(annotation)
