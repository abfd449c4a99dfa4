"""Rule PB911: unhandled-domain-error."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors, fastapi
from pybackend_lint.rule import Context, rule


@rule(
    "PB911",
    "unhandled-domain-error",
    "Catch `{error}` in `{route}` or register a handler for it: the client gets a 500",
    nodes=(ast.Module,),
    words=("APIRouter", "FastAPI", "router", "app"),
    applies="fastapi",
    default=False,
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route lets an error of the domain through that other routes or handlers answer.

    ## Why
    The service raises the error for something that a client did: a missing order, too little stock. One route
    turns it into a 404 or 409, another forgets, and FastAPI answers 500: the client retries in vain, the
    monitoring raises an alarm, and the message that was written for the client is lost.

    ## Bad
    ```python
    from fastapi import FastAPI, HTTPException

    from shop.orders import OrderMissing, cancel, find

    app = FastAPI()


    @app.get("/orders/{number}")
    def show(number: int) -> int:
        try:
            return find(number)
        except OrderMissing as error:
            raise HTTPException(404, "No such order") from error


    @app.delete("/orders/{number}")
    def remove(number: int) -> None:
        cancel(number)
    ```
    ```python file=shop/orders.py
    ORDERS = {1: 100}


    class OrderMissing(Exception):
        pass


    def find(number: int) -> int:
        if number not in ORDERS:
            raise OrderMissing(number)
        return ORDERS[number]


    def cancel(number: int) -> None:
        find(number)
        del ORDERS[number]
    ```
    ## Good
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    from shop.orders import OrderMissing, cancel, find

    app = FastAPI()


    @app.exception_handler(OrderMissing)
    def answer_missing(request: Request, error: OrderMissing) -> JSONResponse:
        return JSONResponse({"detail": "No such order"}, 404)


    @app.get("/orders/{number}")
    def show(number: int) -> int:
        return find(number)


    @app.delete("/orders/{number}")
    def remove(number: int) -> None:
        cancel(number)
    ```
    ## Not reported
    ```python
    from fastapi import FastAPI

    app = FastAPI()


    class ConfigurationError(Exception):
        pass


    class Unpaid(Exception):
        pass


    @app.get("/rate")
    def rate(currency: str) -> float:
        if currency == "":
            raise ConfigurationError("no rates")  # by its name not the client's fault
        if currency == "XXX":
            raise Unpaid  # nobody answers it, so it may be meant as a failure
        return 1.0
    ```
    Nothing is reported where middleware or classes of routes of the project may answer errors.
    ## When not to use it
    Where errors are raised for states that cannot be reached, such as an order without its customer: the rule
    knows what can be raised, not what the data allows. That is why it is off by default.
    ## References
    - FastAPI documentation, "Handling Errors: Install custom exception handlers"
    """
    done: set[int] = set()
    for route in fastapi.routes(ctx.module):
        function = route.function
        if function is None or function.module is not ctx.module or id(function.node) in done:
            continue
        done.add(id(function.node))
        for place, escape in errors.unanswered(function):
            name = escape.name.rpartition(".")[2]
            yield ctx.finding(place, error=name, route=function.node.name, related=escape.steps)
