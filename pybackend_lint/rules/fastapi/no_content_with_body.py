"""Rule PB332: no-content-with-body."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi, fastapi_responses
from pybackend_lint.rule import UNSAFE, Context, rule

_DECLARED = "Answer without body from `{function}`: FastAPI refuses a response type for {status}"


@rule(
    "PB332",
    "no-content-with-body",
    "Return nothing from `{function}`: an answer with status {status} has no body",
    nodes=(ast.Module,),
    words=("status_code",),
    applies="fastapi",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route declares status 204, 205 or 304 and still returns a value, or declares a response type.

    ## Why
    FastAPI drops the value without a word, so clients never see the message or the object. A response
    model or a return annotation is refused when the module is imported: `AssertionError: Status code
    204 must not have a response body`.

    ## Bad
    ```python
    from fastapi import APIRouter, status

    router = APIRouter(prefix="/orders")

    @router.delete("/{order_id}", status_code=status.HTTP_204_NO_CONTENT)
    def delete_order(order_id: int):
        print("deleting", order_id)
        return {"message": "The order was deleted"}
    ```
    ## Good
    ```python
    from fastapi import APIRouter, status

    router = APIRouter(prefix="/orders")

    @router.delete("/{order_id}", status_code=status.HTTP_204_NO_CONTENT)
    def delete_order(order_id: int):
        print("deleting", order_id)
        return
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter, Response
    from shop.orders import remove

    router = APIRouter(prefix="/orders")

    @router.delete("/{order_id}", status_code=204)
    def delete_order(order_id: int) -> None:
        return remove(order_id)  # returns nothing

    @router.get("/{order_id}", status_code=304)
    def order(order_id: int) -> Response:
        return Response(status_code=304)
    ```
    ```python file=shop/orders.py
    def remove(order_id: int) -> None: ...
    ```
    ## Fix safety
    The value goes away, which no client has ever seen. It is offered for values that only read names
    and constants. A client may rather need another status.

    ## When not to use it
    There is no reason to return what nobody gets.

    ## References
    - FastAPI: "Response Status Code"
    - RFC 9110, 15.3.5 "204 No Content"
    """
    for route in fastapi.routes(ctx.module):
        status, function = fastapi_responses.status_code(route), route.function
        if function is None or not fastapi_responses.has_no_body(status):
            continue
        declared = fastapi_responses.declares_body(route)
        if declared is not None and function.module is ctx.module:
            yield ctx.finding(declared, message=_DECLARED, function=function.node.name, status=status)
        elif function.module is ctx.module:
            for statement in fastapi_responses.returned_values(function):
                value = statement.value
                fix = None
                if value is not None and fastapi_responses.is_plain(value):
                    fix = ctx.fix("Return nothing", ctx.edit(statement, "return"))
                yield ctx.finding(statement, fix=fix, function=function.node.name, status=status)
