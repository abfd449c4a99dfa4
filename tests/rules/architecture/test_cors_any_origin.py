"""Traps of cors-any-origin, and what Starlette answers to a foreign origin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse

from tests.rules.harness import findings

SILENT = {
    "no credentials": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app):
            app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=False)
    """,
    "credentials are decided elsewhere": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app, settings):
            app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=settings.COOKIES)
    """,
    "origins have two values": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app, settings):
            origins = ["*"]
            if settings.origins:
                origins = settings.origins
            app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)
    """,
    "for debugging": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app, settings):
            if settings.DEBUG:
                app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
    """,
    "a star inside an origin": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app):
            app.add_middleware(CORSMiddleware, allow_origins=["https://*.example.com"], allow_credentials=True)
    """,
    "a pattern that names the site": r"""
        from starlette.middleware.cors import CORSMiddleware
        def secure(app):
            app.add_middleware(
                CORSMiddleware, allow_origin_regex=r"https://.*\\.example\\.com", allow_credentials=True
            )
    """,
    "another middleware": """
        from middleware import CORSMiddleware
        def secure(app):
            app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
    """,
    "arguments from elsewhere": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app, options):
            app.add_middleware(CORSMiddleware, allow_credentials=True, allow_origins=["*"], **options)
    """,
    "Flask names its origins in each resource": """
        from flask_cors import CORS
        def secure(app):
            CORS(app, resources={"/api/*": {"origins": ["https://a.example"]}}, origins="*", supports_credentials=True)
    """,
    "Flask without credentials": """
        from flask_cors import CORS
        def secure(app):
            CORS(app)
    """,
}
FOUND = {
    "in the constructor": """
        from fastapi import FastAPI
        from fastapi.middleware import Middleware
        from fastapi.middleware.cors import CORSMiddleware
        app = FastAPI(middleware=[Middleware(CORSMiddleware, allow_origins=("*",), allow_credentials=True)])  # PB932
    """,
    "around the application": """
        from starlette.middleware.cors import CORSMiddleware
        def wrap(app):
            return CORSMiddleware(app, allow_origins="*", allow_credentials=True)  # PB932
    """,
    "any pattern": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app):
            app.add_middleware(CORSMiddleware, allow_origin_regex=r"https?://.*", allow_credentials=True)  # PB932
    """,
    "a local": """
        from starlette.middleware.cors import CORSMiddleware
        def secure(app):
            origins = ["http://localhost:3000", "*"]
            app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)  # PB932
    """,
    "Flask's default": """
        from flask_cors import CORS
        def secure(app):
            CORS(app, supports_credentials=True)  # PB932
    """,
    "Flask's resources": """
        from flask_cors import CORS
        def secure(app):
            CORS(app, resources={"/api/*": {"origins": "*"}}, supports_credentials=True)  # PB932
    """,
}
DJANGO = """
    INSTALLED_APPS = ["corsheaders"]
    ROOT_URLCONF = "shop.urls"
    CORS_ALLOW_ALL_ORIGINS = True{marker}
    CORS_ALLOW_CREDENTIALS = {credentials}
"""


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB932", source, files={"middleware.py": "class CORSMiddleware: ...\n"})


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB932", source)


def test_settings_of_django() -> None:
    files = {"manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"}
    bad = DJANGO.format(marker="  # PB932", credentials="True")
    findings("PB932", bad, files=files, path="shop/settings.py")
    findings("PB932", DJANGO.format(marker="", credentials="True"), files=files, path="shop/settings_dev.py")
    findings("PB932", DJANGO.format(marker="", credentials="False"), files=files, path="shop/settings.py")


def test_flask_may_be_configured_elsewhere() -> None:
    findings(
        "PB932",
        "from flask_cors import CORS\ndef secure(app):\n    CORS(app, supports_credentials=True)\n",
        files={"config.py": 'CORS_ORIGINS = ["https://a.example"]\n'},
    )


def answer(**options: Any) -> dict[str, str]:
    """The headers of Starlette's answer to a foreign page that sends the user's cookie."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"origin", b"https://evil.example"), (b"cookie", b"session=1")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    app: Any = CORSMiddleware(PlainTextResponse("private"), **options)  # type: ignore[arg-type]
    asyncio.run(app(scope, receive, send))
    return {key.decode(): value.decode() for key, value in sent[0]["headers"]}


def test_starlette_echoes_any_origin() -> None:
    open_to_all = answer(allow_origins=["*"], allow_credentials=True)
    assert open_to_all["access-control-allow-origin"] == "https://evil.example"
    assert open_to_all["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in answer(
        allow_origins=["https://a.example"], allow_credentials=True
    )
