from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

RULE = "removed-flask-api"

FILES = {
    "shop/__init__.py": (
        "from flask import Blueprint, Flask\n\napp = Flask('shop')\npages = Blueprint('pages', __name__)\n"
    )
}

FOUND = {
    "imports": """
        from flask import Markup, escape, jsonify  # PB707 # PB707
        from flask.helpers import safe_join  # PB707
        from flask.globals import _app_ctx_stack  # PB707
        from flask.json import JSONEncoder  # PB707
    """,
    "attributes of the module": """
        import flask

        def f(text):
            return flask.Markup(flask.escape(text)), flask._request_ctx_stack  # PB707 # PB707 # PB707
    """,
    "attributes of applications and blueprints": """
        from shop import app, pages

        @app.before_first_request  # PB707
        def f(): ...

        @pages.before_app_first_request  # PB707
        def g(): ...

        app.json_encoder = object  # PB707
        print(app.env)  # PB707
    """,
    "arguments": """
        import flask
        from flask import send_from_directory

        def f():
            flask.send_file("a", cache_timeout=1, add_etags=False)  # PB707 # PB707
            send_from_directory("a", filename="b")  # PB707
    """,
    "settings of a class and of a call": """
        from shop import app

        class ProductionConfig:
            JSON_SORT_KEYS = False  # PB707
            JSON_AS_UTF8 = True

        class Encoder:
            JSON_AS_ASCII = False

        app.config.update(JSON_AS_ASCII=False, DEBUG=False)  # PB707
        app.config.from_mapping(JSONIFY_MIMETYPE="text/json")  # PB707
        dict().update(JSON_AS_ASCII=False)
    """,
    "settings": """
        from flask import current_app

        from shop import app

        app.config["JSON_AS_ASCII"] = False  # PB707
        app.config["JSONIFY_PRETTYPRINT_REGULAR"] = True  # PB707
        current_app.config["JSON_SORT_KEYS"] = False  # PB707
    """,
}

SILENT = {
    "what is left": """
        from flask import Flask, jsonify, send_file
        from markupsafe import Markup, escape
        from werkzeug.utils import safe_join

        from shop import app

        @app.before_request
        def f():
            app.config["SESSION_COOKIE_NAME"] = "a"
            app.env = "production"
            return send_file("a", download_name="b", max_age=1, etag=False)
    """,
    "code for several versions": """
        from importlib.metadata import version

        from shop import app

        try:
            from flask import Markup
        except ImportError:
            from markupsafe import Markup

        if version("flask") < "2.3":
            app.before_first_request(print)
        if hasattr(app, "json_encoder"):
            app.json_encoder = object
    """,
    "other objects": """
        from shop import app

        class Env:
            env = 1
            json_encoder = None

            def before_first_request(self, f): ...

        def f(unknown):
            Env().before_first_request(print)
            unknown.before_first_request(print)
            send_file("a", attachment_filename="b")
            {}["JSON_SORT_KEYS"] = 1
            return Env().env, unknown.json_encoder
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


@pytest.mark.parametrize(
    ("requirement", "rows"),
    [
        ("flask==2.0.3", []),
        ("flask==2.2.5", [5]),
        ("flask==2.3.3", [4, 5]),
        ("flask>=3.0", [1, 4, 5]),
        ("flask>=2.0,<2.3", [5]),
        ("flask>=2.0", [1, 4, 5]),
    ],
)
def test_versions(requirement: str, rows: list[int]) -> None:
    lines = [
        "from flask import Markup, send_file",
        "from shop import app",
        "",
        "app.before_first_request(print)",
        "send_file('a', attachment_filename='b')",
    ]
    text = "\n".join(f"{line}  # PB707" if row in rows else line for row, line in enumerate(lines, 1))
    project = f'[project]\ndependencies = ["{requirement}"]\n'
    findings(RULE, f"{text}\n", files={**FILES, "pyproject.toml": project})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from flask import Flask, Markup, escape\n\nprint(Markup, escape, Flask)\n",
            "from flask import Flask\nfrom markupsafe import Markup, escape\n\nprint(Markup, escape, Flask)\n",
        ),
        (
            "import flask\n\nprint(flask.Markup('a'), flask.g)\n",
            "import flask\nfrom markupsafe import Markup\n\nprint(Markup('a'), flask.g)\n",
        ),
        (
            "from flask import send_file\n\nsend_file('a', attachment_filename='b', cache_timeout=1)\n",
            "from flask import send_file\n\nsend_file('a', download_name='b', max_age=1)\n",
        ),
        (
            "from flask import Flask\n\napp = Flask('a')\napp.config['JSON_AS_ASCII'] = False\n",
            "from flask import Flask\n\napp = Flask('a')\napp.json.ensure_ascii = False\n",
        ),
        (
            "from flask import Flask\n\napp = Flask('a')\napp.before_first_request(print)\n",
            "from flask import Flask\n\napp = Flask('a')\napp.before_first_request(print)\n",
        ),
        (
            "from flask import Markup as M\n\nprint(M)\n",
            "from flask import Markup as M\n\nprint(M)\n",
        ),
    ],
)
def test_fix(before: str, after: str) -> None:
    assert fix(RULE, before) == after
