from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

RULE = "blocking-sdk-in-async"

FILES = {
    "shop/__init__.py": "",
    "shop/clients.py": """
        import boto3
        from google.cloud import storage
        from openai import AsyncOpenAI, OpenAI
        from slack_sdk import WebClient

        s3 = boto3.client("s3")
        bucket = storage.Client().bucket("invoices")
        model = OpenAI()
        async_model = AsyncOpenAI()
        slack = WebClient(token="token")
    """,
}

FOUND = {
    "clients of another module": """
        from shop.clients import bucket, model, s3, slack

        async def f(key: str):
            s3.head_object(Bucket="invoices", Key=key)  # PB603
            bucket.blob(key).upload_from_string("")  # PB603
            model.chat.completions.create(model="gpt-5", messages=[])  # PB603
            slack.chat_postMessage(channel="orders", text=key)  # PB603
    """,
    "one finding for what is done with one library": """
        import smtplib

        async def f(message):
            with smtplib.SMTP("mail") as server:  # PB603
                server.starttls()
                server.send_message(message)
    """,
    "classes of a payment service": """
        import stripe

        async def f(number: str):
            stripe.PaymentIntent.create(amount=1, currency="eur")  # PB603
    """,
    "checkout": """
        import stripe

        async def f(number: str):
            return stripe.checkout.Session.retrieve(number)  # PB603
    """,
    "annotated parameter": """
        from twilio.rest import Client

        async def f(client: Client, to: str):
            client.messages.create(to=to, body="")  # PB603
    """,
}

SILENT = {
    "asynchronous twins": """
        import stripe

        from shop.clients import async_model

        async def f():
            await stripe.PaymentIntent.create_async(amount=1, currency="eur")
            await async_model.responses.create(model="gpt-5", input="")
    """,
    "made without a request": """
        import boto3

        from shop.clients import bucket, s3

        async def f(key: str):
            boto3.client("sqs")
            s3.generate_presigned_url("get_object", Params={})
            return bucket.blob(key)
    """,
    "webhook that is only checked": """
        import stripe

        async def f(payload: bytes, signature: str):
            return stripe.Webhook.construct_event(payload, signature, "secret")
    """,
    "in a thread": """
        import asyncio

        from shop.clients import s3

        async def f(key: str):
            await asyncio.to_thread(s3.head_object, Bucket="invoices", Key=key)
    """,
    "name of the machine itself": """
        import socket

        async def f():
            name = socket.gethostname()
            return socket.gethostbyname(name), socket.gethostbyname(socket.gethostname())
    """,
    "unknown client": """
        async def f(client, key: str):
            client.head_object(Bucket="invoices", Key=key)
            client.chat.completions.create(model="gpt-5")
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


FIXED = {
    "plain arguments": (
        "import asyncio\n\nfrom shop.clients import s3\n\n\nasync def f(key: str) -> None:\n"
        "    s3.head_object(Bucket='a', Key=key)\n",
        "import asyncio\n\nfrom shop.clients import s3\n\n\nasync def f(key: str) -> None:\n"
        "    await asyncio.to_thread(s3.head_object, Bucket='a', Key=key)\n",
    ),
    "argument of unknown type": (
        "from shop.clients import s3\n\n\nasync def f(key) -> None:\n    s3.head_object(Key=key)\n",
        None,
    ),
    "connection that is made": (
        "import smtplib\n\n\nasync def f(host: str) -> None:\n    server = smtplib.SMTP(host)\n",
        None,
    ),
    "in a lambda": (
        "from shop.clients import s3\n\n\nasync def f() -> None:\n    print([s3.head_object() for _ in 'a'])\n",
        None,
    ),
}


@pytest.mark.parametrize(("source", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(source: str, expected: str | None) -> None:
    assert fix(RULE, source, files=FILES) == (expected or source)
