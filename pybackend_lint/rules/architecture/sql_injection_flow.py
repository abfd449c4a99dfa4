"""Rule PB920: sql-injection-flow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB920",
    "sql-injection-flow",
    "Bind `{name}` as a parameter: it comes from a request and becomes SQL text of `{sink}`",
    nodes=(ast.Call,),
    names=request_sinks.SQL_CALLS,
    severity="error",
    tags=("security",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """What a client sends becomes part of an SQL statement, maybe functions and files away from the route.

    ## Why
    Whoever controls a part of the statement can read and change every row that the application can. Bound
    parameters are sent apart from the statement and are never read as SQL. Names of columns and directions of
    sorting cannot be bound: choose them from a fixed table. The related locations show the way of the data.

    ## Bad
    ```python file=shop/search.py check
    import sqlite3


    def find(connection: sqlite3.Connection, email: str) -> list[tuple[int]]:
        query = "SELECT id FROM customer"
        query += " WHERE email = '" + email + "'"
        return connection.execute(query).fetchall()
    ```
    ```python file=shop/web.py
    import sqlite3

    from flask import Flask, jsonify, request

    from shop.search import find

    app = Flask(__name__)


    @app.get("/customers")
    def customers():
        connection = sqlite3.connect("shop.db")
        return jsonify(find(connection, request.args["email"]))
    ```
    ## Good
    ```python file=shop/search.py check
    import sqlite3


    def find(connection: sqlite3.Connection, email: str) -> list[tuple[int]]:
        query = "SELECT id FROM customer WHERE email = ?"
        return connection.execute(query, (email,)).fetchall()
    ```
    ## Not reported
    ```python
    import sqlite3

    from flask import Flask, jsonify, request

    app = Flask(__name__)
    COLUMNS = {"name": "name", "age": "born DESC"}


    @app.get("/customers/<int:shop>")
    def customers(shop: int):
        connection = sqlite3.connect("shop.db")
        order = COLUMNS[request.args.get("sort", "name")]
        limit = int(request.args.get("limit", "10"))
        rows = connection.execute(
            f"SELECT id FROM customer WHERE shop = {shop} ORDER BY {order} LIMIT {limit}"
        )
        return jsonify(rows.fetchall())


    @app.get("/names")
    def names():
        column = request.args.get("column", "name")
        # whether the check is good is not judged, so a bad one hides an alarm
        if column not in COLUMNS:
            return "unknown column", 400
        connection = sqlite3.connect("shop.db")
        return jsonify(connection.execute(f"SELECT {column} FROM customer").fetchall())
    ```
    Where the statement alone shows the fault, because a value is put between its quotes or behind its `=`,
    `interpolated-sql` (Django) and `interpolated-text-sql` (SQLAlchemy) report it and this rule does not.
    ## When not to use it
    In tools that run the SQL of their users by design.
    ## References
    - OWASP Cheat Sheet Series, "Query Parameterization"
    - Python documentation, "sqlite3: How to use placeholders to bind values in SQL queries"
    """
    if request_sinks.is_sample(ctx):
        return
    for sink in request_sinks.sql_sinks(call, ctx):
        flow = flow_to(sink.value, ctx.module, request_data.SQL)
        if flow is not None:
            yield ctx.finding(sink.value, name=flow.origin.shown, sink=sink.user, related=flow.steps)
