from __future__ import annotations

import pytest
from flask import Flask

from tests.rules.harness import findings, fix

RULE = "flask-debug-enabled"

FILES = {
    "shop/__init__.py": "from flask import Flask\n\n\ndef create_app() -> Flask:\n    return Flask('shop')\n",
    "shop/config.py": (
        "class Base:\n    DEBUG = True\n\n\nclass Production(Base):\n    DEBUG = False\n\n\n"
        "class Staging(Base):\n    pass\n\n\nclass DevelopmentConfig:\n    DEBUG = True\n"
    ),
    "shop/settings.py": "DEBUG = True\n",
}

FOUND = {
    "a host that others can reach": """
        import os

        from shop import create_app

        app = create_app()
        app.run(host=os.getenv("HOST", "0.0.0.0"), debug=True)  # PB700
        host = "127.0.0.1" if os.getenv("HOME") else "0.0.0.0"
        app.run(host=host, debug=True)  # PB700
    """,
    "run": """
        from shop import create_app

        app = create_app()
        app.run("0.0.0.0", 80, debug=True)  # PB700
    """,
    "attributes and configuration": """
        from flask import Flask, current_app

        app = Flask(__name__)
        app.debug = True  # PB700
        app.config["DEBUG"] = True  # PB700
        app.config.update(DEBUG=True)  # PB700
        app.config.update({"DEBUG": True})  # PB700
        app.config.from_mapping(TESTING=False, DEBUG=True)  # PB700
        current_app.config["DEBUG"] = True  # PB700
    """,
    "class of another file": """
        from shop import create_app
        from shop.config import Staging

        app = create_app()
        app.config.from_object(Staging)  # PB700
        app.config.from_object("shop.config.Staging")  # PB700
        app.config.from_object("shop.settings")  # PB700
    """,
    "default of the factory, in this file": """
        from flask import Flask

        class Config:
            DEBUG = True  # PB700

        def create_app(config=Config):
            app = Flask(__name__)
            app.config.from_object(config)
            return app
    """,
}

SILENT = {
    "this machine only": """
        import os

        from shop import create_app

        app = create_app()
        app.run("localhost", 8000, debug=True)

        def run():
            host = os.getenv("HOST", "127.0.0.1")
            if host == "0.0.0.0":
                host = "127.0.0.1"
            app.run(host=host, debug=True)
    """,
    "value from outside": """
        import os

        from shop import create_app

        app = create_app()
        app.debug = os.environ.get("DEBUG") == "1"
        app.run(debug=os.environ.get("DEBUG"))
        app.run(debug=False)
        app.run()
    """,
    "for development": """
        from shop import create_app
        from shop.config import DevelopmentConfig, Production

        class TestConfig:
            DEBUG = True

        def dev():
            app = create_app()
            app.debug = True

        def start(mode):
            app = create_app()
            app.config.from_object(DevelopmentConfig)
            app.config.from_object(TestConfig)
            app.config.from_object(Production)
            app.config.from_object("shop.config.DevelopmentConfig")
            if mode == "development":
                app.config["DEBUG"] = True
    """,
    "class that nobody loads": """
        from flask import Flask

        class Config:
            DEBUG = True
    """,
    "other objects": """
        from quart import Quart

        class Runner:
            debug = False

            def run(self, debug): ...

        Runner().run(debug=True)
        Runner().debug = True
        app = Quart(__name__)
        app.run(debug=True)
        config = {}
        config["DEBUG"] = True
        config.update(DEBUG=True)
    """,
    "replaced from outside": """
        from shop import create_app

        app = create_app()
        app.config["DEBUG"] = True
        app.config.from_prefixed_env()
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_silent_in_examples() -> None:
    source = "from flask import Flask\n\nFlask('a').run(debug=True)\n"
    assert findings(RULE, source, path="examples/basic.py") == []
    assert len(findings(RULE, source.replace(")\n", ")  # PB700\n"))) == 1


def test_the_place_of_the_value_is_related() -> None:
    (first, *_) = findings(RULE, FOUND["class of another file"], files=FILES)
    assert [(place.path.rpartition("/")[2], place.start.row) for place in first.related] == [("config.py", 2)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("app.run(debug=True)", "app.run()"),
        ("app.run(debug=True, port=80)", "app.run(port=80)"),
        ("app.run(port=80, debug=True)", "app.run(port=80)"),
    ],
)
def test_fix(before: str, after: str) -> None:
    head = "from flask import Flask\n\napp = Flask(__name__)\n"
    assert fix(RULE, f"{head}{before}\n") == f"{head}{after}\n"


def test_flask_is_in_debug_mode() -> None:
    app = Flask("shop")
    app.config["DEBUG"] = True
    assert app.debug is True
