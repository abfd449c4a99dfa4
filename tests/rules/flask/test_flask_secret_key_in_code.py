from __future__ import annotations

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface

from tests.rules.harness import findings, fix

RULE = "flask-secret-key-in-code"

FILES = {
    "shop/__init__.py": "from flask import Flask\n\napp = Flask('shop')\n",
    "shop/config.py": (
        "import os\n\n\nclass Config:\n    SECRET_KEY = os.environ.get('SECRET_KEY') or 'never-guess'\n\n\n"
        "class Safe:\n    SECRET_KEY = os.environ['SECRET_KEY']\n\n\n"
        "class Development(Config):\n    SECRET_KEY = 'dev'\n\n\nclass Production(Config):\n    DEBUG = False\n\n\n"
        "CONFIGS = {'development': Development, 'production': Production, 'default': Development}\n"
        "SAFE = {'development': Development, 'production': Safe}\n"
    ),
}

FOUND = {
    "written": """
        from shop import app

        app.secret_key = "b7f1"  # PB701
        app.config["SECRET_KEY"] = b"b7f1"  # PB701
        app.config.from_mapping(SECRET_KEY="b7f1")  # PB701
        app.config.update({"SECRET_KEY": "b7f1"})  # PB701
    """,
    "fallback": """
        import os
        from os import getenv

        from shop import app

        app.secret_key = os.environ.get("KEY", "b7f1")  # PB701
        app.secret_key = getenv("KEY", default="b7f2")  # PB701
        app.secret_key = os.getenv("KEY") or "b7f3"  # PB701
    """,
    "default of the factory": """
        from flask import Flask

        from shop.config import Config

        def create_app(config=Config):
            app = Flask(__name__)
            app.config.from_object(config)  # PB701
            return app
    """,
}

FOUND |= {
    "one of several classes": """
        from flask import Flask

        from shop.config import CONFIGS, SAFE

        def create_app(name: str):
            app = Flask(__name__)
            app.config.from_object(CONFIGS[name])  # PB701
            return app

        def create_other(name: str):
            app = Flask(__name__)
            app.config.from_object(SAFE.get(name))
            return app
    """,
    "another factory loads it from elsewhere": """
        from flask import Flask

        def create_app():
            app = Flask(__name__)
            app.config["SECRET_KEY"] = "b7f1"  # PB701
            return app

        def create_worker():
            app = Flask(__name__)
            app.config.from_envvar("SETTINGS")
            return app
    """,
}

SILENT = {
    "a class that takes what is there": """
        import os

        from shop import app

        class Settings:
            if os.environ.get("SECRET_KEY"):
                SECRET_KEY = os.environ["SECRET_KEY"]
            else:
                SECRET_KEY = "not set"

        app.config.from_object(Settings)
    """,
    "a function that the factory calls loads it": """
        from flask import Flask

        def configure(app: Flask) -> None:
            app.config.from_pyfile("config.py", silent=True)

        def create_app():
            app = Flask(__name__)
            app.config["SECRET_KEY"] = "dev"
            configure(app)
            return app
    """,
    "from outside": """
        import os
        import secrets

        from shop import app
        from shop.config import Safe

        app.secret_key = os.environ["SECRET_KEY"]
        app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY")
        app.config["SECRET_KEY"] = secrets.token_hex()
        app.config.from_object(Safe)
        app.secret_key = None
        app.secret_key = ""
    """,
    "replaced later": """
        from flask import Flask

        def create_app(test_config=None):
            app = Flask(__name__, instance_relative_config=True)
            app.config.from_mapping(SECRET_KEY="dev")
            app.config.from_pyfile("config.py", silent=True)
            return app
    """,
    "placeholder that is refused": """
        import os

        from shop import app

        app.secret_key = os.environ.get("SECRET_KEY", "change-me")
        if app.secret_key == "change-me":
            raise RuntimeError("set SECRET_KEY")
    """,
    "for tests": """
        from shop import app

        class TestConfig:
            SECRET_KEY = "test"

        app.config.from_object(TestConfig)
        if app.testing:
            app.secret_key = "test"
    """,
    "other keys and other objects": """
        from shop import app

        app.config["SECRET_KEY_ID"] = "b7f1"
        settings = {}
        settings["SECRET_KEY"] = "b7f1"
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_fix_keeps_the_variable() -> None:
    before = (
        "import os\n\nfrom flask import Flask\n\napp = Flask(__name__)\n"
        'app.secret_key = os.environ.get("SHOP_KEY", "b7f1")\n'
    )
    assert fix(RULE, before) == before.replace('.get("SHOP_KEY", "b7f1")', '["SHOP_KEY"]')


def test_who_knows_the_key_writes_sessions() -> None:
    app = Flask("shop")
    app.secret_key = "b7f1"

    @app.get("/")
    def user() -> str:
        return str(session.get("user"))

    attacker = Flask("attacker")
    attacker.secret_key = "b7f1"
    signer = SecureCookieSessionInterface().get_signing_serializer(attacker)
    assert signer is not None
    client = app.test_client()
    client.set_cookie("session", str(signer.dumps({"user": "admin"})))
    assert client.get("/").text == "admin"
