"""Traps of jwt-not-verified, and what PyJWT does with a forged token."""

from __future__ import annotations

import warnings

import jwt
import pytest

from tests.rules.harness import findings

SILENT = {
    "a constant from the environment": """
        import os
        from jose import jwt
        VERIFY = os.environ["VERIFY"] != "no"
        def user(token, key):
            claims = jwt.decode(token, key, options={"verify_signature": VERIFY})
            return claims.get("sub")
    """,
    "verified": """
        import jwt
        def user_id(token, key):
            return jwt.decode(token, key, algorithms=["HS256"])["sub"]
    """,
    "verified after the peek": """
        import jwt
        def user_id(token, keys):
            peeked = jwt.decode(token, options={"verify_signature": False})
            claims = jwt.decode(token, keys[peeked["sub"]], algorithms=["HS256"])
            return claims["sub"]
    """,
    "the same token is handed to something that may verify it": """
        import jwt
        def user_id(token, provider):
            provider.userinfo(token)
            return jwt.decode(token, options={"verify_signature": False})["sub"]
    """,
    "only the expiry is read": """
        import jwt
        def left(token):
            claims = jwt.decode(token, options={"verify_signature": False})
            return claims.get("exp") or claims["iat"]
    """,
    "the issuer selects the key": """
        import jwt
        def issuer(token):
            return jwt.decode(token, options={"verify_signature": False}).get("iss")
    """,
    "the header only": """
        import jwt
        def key_id(token):
            return jwt.get_unverified_header(token)["sub"]
    """,
    "expiry is not checked, the signature is": """
        import jwt
        def user_id(token, key):
            return jwt.decode(token, key, algorithms=["HS256"], options={"verify_exp": False})["sub"]
    """,
    "a caller verifies": """
        import jwt
        def peek(token):
            return jwt.decode(token, options={"verify_signature": False})
        def user_id(token, verifier):
            claims = peek(token)
            verifier.check(token)
            return claims["sub"]
    """,
    "what the option is is decided at run time": """
        import jwt
        def user_id(token, settings):
            return jwt.decode(token, options={"verify_signature": settings.VERIFY})["sub"]
    """,
    "a project module of this name": """
        from tokens import decode
        def user_id(token):
            return decode(token, options={"verify_signature": False})["sub"]
    """,
    "the name was bound again": """
        import jwt
        def user_id(token, load):
            claims = jwt.decode(token, options={"verify_signature": False})
            claims = load(claims["jti"])
            return claims["sub"]
    """,
}
FOUND = {
    "a constant that is false": """
        from jose import jwt
        VERIFY = False
        def user(token, key):
            claims = jwt.decode(token, key, options={"verify_signature": VERIFY})  # PB926
            return claims.get("sub")
    """,
    "by position": """
        import jwt
        def user_id(token, key):
            return jwt.decode(token, key, ["HS256"], {"verify_signature": False})["sub"]  # PB926
    """,
    "options in a constant of another module": """
        import jwt
        from options import LAX
        def user_id(request):
            token = request.headers["Authorization"].split()[1]
            claims = jwt.decode(token, options=LAX)  # PB926
            return claims.get("sub")
    """,
    "python-jose": """
        from jose import jwt
        def is_admin(token):
            claims = jwt.get_unverified_claims(token)  # PB926
            return "admin" in claims["roles"]
    """,
    "python-jose with options": """
        from jose import jwt
        def is_admin(token, key):
            return jwt.decode(token, key, options=dict(verify_signature=False))["role"]  # PB926
    """,
    "all claims make the user": """
        from jwt import decode
        def user(token, User):
            claims = decode(token, options={"verify_signature": False})  # PB926
            return User(**claims)
    """,
    "two functions away": """
        import jwt
        def claims_of(token):
            return jwt.decode(token, options={"verify_signature": False})  # PB926
        def payload_of(header):
            return claims_of(header.removeprefix("Bearer "))
        def user_id(header):
            return payload_of(header)["sub"]
    """,
}
OPTIONS = {
    "options.py": 'LAX = {"verify_signature": False}\n',
    "tokens.py": "def decode(token, options): ...\n",
}
PYJWT_2 = {"pyproject.toml": '[project]\nname = "shop"\ndependencies = ["pyjwt>=2.8"]\n'}
PYJWT_1 = {"pyproject.toml": '[project]\nname = "shop"\ndependencies = ["pyjwt<2"]\n'}
IGNORED = """
    import jwt
    def user_id(token, key):
        return jwt.decode(token, key, verify=False)["sub"]  # PB926
"""


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB926", source, files=OPTIONS)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB926", source, files=OPTIONS)[0].related


def test_verify_argument_depends_on_the_version() -> None:
    assert "ignores" in findings("PB926", IGNORED, files=PYJWT_2)[0].message
    assert "anybody" in findings("PB926", IGNORED, files=PYJWT_1)[0].message


def test_pyjwt_accepts_a_forged_and_expired_token_only_with_the_option() -> None:
    key, forged = "k" * 32, jwt.encode({"sub": "1", "exp": 1}, "f" * 32)
    assert jwt.decode(forged, options={"verify_signature": False})["sub"] == "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(forged, key, algorithms=["HS256"], verify=False)
