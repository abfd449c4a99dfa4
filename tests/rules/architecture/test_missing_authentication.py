"""Traps of missing-authentication."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings

ORDERS = """
from fastapi import APIRouter, Depends
from security import current_user
router = APIRouter(dependencies=[Depends(current_user)])
""" + "\n".join(f"@router.post('/{number}')\ndef create_{number}(): ..." for number in range(9))
FILES = {
    "guards.py": "from fastapi import Depends\nfrom security import strict\nguards = [Depends(strict)]\n",
    "security.py": """
        from fastapi import Depends, Header, HTTPException, status
        from fastapi.security import HTTPBearer
        class Refused(HTTPException): ...
        bearer = HTTPBearer()
        def current_user(name: str = ""): return name
        def strict(value: str = Header()):
            refuse(value)
        def refuse(value):
            if not value:
                raise HTTPException(status.HTTP_401_UNAUTHORIZED)
        def plain(page: int = 1): return page
    """,
    "orders.py": ORDERS,
}
HEAD = """
import library
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from security import bearer, current_user, plain, refuse, strict
router = APIRouter()
"""
FOUND = {
    "nothing at all": "@router.post('/stock')  # PB938\ndef change(number: int): ...",
    "a dependency that checks nothing": "@router.put('/stock')  # PB938\ndef change(page=Depends(plain)): ...",
    "another error": (
        "@router.delete('/stock')  # PB938\ndef change(number: int):\n    raise HTTPException(status_code=404)"
    ),
}
SILENT = {
    "a list of another file": (
        "from guards import guards\n@router.post('/stock', dependencies=guards)\ndef change(): ..."
    ),
    "it reads": "@router.get('/stock')\ndef read(): ...",
    "a check by name": "@router.post('/stock')\ndef change(user=Depends(current_user)): ...",
    "a check that raises through another function": "@router.post('/stock')\ndef change(x=Depends(strict)): ...",
    "a scheme": "@router.post('/stock')\ndef change(x=Depends(bearer)): ...",
    "a check of the registration": "@router.post('/stock', dependencies=[Depends(strict)])\ndef change(): ...",
    "a check in the body": "@router.post('/stock')\ndef change(x: str):\n    refuse(x)",
    "a check in the body by name": "@router.post('/stock')\ndef change(x: str):\n    library.authenticate(x)",
    "an unknown dependency": "@router.post('/stock')\ndef change(x=Depends(library.other)): ...",
    "an unknown decorator": "@router.post('/stock')\n@library.wrapped\ndef change(): ...",
    "a public route": "@router.post('/login')\ndef enter(): ...",
    "a public name": "@router.post('/x')\ndef stripe_webhook(): ...",
    "a check at the include": (
        "app = FastAPI()\n@router.post('/stock')\ndef change(): ...\n"
        "app.include_router(router, dependencies=[Depends(strict)])"
    ),
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND)
def test_found(code: str) -> None:
    (found,) = findings("PB938", HEAD + code, files=FILES)
    assert found.related[0].path.endswith("orders.py")


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB938", HEAD + code, files=FILES) == []


BARE = HEAD + FOUND["nothing at all"].replace("  # PB938", "")


def test_where_few_routes_have_a_check() -> None:
    plain = ORDERS.replace("dependencies=[Depends(current_user)]", "")
    assert findings("PB938", BARE, files={**FILES, "orders.py": plain}) == []
    several = {f"more{number}.py": BARE for number in range(6)}
    assert findings("PB938", BARE, files={**FILES, **several}) == []


def test_a_service_of_its_own() -> None:
    service = BARE + "".join(f"\n@router.put('/s{number}')\ndef put_{number}(): ..." for number in range(12))
    assert findings("PB938", service, files=FILES, path="stock/main.py") == []


def test_checks_in_a_list_of_another_file() -> None:
    orders = ORDERS.replace("dependencies=[Depends(current_user)]", "dependencies=[*guards]")
    files = {
        **FILES,
        "orders.py": orders.replace("import current_user", "import current_user\nfrom guards import guards"),
    }
    findings("PB938", HEAD + FOUND["nothing at all"], files=files)


def test_public_folders_but_not_the_one_of_all_routes() -> None:
    files = {
        f"authserver/{name}": text.replace("from security", "from authserver.security")
        for name, text in FILES.items()
    }
    bare = HEAD.replace("from security", "from authserver.security") + FOUND["nothing at all"]
    findings("PB938", bare, files=files, path="authserver/stock.py")
    silent = bare.replace("  # PB938", "")
    assert findings("PB938", silent, files=files, path="authserver/public/stock.py") == []


MIDDLEWARE = {
    "by name": "from fastapi import FastAPI\nimport library\napp = FastAPI()\napp.add_middleware(library.AuthMiddleware)\n",
    "by its answer": """
        from starlette.middleware.base import BaseHTTPMiddleware
        from starlette.responses import Response
        class Gate(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                return Response(status_code=401) if "x" not in request.headers else await call_next(request)
    """,
    "by a decorator": """
        from fastapi import FastAPI, Response
        app = FastAPI()
        @app.middleware("http")
        async def gate(request, call_next):
            return Response(status_code=403) if "x" not in request.headers else await call_next(request)
    """,
}


@pytest.mark.parametrize("text", MIDDLEWARE.values(), ids=MIDDLEWARE)
def test_middleware_that_checks_clients(text: str) -> None:
    assert findings("PB938", BARE, files={**FILES, "app.py": text}) == []


def test_other_middleware() -> None:
    text = (
        "from fastapi import FastAPI\nfrom starlette.middleware.gzip import GZipMiddleware\napp = FastAPI()\n"
    )
    text += "app.add_middleware(GZipMiddleware)\n"
    findings("PB938", HEAD + FOUND["nothing at all"], files={**FILES, "app.py": text})


def test_another_service_of_the_project_is_no_example() -> None:
    service = BARE.replace("router = APIRouter()", "router = APIRouter()\napp = FastAPI()")
    files = {f"server/{name}": text for name, text in FILES.items()}
    assert findings("PB938", service, files=files, path="safety/main.py") == []
    assert findings("PB938", service, files={"main.py": service, **files}, path="safety/main.py") == []
