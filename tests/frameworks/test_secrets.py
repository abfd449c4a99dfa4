"""Which texts count as secrets."""

from __future__ import annotations

import secrets as random_secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybackend_lint.frameworks import secrets

# Put together here, so that no scanner takes this file for a leak.
LETTERS = "q7Xw2Lr9Tz4Kc8Vb3Nm6Hj5Gd1Fs0PyQeRtYu"
KEYS = {
    "an AWS access key": "AKIA" + "QZ7XW2LRTZ4KCVB3",
    "a Stripe key": "sk_live_" + LETTERS[:24],
    "a GitHub token": "ghp_" + LETTERS[:36],
    "a GitLab token": "glpat-" + LETTERS[:20],
    "a Slack token": "xoxb-" + "482910573846-" + LETTERS[:24],
    "a Slack webhook": "https://hooks.slack.com/services/T0" + "QZ7XW2L/B0RTZ4KCV/" + LETTERS[:24],
    "a Google API key": "AIza" + LETTERS[:35],
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow" + LETTERS * 4 + "\n",
    "a signed token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIiwibmFtZSI6IkEifQ." + LETTERS,
}
NO_KEYS = [
    "AKIAIOSFODNN7EXAMPLE",
    "AKIA" + "A" * 16,
    "sk_live_",
    "xoxb-valid",
    "xoxb-your-token-goes-here-123",
    "ghp_" + "x" * 36,
    "-----BEGIN PRIVATE KEY-----",
    "eyJ",
    "the prefix is sk-",
]


@pytest.mark.parametrize("what", KEYS)
def test_known_formats(what: str) -> None:
    assert secrets.known_format(f"key: {KEYS[what]}") == what


@pytest.mark.parametrize("text", NO_KEYS)
def test_examples_and_prefixes_are_no_keys(text: str) -> None:
    assert secrets.known_format(text) is None


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://loader:Kf83mQz1vP@db.shop.io/stock", "Kf83mQz1vP"),
        ("amqps://app:hunter22x@mq.eu.shop.io:5671//", "hunter22x"),
        ("postgres://saleor:saleor@db.shop.io/saleor", None),
        ("postgresql://user:Kf83mQz1vP@localhost:5432/db", None),
        ("postgresql://user:Kf83mQz1vP@db/stock", None),
        ("redis://:Kf83mQz1vP@127.0.0.1/0", None),
        ("https://user:Kf83mQz1vP@api.example.com/", None),
        ("https://user:token@shop.io/", None),
        ("postgresql://{user}:{password}@db.shop.io/stock", None),
        ("https://shop.io:8443/a@b", None),
    ],
)
def test_passwords_in_urls(url: str, password: str | None) -> None:
    assert secrets.url_password(url) == password


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("password", True), ("DB_PASSWORD", True), ("apiKey", True), ("api-key", True), ("clientSecret", True),
        ("SECRET_KEY", True), ("accessToken", True), ("password_field", False), ("token_url", False),
        ("max_tokens", False), ("tokenizer", False), ("primary_key", False), ("cache_key", False), ("key", False),
    ],
)  # fmt: skip
def test_names(name: str, expected: bool) -> None:
    assert secrets.is_secret_name(name) is expected


@pytest.mark.parametrize(
    "text",
    ["changeme1", "your-token-1", "oauth2_leaked_token", "<token1>", "${TOKEN1}", "user_password2", "aaaaaaa1",
     "/etc/token1", "dev-api-key-123", "pk_live9f2c81d07be3", "short1", "a text with spaces 1", "Content-Type2"],
)  # fmt: skip
def test_words_and_placeholders_do_not_look_random(text: str) -> None:
    assert not secrets.looks_random(text)


def test_generated_passwords_look_random() -> None:
    made = [random_secrets.token_hex(16) for _ in range(300)]
    assert sum(map(secrets.looks_random, made)) > 280


@given(st.text(alphabet=string.printable, max_size=60))
def test_any_text_can_be_judged(text: str) -> None:
    assert secrets.known_format(text) is None or len(text) > 16
    assert 0 <= secrets.entropy(text) <= 7
    secrets.url_password(text)
    secrets.looks_random(text)
