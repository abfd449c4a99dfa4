from __future__ import annotations

import asyncio
import time

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "cpu-bound-in-async"

FOUND = {
    "passwords": """
        import hashlib

        import bcrypt
        from argon2 import PasswordHasher
        from django.contrib.auth.hashers import make_password
        from passlib.context import CryptContext

        context = CryptContext(schemes=["bcrypt"])

        async def f(password: str):
            bcrypt.hashpw(password.encode(), bcrypt.gensalt())  # PB606
            PasswordHasher().hash(password)  # PB606
            make_password(password)  # PB606
            context.verify(password, "stored")  # PB606
            hashlib.pbkdf2_hmac("sha256", b"", b"", 600_000)  # PB606
    """,
    "tables and keys": """
        import pandas as pd
        from cryptography.hazmat.primitives.asymmetric import rsa

        async def f(path: str):
            pd.read_csv(path)  # PB606
            rsa.generate_private_key(public_exponent=65537, key_size=4096)  # PB606
    """,
    "images and archives": """
        import zipfile

        from PIL import Image

        async def f(path: str):
            image = Image.open(path).convert("RGB")  # PB606
            image.thumbnail((64, 64))  # PB606
            with zipfile.ZipFile(path) as archive:
                archive.extractall("/srv")  # PB606
    """,
}

SILENT = {
    "fast hashes": """
        import hashlib
        import secrets

        async def f(content: bytes):
            hashlib.pbkdf2_hmac("sha256", content, b"", 1000)
            return hashlib.sha256(content).hexdigest(), secrets.token_urlsafe()
    """,
    "in a thread": """
        import asyncio

        import bcrypt

        async def f(password: bytes):
            return await asyncio.to_thread(bcrypt.hashpw, password, bcrypt.gensalt())
    """,
    "plain function": """
        import bcrypt

        def f(password: bytes):
            return bcrypt.hashpw(password, bcrypt.gensalt())
    """,
    "images that are only opened": """
        from PIL import Image

        async def f(path: str):
            return Image.open(path).size
    """,
    "first administrator at start-up": """
        import bcrypt

        async def lifespan(app):
            bcrypt.hashpw(b"admin", bcrypt.gensalt())
            yield
    """,
    "method of the same name": """
        async def f(image, hasher):
            image.resize((1, 1))
            return hasher.verify("a", "b")
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source) == []


def test_images_get_no_fix() -> None:
    source = "from PIL import Image\n\n\nasync def f(image: Image.Image) -> None:\n    image.resize((1, 1))\n"
    assert fix(RULE, source) == source


def test_the_event_loop_stands_still_while_a_password_is_hashed() -> None:
    names = executed(
        """
        import asyncio
        import hashlib

        async def bad():
            hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 600_000)

        async def good():
            await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", b"password", b"salt", 600_000)
        """
    )

    async def beats(name: str) -> tuple[int, float]:
        count = 0

        async def heartbeat() -> None:
            nonlocal count
            while True:
                await asyncio.sleep(0.005)
                count += 1

        task = asyncio.create_task(heartbeat())
        before = time.perf_counter()
        await names[name]()
        task.cancel()
        return count, time.perf_counter() - before

    assert asyncio.run(beats("bad"))[0] == 0
    assert asyncio.run(beats("good"))[0] > 0
