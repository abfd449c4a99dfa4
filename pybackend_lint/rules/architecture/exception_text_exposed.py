"""Rule PB912: exception-text-exposed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors
from pybackend_lint.rule import Context, rule


@rule(
    "PB912",
    "exception-text-exposed",
    "Send a message of your own: `{text}` shows the client the inside of any error",
    nodes=(ast.ExceptHandler, ast.FunctionDef, ast.AsyncFunctionDef),
    words=("HTTPException", "Response", "jsonify", "abort", "flask", "fastapi", "HttpResponse"),
    tags=("security",),
)
def check(
    handler: ast.ExceptHandler | ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context
) -> Iterator[Finding]:
    """A handler for any error sends the text of the error to the client.

    That is an `except` block, or the function that an application calls for errors that nothing else caught.

    ## Why
    Nobody has seen all the texts that may stand there: the statement and values of a failed query, the path
    of a file, the address of an internal service with its password, the name of a missing setting. An
    attacker learns how the inside looks, a user reads what was meant for you, and the log has nothing.

    ## Bad
    ```python
    from fastapi import APIRouter, HTTPException

    from shop.orders import place

    router = APIRouter()


    @router.post("/orders")
    def order(number: int) -> int:
        try:
            return place(number)
        except Exception as error:
            raise HTTPException(status_code=500, detail=f"Order failed: {error}") from error
    ```
    ```python file=shop/orders.py
    def place(number: int) -> int:
        return number
    ```
    ## Good
    ```python
    import logging

    from fastapi import APIRouter, HTTPException

    from shop.orders import place

    router = APIRouter()
    logger = logging.getLogger(__name__)


    @router.post("/orders")
    def order(number: int) -> int:
        try:
            return place(number)
        except Exception as error:
            logger.exception("order %s failed", number)
            raise HTTPException(status_code=500, detail="Order failed") from error
    ```
    ## Not reported
    ```python
    import json

    from django.conf import settings
    from django.http import JsonResponse


    def parse(request):
        try:
            return JsonResponse({"keys": len(json.loads(request.body))})
        except ValueError as error:  # says what is wrong with the request
            return JsonResponse({"error": str(error)}, status=400)


    def report(request, run):
        try:
            return JsonResponse(run())
        except Exception as error:
            if settings.DEBUG:
                return JsonResponse({"error": repr(error)}, status=500)
            raise
    ```
    ## When not to use it
    In internal tools whose users are those who read the log.
    ## References
    - OWASP Cheat Sheet Series, "Error Handling"
    - CWE-209, "Generation of Error Message Containing Sensitive Information"
    """
    if isinstance(handler, ast.ExceptHandler):
        found = errors.exposed(handler, ctx)
    else:
        found = errors.exposed_by_application(handler, ctx)
    for text, answer in found:
        related = [ctx.related(answer, "the answer that holds it")]
        yield ctx.finding(text, text=ctx.text(text), related=related)
