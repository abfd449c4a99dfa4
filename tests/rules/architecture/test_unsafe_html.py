"""Traps of unsafe-html, and the fault itself in Flask."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FLASK = """
from flask import Flask, jsonify, render_template, request
from markupsafe import Markup, escape
app = Flask(__name__)
"""
SILENT = {
    "escaped": """
        @app.get("/a")
        def a():
            return f"<h1>{escape(request.args['name'])}</h1>"
    """,
    "a route of FastAPI that sends JSON": """
        from fastapi import FastAPI
        api = FastAPI()
        @api.get("/a")
        def a(name: str) -> str:
            return f"<h1>{name}</h1>"
    """,
    "another type of content": """
        from flask import Response
        @app.get("/a")
        def a():
            return Response(f"Hello {request.args['name']}", mimetype="text/plain")
    """,
    "JSON": """
        @app.get("/a")
        def a():
            return jsonify(name="Hello " + request.args["name"])
    """,
    "a template": """
        @app.get("/a")
        def a():
            return render_template("a.html", name=request.args["name"])
    """,
    "a dictionary": """
        @app.get("/a")
        def a():
            return {"name": f"Hello {request.args['name']}"}
    """,
    "a header cannot be chosen by a link": """
        @app.get("/a")
        def a():
            return f"<h1>{request.headers['User-Agent']}</h1>"
    """,
    "a body in JSON neither": """
        @app.post("/a")
        def a():
            return f"<h1>{request.json['name']}</h1>"
    """,
    "a number": """
        @app.get("/a/<int:number>")
        def a(number):
            return f"<h1>{number}</h1>"
    """,
    "no view of a class": """
        from flask.views import MethodView

        class Page(MethodView):
            def title(self):
                return f"<h1>{request.args['name']}</h1>"
    """,
    "no view": """
        def title():
            return f"<h1>{request.args['name']}</h1>"
    """,
}
FOUND = {
    "a route of FastAPI that sends HTML": """
        from fastapi import FastAPI
        from fastapi.responses import HTMLResponse
        api = FastAPI()
        @api.get("/a", response_class=HTMLResponse)
        async def a(name: str) -> str:
            return f"<h1>{name}</h1>"  # PB936
    """,
    "a type of content that is written": """
        from flask import Response
        @app.get("/a")
        def a():
            return Response(f"Hello {request.args['name']}", mimetype="text/html")  # PB936
    """,
    "a text": """
        @app.get("/a")
        def a():
            return f"<h1>{request.args['name']}</h1>"  # PB936
    """,
    "classes of views": """
        from flask.views import MethodView, View

        class Page(MethodView):
            def get(self):
                return f"<h1>{request.args['name']}</h1>"  # PB936

        class Old(View):
            def dispatch_request(self):
                return f"<h1>{request.args['name']}</h1>"  # PB936
    """,
    "an error": """
        @app.get("/a/<name>")
        def a(name):
            message = "No customer " + name
            return message, 404  # PB936
    """,
    "marked as safe": """
        @app.get("/a")
        def a():
            title = Markup("<b>%s</b>" % request.args["name"])  # PB936
            return render_template("a.html", title=title)
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB936", FLASK + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB936", FLASK + textwrap.dedent(FOUND[name]))


def test_fastapi_and_django() -> None:
    findings(
        "PB936",
        """
        from fastapi import FastAPI
        from fastapi.responses import HTMLResponse, PlainTextResponse

        app = FastAPI()


        @app.get("/a")
        def a(error: str | None = None):
            if error is None:
                return PlainTextResponse(f"no {error}")
            return HTMLResponse(f"<p>{error}</p>", status_code=400)  # PB936
        """,
    )
    findings(
        "PB936",
        """
        from django.http import HttpResponse


        def a(request):
            return HttpResponse("Hello " + request.GET["name"])  # PB936
        """,
    )


def test_the_script_arrives_as_html() -> None:
    app = executed(FLASK + textwrap.dedent(FOUND["a text"]))["app"]
    answer = app.test_client().get("/a?name=<script>x</script>")
    assert answer.mimetype == "text/html"
    assert "<script>x</script>" in answer.text
    safe = executed(FLASK + textwrap.dedent(SILENT["escaped"]))["app"]
    assert "<script>" not in safe.test_client().get("/a?name=<script>x</script>").text
