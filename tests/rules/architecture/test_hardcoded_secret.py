"""Traps of hardcoded-secret."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

SILENT = {
    "the example of a provider": """
        AWS_ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
        AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    """,
    "an environment variable": """
        import os
        API_TOKEN = os.environ["API_TOKEN"]
        OTHER_TOKEN = os.getenv("OTHER_TOKEN", "")
    """,
    "placeholders": """
        PASSWORD = "changeme1"
        API_KEY = "your-api-key-1"
        SECRET = "<secret1>"
        def connect(db): db(password="********", token="xxxxxxx1")
    """,
    "names of things": """
        PASSWORD_FIELD = "passwd1_9af3c1"
        TOKEN_URL = "/oauth2/token9f3ac1"
        TOKEN_HEADER = "X-Tok9-f3ac1b"
        primary_key = "9f2c81d07be34a66"
    """,
    "words": """
        TOKEN = "access_token"
        PASSWORD = "reset_password_v2"
        class Kind:
            oauth2_token = "oauth2_token"
    """,
    "accepted on the line": """
        API_TOKEN = "9f2c81d07be34a6688e1"  # nosec
    """,
    "patterns of secrets": r"""
        PATTERNS = {
            "access_token": r"EAAC0dEose0cBA[0-9A-Za-z]+",
            "api_key": r"key-[0-9a-zA-Z]{32}",
            "private_key": r"k3y_\d+_a7",
        }
    """,
    "values for examples and tests": """
        def load():
            test_token = "JHCOGO7VCER3EJ4L"
        connection_example = dict(user="joe", client_secret="5A52C1A1E21DF9012IODC9ISNX")
    """,
    "a URL that shows its form": """
        URLS = ["http://us:pa@ex.co:42/"]
    """,
    "documentation": '''
        def connect(url):
            """Connect, such as to postgresql://loader:Kf83mQz1vP@warehouse.shop.io/stock."""
        def field(Field):
            return Field(description="as https://joe:Kf83mQz1vP@files.shop.io/", examples=["https://joe:Kf83mQz1vP@files.shop.io/"])
    ''',
    "comparisons": """
        def check(password):
            return password == "9f2c81d07be34a66"
    """,
    "a URL without password": """
        API_URL = "https://api.shop.io:8443/v1?token=1"
    """,
    "parts of a text": """
        def url(user, password):
            return f"postgresql://{user}:{password}@warehouse.shop.io/stock"
    """,
    "another key of the dictionary": """
        CONFIG = {"name": "9f2c81d07be34a66", "token": None}
    """,
    "a key that is public": """
        ANALYTICS_API_KEY = "phc_9f2c81d07be34a6688e1b5f0a4c7d3e2"
    """,
}
FOUND = {
    "a constant": """
        API_TOKEN = "9f2c81d07be34a6688e1b5f0a4c7d3e2"  # PB925
    """,
    "a default of an environment variable": """
        import os
        KEY = os.getenv("SIGNING_KEY", "9f2c81d07be34a6688e1b5f0a4c7d3e2")  # PB925
    """,
    "an argument": """
        def connect(driver):
            return driver(user="loader", password="Kf83mQz1vP")  # PB925
    """,
    "an entry of a dictionary": """
        DATABASES = {"default": {"USER": "loader", "PASSWORD": "Kf83mQz1vP"}}  # PB925
    """,
    "an item": """
        def configure(config):
            config["API_KEY"] = "9f2c81d07be34a6688e1b5f0a4c7d3e2"  # PB925
    """,
    "an attribute in camel case": """
        def configure(client):
            client.apiKey = "9f2c81d07be34a6688e1b5f0a4c7d3e2"  # PB925
    """,
    "a password in a URL": """
        def connect(create_engine):
            return create_engine("postgresql://loader:Kf83mQz1vP@warehouse.shop.io/stock")  # PB925
    """,
}
TOKEN = "9f2c81d07be34a6688e1b5f0a4c7d3e2"


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB925", source)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB925", source)


def test_a_known_key_needs_no_name_and_is_found_in_examples() -> None:
    key = "AKIA" + "QZ7XW2LRTZ4KCVB3"
    findings("PB925", f'def upload(client):\n    client("{key}")  # PB925\n', path="examples/upload.py")
    for path in ("examples/upload.py", "client/demos/upload.py", "tools/example_upload.py"):
        findings("PB925", f'API_TOKEN = "{TOKEN}"\n', path=path)


def test_tests_may_hold_made_up_secrets() -> None:
    findings("PB925", f'API_TOKEN = "{TOKEN}"\n', path="tests/test_upload.py")


def test_settings_for_development_may_hold_secrets() -> None:
    findings("PB925", f'API_TOKEN = "{TOKEN}"\n', path="shop/settings/local.py")


def test_projects_for_development_may_hold_secrets() -> None:
    findings("PB925", 'API_TOKEN = "9f2c81d07be34a6688e1"\n', path="devproject/settings.py")


def test_the_key_of_a_django_project() -> None:
    key = "SECRET_KEY = '{}'\n".format("lr66%-a!$km5ed@n5ug!tya5bv!0(yqwa1tn!q%0%3m2nh%oml")
    found = key.replace("\n", "  # PB925\n") + "INSTALLED_APPS = []\nMIDDLEWARE = []\n"
    findings("PB925", found, path="site/settings.py")
    other = {"site/settings/prod.py": "from site.settings.base import *\nSECRET_KEY = read()\n"}
    silent = key + "INSTALLED_APPS = []\nMIDDLEWARE = []\n"
    findings("PB925", silent, files=other, path="site/settings/base.py")


def test_the_key_of_a_flask_application_has_its_own_rule() -> None:
    flask = {"shop/app.py": "from flask import Flask\n\napp = Flask('shop')\n"}
    findings("PB925", f'SECRET_KEY = "{TOKEN}"\n', files=flask)
    findings(
        "PB925", f'SECRET_KEY = "{TOKEN}"  # PB925\n', files={"shop/app.py": "from fastapi import FastAPI\n"}
    )
    findings("PB925", f'INSTALLED_APPS = []\nROOT_URLCONF = "shop.urls"\nSECRET_KEY = "{TOKEN}"  # PB925\n')


def test_fix_reads_the_environment() -> None:
    fixed = fix("PB925", f'import os\n\nAPI_TOKEN = "{TOKEN}"  # of the staging shop\n')
    assert fixed == 'import os\n\nAPI_TOKEN = os.environ["API_TOKEN"]  # of the staging shop\n'


def test_no_fix_where_the_variable_has_no_obvious_name() -> None:
    assert findings("PB925", f'def f(g):\n    g(token="{TOKEN}")  # PB925\n')[0].fix is None
