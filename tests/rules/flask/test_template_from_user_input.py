from __future__ import annotations

import pytest
from flask import Flask, render_template_string, request

from tests.rules.harness import findings

RULE = "template-from-user-input"

FILES = {
    "shop/__init__.py": (
        "from flask import Blueprint, Flask\n\napp = Flask('shop')\npages = Blueprint('pages', __name__)\n"
    )
}

FOUND = {
    "parts of the request": """
        import flask
        from flask import render_template_string, request

        def view():
            render_template_string(f"<p>{request.args['q']}</p>")  # PB702
            render_template_string("<p>" + request.form.get("q") + "</p>")  # PB702
            render_template_string("<p>%s</p>" % request.url)  # PB702
            render_template_string("<p>{}</p>".format(request.cookies["q"]))  # PB702
            flask.render_template_string(flask.request.get_json()["template"])  # PB702
            render_template_string(source=request.data.decode())  # PB702
    """,
    "through names": """
        from flask import render_template_string, request

        def view():
            form = request.form
            name = form.get("name", "")
            page = f"<h1>{name}</h1>"
            return render_template_string(page)  # PB702
    """,
    "parameter of a view": """
        from flask import render_template_string

        from shop import app, pages

        @app.route("/<path:page>")
        def show(page):
            return render_template_string("<h1>" + page + "</h1>")  # PB702

        @pages.get("/raw/<text>")
        def raw(text):
            return render_template_string(text)  # PB702
    """,
    "parameter of a function": """
        from flask import render_template_string

        def page(title: str) -> str:
            return render_template_string(f"<h1>{title}</h1>{{{{ body }}}}")  # PB702
    """,
    "through a function": """
        from flask import render_template_string, request

        from shop import app

        def draw(template):
            return render_template_string(template)  # PB702

        @app.get("/hello")
        def hello():
            return draw("<h1>%s</h1>" % request.args["name"])
    """,
    "jinja itself": """
        from flask import request
        from jinja2 import Environment, Template

        from shop import app

        def view():
            Template(request.args["t"])  # PB702
            Environment(autoescape=True).from_string(request.args["t"])  # PB702
            app.jinja_env.from_string(f"{request.args['t']}")  # PB702
    """,
}

SILENT = {
    "a template of our own through a function": """
        from flask import render_template_string, request

        from shop import app

        def draw(template, **values):
            return render_template_string(template, **values)

        @app.get("/hello")
        def hello():
            return draw("<h1>{{ name }}</h1>", name=request.args["name"])
    """,
    "constant templates": """
        from flask import render_template, render_template_string, request

        PAGE = "<h1>{{ name }}</h1>"

        def view():
            name = request.args["name"]
            render_template_string(PAGE, name=name)
            render_template_string("<h1>{{ name }}</h1>" + "<hr>", name=request.args["name"])
            return render_template("page.html", name=name)
    """,
    "numbers and checked values": """
        import uuid

        from flask import render_template_string, request

        from shop import app

        def view():
            page = request.args["page"]
            if page not in ("a", "b"):
                return ""
            render_template_string(f"{int(request.args['n'])} {uuid.UUID(request.args['id'])}")
            return render_template_string(f"<{page}>")

        @app.get("/<int:n>")
        def number(n: int):
            return render_template_string(f"<p>{n}</p>")
    """,
    "template that is passed on": """
        from flask import render_template_string
        from jinja2 import Template

        def render(template: str, **values):
            return render_template_string(template, **values)

        def generate(name):
            return Template(f"class {name}: ...").render()
    """,
    "other functions of the name": """
        import string

        from flask import request

        def view():
            string.Template(request.args["t"]).substitute()
            parser.from_string(request.args["t"])
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_input_becomes_program() -> None:
    app = Flask("shop")
    app.secret_key = "b7f1"

    @app.get("/bad")
    def bad() -> str:
        return render_template_string(f"Hello {request.args['name']}")

    @app.get("/good")
    def good() -> str:
        return render_template_string("Hello {{ name }}", name=request.args["name"])

    client = app.test_client()
    asked = {"name": "{{ config.SECRET_KEY }}"}
    assert client.get("/bad", query_string=asked).text == "Hello b7f1"
    assert "b7f1" not in client.get("/good", query_string=asked).text
