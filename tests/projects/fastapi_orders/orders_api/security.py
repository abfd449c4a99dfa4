"""Who may do what."""

import hmac
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from orders_api.store import StoreDep

bearer = OAuth2PasswordBearer(tokenUrl="/token")


class User:
    def __init__(self, name: str) -> None:
        self.name = name


def current_user(scopes: SecurityScopes, store: StoreDep, token: Annotated[str, Depends(bearer)]) -> User:
    if scopes.scopes and not store.orders:
        raise HTTPException(403)
    return User(token)


CurrentUser = Annotated[User, Depends(current_user)]
Auditor = Annotated[User, Security(current_user, scopes=["audit"])]


class Allowed:
    """Lets only some users pass."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, user: CurrentUser) -> User:
        if user.name not in self.names:
            raise HTTPException(403)
        return user


async def signed(request: Request, x_signature: Annotated[str, Header()]) -> None:
    wanted = hmac.new(b"key", await request.body(), sha256).hexdigest()
    if not hmac.compare_digest(wanted, x_signature):
        raise HTTPException(401)


def trace(x_request_id: Annotated[str | None, Header()] = None) -> str | None:
    return x_request_id
