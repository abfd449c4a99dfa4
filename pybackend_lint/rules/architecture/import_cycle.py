"""Rule PB961: import-cycle."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.project.import_order import failing_imports, module_names
from pybackend_lint.rule import Context, rule


@rule(
    "PB961",
    "import-cycle",
    "Break the import cycle {cycle}: `{name}` is not there yet when `{entry}` is imported first",
    nodes=(ast.Module,),
    words=("import",),
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Modules import names of each other, and which of them is imported first decides whether that works.

    Only the form that fails is reported: a `from` import at the top level of a module that is reached
    while the other module is still running and has not bound that name.

    ## Why
    The application starts, because its entry point happens to import the right module first. A test
    file, a script or a worker that starts with another one ends with `ImportError: cannot import name
    ... from partially initialized module`, and so does the application after somebody has sorted the
    imports.

    ## Bad
    ```python file=shop/customers.py check
    from shop.invoices import Invoice


    class Customer:
        def invoice(self):
            return Invoice(self)
    ```
    ```python file=shop/invoices.py
    from shop.customers import Customer


    class Invoice:
        def __init__(self, customer: Customer) -> None:
            self.customer = customer
    ```

    ## Good
    ```python file=shop/customers.py check
    class Customer:
        def invoice(self):
            from shop.invoices import Invoice

            return Invoice(self)
    ```

    ## Not reported
    ```python file=shop/invoices.py check
    # The module as a whole: its names are looked up when a function runs.
    from shop import customers


    class Invoice:
        def owner(self):
            return customers.Customer()
    ```
    ```python file=shop/customers.py
    class Customer:
        def invoice(self):
            # Imported when it is called, long after both modules have run.
            from shop.invoices import Invoice

            return Invoice()
    ```
    ```python file=shop/__init__.py check
    from flask import Flask

    app = Flask("shop")

    # Imported below what the other module needs, whose package always runs first.
    from shop import views
    ```
    ```python file=shop/views.py
    from shop import app


    @app.get("/")
    def index():
        return "shop"
    ```

    ## When not to use it
    When a module is never imported but through another one, and never will be. Cycles in which every
    order works are not reported; pylint's `cyclic-import` lists them.

    ## References
    - Python documentation, "Programming FAQ": what are the best practices for using import in a module
    - https://docs.python.org/3/faq/programming.html#what-are-the-best-practices-for-using-import-in-a-module
    """
    for failure in failing_imports(ctx.module):
        statement = next(
            inner
            for inner in ctx.source.nodes(ast.ImportFrom)
            if ctx.position(ctx.source.start(inner)) == failure.start
        )
        paths = [*(link.path for link in failure.chain), failure.path, failure.entry]
        *cycle, entry = module_names(paths, ctx.module)
        yield ctx.finding(
            statement,
            related=[
                Related(link.path, link.start, f"imports `{target}`")
                for link, target in zip(failure.chain, cycle[1:], strict=True)
            ],
            cycle=" → ".join((*cycle, cycle[0])),
            name=failure.name,
            entry=entry,
        )
