"""Traps of open-redirect, and the fault itself in Flask."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FLASK = """
from urllib.parse import urljoin, urlparse, urlsplit
from flask import Flask, redirect, request, url_for
app = Flask(__name__)
"""
SILENT = {
    "checked by Django": """
        from django.shortcuts import redirect as go
        from django.utils.http import url_has_allowed_host_and_scheme
        def a(request):
            target = request.GET.get("next", "/")
            if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
                target = "/"
            return go(target)
    """,
    "a header with a path of this site": """
        from flask import Response
        @app.get("/a")
        def a():
            return Response(status=302, headers={"Location": "/orders/" + request.args["number"]})
    """,
    "the address of what was made, and another header": """
        from flask import make_response
        @app.post("/a")
        def a():
            answer = make_response("", 201)
            answer.headers["Location"] = f"/orders/{request.args['number']}"
            answer.headers["X-Next"] = request.args["next"]
            place.location = request.args["next"]
            return answer
    """,
    "a path of this site": """
        @app.get("/a")
        def a():
            return redirect("/search?q=" + request.args["q"])
    """,
    "a segment of the path": """
        @app.get("/a/<name>")
        def a(name):
            return redirect(name)
    """,
    "another host's path": """
        @app.get("/a")
        def a():
            return redirect(f"https://example.com/{request.args['page']}")
    """,
    "the host is compared": """
        @app.get("/a")
        def a():
            target = request.args.get("next")
            if not target or urlsplit(target).netloc != "":
                target = url_for("a")
            return redirect(target)
    """,
    "the parts are compared": """
        def is_local(target):
            parts = urlparse(urljoin(request.host_url, target))
            return parts.netloc == request.host

        @app.get("/a")
        def a():
            target = request.args.get("next")
            return redirect(target if is_local(target) else "/")
    """,
    "taken apart before": """
        @app.get("/a")
        def a():
            target = request.args.get("next", "/")
            parts = urlparse(target)
            if parts.netloc:
                return redirect("/")
            return redirect(target)
    """,
    "the address of a view": """
        @app.get("/a")
        def a():
            return redirect(url_for("a", name=request.args["name"]))
    """,
    "a form is not sent by a link": """
        @app.post("/a")
        def a():
            return redirect(request.form["next"])
    """,
    "the page before": """
        @app.get("/a")
        def a():
            return redirect(request.headers.get("Referer", "/"))
    """,
}
FOUND = {
    "the header": """
        from flask import Response
        @app.get("/a")
        def a():
            return Response(status=302, headers={"Location": request.args["next"]})  # PB934
    """,
    "the header of a response that was made": """
        from flask import Response, make_response
        @app.get("/a")
        def a():
            answer = make_response("", 302)
            answer.headers["Location"] = request.args["next"]  # PB934
            return answer

        @app.get("/b")
        def b():
            answer = Response(status=302)
            answer.location = request.args["next"]  # PB934
            return answer
    """,
    "as it is": """
        @app.get("/a")
        def a():
            return redirect(request.args.get("next") or url_for("a"))  # PB934
    """,
    "joined": """
        @app.get("/a")
        def a():
            return redirect(urljoin("https://example.com/", request.args["next"]))  # PB934
    """,
    "behind the scheme": """
        @app.get("/a")
        def a():
            host = request.args["host"]
            return redirect(f"https://{host}/welcome")  # PB934
    """,
    "a path that may be an address": """
        @app.get("/go/<path:target>")
        def go(target):
            return redirect(target)  # PB934
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB934", FLASK + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB934", FLASK + textwrap.dedent(FOUND[name]))


def test_django_and_fastapi() -> None:
    findings(
        "PB934",
        """
        from django.http import HttpResponse, HttpResponseRedirect
        from django.views import View


        class Leave(View):
            def get(self, request):
                return HttpResponseRedirect(self.request.GET["to"])  # PB934


        def leave(request):
            response = HttpResponse(status=302)
            response["Location"] = request.GET["to"]  # PB934
            return response
        """,
    )
    findings(
        "PB934",
        """
        from fastapi import FastAPI
        from fastapi.responses import RedirectResponse
        from pydantic import HttpUrl

        app = FastAPI()


        @app.get("/go")
        def go(to: HttpUrl, page: int) -> RedirectResponse:
            if page:
                return RedirectResponse(page)
            return RedirectResponse(str(to))  # PB934
        """,
    )


def test_the_redirect_leaves_the_host() -> None:
    app = executed(FLASK + textwrap.dedent(FOUND["as it is"]))["app"]
    answer = app.test_client().get("/a?next=https://evil.example/login")
    assert answer.headers["Location"] == "https://evil.example/login"
    checked = executed(FLASK + textwrap.dedent(SILENT["the host is compared"]))["app"]
    assert checked.test_client().get("/a?next=https://evil.example/login").headers["Location"] == "/a"
