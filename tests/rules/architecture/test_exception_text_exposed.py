"""Traps of exception-text-exposed, and what a client reads."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

HEAD = """
import json, logging, traceback
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from unknown import parse
app = FastAPI()
logger = logging.getLogger(__name__)
DEBUG = False
class ShopError(Exception): ...
def run(): ...
"""
SILENT = {
    "a designed error": """
        def a():
            try:
                return run()
            except ShopError as error:
                raise HTTPException(400, detail=str(error))
    """,
    "one call of a library": """
        def a(text):
            try:
                return parse(text)
            except Exception as error:
                raise HTTPException(400, detail=f"not valid: {error}")
    """,
    "one model read from the input": """
        class Setup:
            @classmethod
            def from_dict(cls, values): ...
        @app.post("/setup")
        def a(values: dict):
            try:
                setup = Setup.from_dict(values)
            except Exception as error:
                raise HTTPException(400, detail=f"not valid: {error}")
    """,
    "for those who run the server": """
        from fastapi import Depends
        def admin_only(): ...
        @app.post("/dns", dependencies=[Depends(admin_only)])
        def a():
            try:
                return run() + run()
            except Exception as error:
                raise HTTPException(500, detail=str(error))
    """,
    "one check of the project": """
        def validate_name(name):
            if not name:
                raise Exception("give a name")

        def a(name):
            try:
                validate_name(name)
            except Exception as error:
                raise HTTPException(400, detail=str(error))
    """,
    "only the class": """
        def a():
            try:
                return run()
            except Exception as error:
                raise HTTPException(500, detail=type(error).__name__) from error
    """,
    "logged, not sent": """
        def a():
            try:
                return run()
            except Exception as error:
                logger.error("failed: %s", error)
                raise HTTPException(500, detail="failed") from error
    """,
    "while debugging": """
        def a():
            try:
                return run()
            except Exception as error:
                return JSONResponse({"error": str(error) if DEBUG else "failed"}, 500)
    """,
    "no answer": """
        def a():
            try:
                return run()
            except Exception as error:
                return {"error": str(error)}
    """,
    "chosen by what the text says": """
        def a():
            try:
                return run()
            except Exception as error:
                text = str(error)
                if "timeout" in text:
                    raise HTTPException(504, detail=text)
                raise
    """,
}
SILENT |= {
    "the application's handler of a designed error": """
        @app.exception_handler(ShopError)
        async def answer(request, error):
            return JSONResponse({"error": str(error)}, 400)
    """,
    "the application's handler of some errors": """
        @app.exception_handler(Exception)
        async def answer(request, error):
            logger.error("failed: %s", error)
            if isinstance(error, ShopError):
                return JSONResponse({"error": str(error)}, 400)
            return JSONResponse({"error": "failed"}, 500)
    """,
    "a function that no application calls": """
        async def answer(request, error):
            return JSONResponse({"error": str(error)}, 400)
    """,
}
FOUND = {
    "the application's handler of any error": """
        @app.exception_handler(Exception)
        async def answer(request, error):
            return JSONResponse({"error": str(error)}, 500)  # PB912
    """,
    "a handler that is added": """
        async def answer(request, error: Exception):
            message = f"failed: {error}"  # PB912
            return JSONResponse({"error": message}, 500)

        app.add_exception_handler(Exception, answer)
    """,
    "Flask's handler": """
        from flask import Flask

        pages = Flask("shop")

        @pages.errorhandler(Exception)
        def answer(error):
            return {"error": repr(error)}, 500  # PB912
    """,
    "a class of views": """
        from flask.views import MethodView

        class Orders(MethodView):
            def get(self, number):
                try:
                    return self.find(number)
                except Exception as error:
                    return {"error": str(error)}, 500  # PB912

            def find(self, number):
                try:
                    return run(number)
                except Exception as error:
                    return {"error": str(error)}
    """,
    "around what a decorator was given": """
        def guarded(view):
            def inner(*args):
                try:
                    return view(*args)
                except Exception as error:
                    raise HTTPException(500, detail={"error": str(error)})  # PB912
            return inner
    """,
    "any error": """
        def a():
            try:
                return run()
            except Exception as error:
                raise HTTPException(500, detail=str(error))  # PB912
    """,
    "an error of the database": """
        def a(session):
            try:
                session.add(run())
                session.commit()
            except SQLAlchemyError as error:
                return JSONResponse({"error": f"{error}"}, 500)  # PB912
    """,
    "one call of the database": """
        def a(session: Session):
            try:
                session.flush()
            except Exception as error:
                raise HTTPException(500, detail=f"failed: {error}")  # PB912
    """,
    "the traceback": """
        def a():
            try:
                return run()
            except Exception:
                return JSONResponse({"error": traceback.format_exc()}, 500)  # PB912
    """,
    "what a route returns": """
        @app.get("/a")
        def a():
            try:
                return run()
            except Exception as error:
                return {"error": str(error)}  # PB912
    """,
    "kept in a name": """
        def a():
            try:
                return run()
            except Exception as error:
                message = "failed: " + str(error)  # PB912
                raise HTTPException(500, detail=message)
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB912", HEAD + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB912", HEAD + textwrap.dedent(FOUND[name]))


def test_the_client_reads_the_statement() -> None:
    answered = executed(
        """
        import sqlalchemy as sa
        from fastapi import HTTPException

        def order(engine):
            try:
                with engine.begin() as connection:
                    connection.execute(sa.text("INSERT INTO card VALUES (:number)"), {"number": "4111-secret"})
            except Exception as error:
                return HTTPException(500, detail=str(error)).detail
        """
    )["order"]
    import sqlalchemy as sa

    assert "4111-secret" in answered(sa.create_engine("sqlite://"))
