"""Rule PB926: jwt-not-verified."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import jwt
from pybackend_lint.rule import Context, rule


@rule(
    "PB926",
    "jwt-not-verified",
    "Verify the signature: `{option}` accepts a token that anybody can write",
    nodes=(ast.Call,),
    names=("decode", "decode_complete", "get_unverified_claims"),
    words=("jwt",),
    severity="error",
    tags=("security",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The claims of a token decide who the user is, and nobody checked who signed the token.

    ## Why
    A JWT is text that anybody can write. With `verify_signature` off, PyJWT and python-jose return
    whatever stands in it; PyJWT then skips the checks of expiry and audience too. A client that sends
    `{"sub": "1"}` in a token of its own making is logged in as user 1.

    ## Bad
    ```python check file=shop/tokens.py
    import jwt


    def read_claims(token: str) -> dict[str, str]:
        return jwt.decode(token, options={"verify_signature": False})
    ```
    ```python file=shop/session.py
    from shop.tokens import read_claims


    def current_user_id(token: str) -> int:
        claims = read_claims(token)
        return int(claims["sub"])
    ```

    ## Good
    ```python check file=shop/tokens.py
    import jwt

    from shop.keys import PUBLIC_KEY


    def read_claims(token: str) -> dict[str, str]:
        return jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"])
    ```

    ## Not reported
    ```python
    import jwt

    from shop.keys import key_of


    def current_user_id(token: str) -> int:
        peeked = jwt.decode(token, options={"verify_signature": False})
        claims = jwt.decode(token, key_of(peeked["iss"]), algorithms=["RS256"])  # verified after the peek
        return int(claims["sub"])


    def seconds_left(token: str, now: int) -> int:
        return int(jwt.decode(token, options={"verify_signature": False})["exp"]) - now
    ```
    Only claims that name a user or a permission count, and only while nothing else in the function is
    handed the same token.

    ## When not to use it
    Behind a gateway that verifies every token before the service sees it.

    ## References
    - PyJWT documentation, "Reading the Claimset without Validation"
    - RFC 8725, "JSON Web Token Best Current Practices"
    """
    is_old = ctx.project.satisfies("pyjwt<2", "upper")
    found = jwt.unverified(node, ctx.module, old_pyjwt=is_old)
    if found is not None:
        trusted = jwt.trusted_claim(node, found.token, ctx.module)
        if trusted is not None:
            yield ctx.finding(node, option=found.option, related=(trusted,))
        return
    ignored = jwt.ignored_verify(node, ctx.module)
    if ignored is not None and ctx.project.satisfies("pyjwt>=2", "lower"):
        yield ctx.finding(ignored, message="Remove `verify=False`: PyJWT 2 ignores it and verifies the token")
