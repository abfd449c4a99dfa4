"""Traps of request-forgery-flow."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings

HEAD = """
import aiohttp
import httpx
import requests
from urllib.parse import urljoin, urlparse
from urllib.request import urlopen
from typing import Annotated
from fastapi import Depends, FastAPI
from pydantic import BaseModel, HttpUrl, field_validator
app = FastAPI()
HOSTS = {"example.com"}
CONFIG = {"url": "http://zones"}

class Hook(BaseModel):
    url: HttpUrl
    path: str = "/"
"""
SILENT = {
    "an address that is parsed": """
        import ipaddress
        @app.get("/a")
        def a(address: str):
            if not ipaddress.ip_address(address).is_global:
                return ""
            return requests.get(f"https://{address}/", timeout=5).text
    """,
    "a literal host": """
        @app.get("/a")
        def a(city: str):
            return requests.get(f"https://api.example.com/{city}", timeout=5).json()
    """,
    "the own path behind a setting": """
        from flask import Flask, request
        flask_app = Flask(__name__)
        @flask_app.route("/zones")
        def a(base=CONFIG["url"]):
            return requests.get(urljoin(base, request.full_path), timeout=5).json()
    """,
    "guarded for the system": """
        def system_scope(): ...
        @app.get("/a")
        def a(url: str, scope: Annotated[None, Depends(system_scope)]):
            return requests.get(url, timeout=5).text
    """,
    "a parameter of the query": """
        @app.get("/a")
        def a(city: str):
            return httpx.get("https://api.example.com/", params={"q": city}).json()
    """,
    "behind a setting": """
        @app.get("/a")
        def a(path: str):
            return httpx.get(settings.base + path).json()
    """,
    "the host is one of a list": """
        @app.get("/a")
        def a(url: str):
            if urlparse(url).hostname not in HOSTS:
                return None
            return requests.get(url, timeout=5).text
    """,
    "checked by a function": """
        @app.get("/a")
        def a(url: str):
            assert_public(url)
            return requests.get(url, timeout=5).text
    """,
    "a validator of the model": """
        class Checked(BaseModel):
            url: str

            @field_validator("url")
            @classmethod
            def known(cls, value: str) -> str:
                return value

        @app.post("/a")
        def a(hook: Checked):
            return requests.post(hook.url, timeout=5).text
    """,
    "those who run the site may": """
        def get_admin_user(): ...

        @app.post("/a")
        def a(hook: Hook, user=Depends(get_admin_user)):
            return requests.post(str(hook.url), timeout=5).text
    """,
    "a dictionary": """
        @app.post("/a")
        def a(name: str):
            return {"requests": 1}.get(name)
    """,
}
FOUND = {
    "a URL": """
        @app.get("/a")
        def a(url: str):
            return requests.get(url, timeout=5).text  # PB922
    """,
    "a valid URL is not a safe one": """
        @app.post("/a")
        def a(hook: Hook):
            return httpx.post(str(hook.url)).text  # PB922
    """,
    "joined": """
        @app.post("/a")
        def a(hook: Hook):
            return requests.get(urljoin("https://example.com/", hook.path), timeout=5).text  # PB922
    """,
    "the host": """
        @app.get("/a")
        def a(host: str):
            return urlopen(f"http://{host}/status").read()  # PB922
    """,
    "a field of a body as a dictionary": """
        class Item(BaseModel):
            number: int
            image: str

        def fetch(url):
            return requests.get(url, timeout=5).content  # PB922

        @app.post("/a")
        def a(item: Item):
            sent = item.model_dump()
            number = sent["number"]
            return fetch(sent.pop("image", None))
    """,
    "through a dependency and a session": """
        def wanted(url: str) -> str:
            return url

        @app.get("/a")
        async def a(url: Annotated[str, Depends(wanted)]):
            async with aiohttp.ClientSession() as session:
                answer = await session.get(url)  # PB922
                return await answer.text()
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB922", HEAD + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB922", HEAD + textwrap.dedent(FOUND[name]))


def test_routes_that_try_a_connection() -> None:
    text = (
        HEAD
        + """
@app.post("/proxy/test")
def test_proxy(url: str):
    return requests.get(url, timeout=5).status_code
"""
    )
    findings("PB922", text)


def test_modules_for_administrators() -> None:
    text = (
        HEAD
        + """
@app.get("/a")
def a(url: str):
    return requests.get(url, timeout=5).text
"""
    )
    findings("PB922", text, path="shop/routers/admin.py")


def test_a_search_that_comes_back_to_where_it_was_ends() -> None:
    text = (
        HEAD
        + """
@app.get("/a")
def a(url: str):
    def again():
        return pages

    pages = again()
    return requests.get(pages, timeout=5).text
"""
    )
    findings("PB922", text)
