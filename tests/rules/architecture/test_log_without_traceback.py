"""Traps of log-without-traceback, and what logging writes."""

from __future__ import annotations

import logging
import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = "import logging\nimport traceback\nfrom errors import Missing\nlogger = logging.getLogger(__name__)\n"
SILENT = {
    "what a client did wrong, or an error that others log": """
        from fastapi import HTTPException, status
        def f(g, h, code):
            try:
                g(h())
            except Exception as error:
                logger.error("no: %s", error)
                if code == 1:
                    raise HTTPException(400)
                if code == 2:
                    raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED)
                if code == 3:
                    raise HTTPException(code)
                raise Missing from error
    """,
    "an expected error": """
        def f(g):
            try:
                g()
            except (ValueError, Missing) as error:
                logger.error("no: %s", error)
    """,
    "attempts are counted": """
        import time
        def f(g, h):
            retries = 0
            while retries < 3:
                try:
                    return g(h())
                except Exception as error:
                    logger.error("no connection: %s", error)
                    retries += 1
                    time.sleep(2 ** retries)
    """,
    "the class is named": """
        def f(g, h):
            try:
                g(h())
            except Exception as error:
                logger.error(f"no mail: {type(error).__name__}: {error}")
    """,
    "the class is named in a text before": """
        def f(g, h):
            try:
                g(h())
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                logger.error("no mail: %s", reason)
    """,
    "a text of something else": """
        def f(g, h, row):
            try:
                g(h(row))
            except Exception as error:
                reason = f"row {row}"
                logger.error("no mail: %s", reason)
                return error
    """,
    "one parser of the project": """
        def parse_attributes(text):
            return dict(item.split("=") for item in text.split(","))
        def f(text):
            try:
                found = parse_attributes(text)
            except Exception as error:
                logger.error("no attributes: %s", error)
    """,
    "the traceback is there": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error, exc_info=True)
    """,
    "logged elsewhere in the handler": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error)
                logger.debug(traceback.format_exc())
    """,
    "raised again": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error)
                raise
    """,
    "the error is not mentioned": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error("no")
                return error
    """,
    "another level": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.warning("no: %s", error)
    """,
    "no logger of the standard library": """
        def f(g, logger):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error)
    """,
    "in a function of the handler": """
        def f(g):
            try:
                g()
            except Exception as error:
                def later(): logger.error("no: %s", error)
                return later
    """,
    "accepted for another linter": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error)  # noqa: TRY400
    """,
    "one call of a library": """
        import requests
        def f(url):
            try:
                response = requests.post(url, timeout=5)
            except Exception as error:
                logger.error("cannot reach %s: %s", url, error)
    """,
    "arguments from elsewhere": """
        def f(g, options):
            try:
                g()
            except Exception as error:
                logger.error("no: %s", error, **options)
    """,
}
FOUND = {
    "the server's failure, which nobody logs": """
        from fastapi import HTTPException, status
        def f(g, h):
            try:
                g(h())
            except Exception as error:
                logger.error("no: %s", error)  # PB904
                raise HTTPException(status_code=500, detail="no") from error
        def i(g, h):
            try:
                g(h())
            except Exception as error:
                logger.error("no: %s", error)  # PB904
                raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE)
    """,
    "formatted": """
        def f(g):
            try:
                g()
            except Exception as error:
                logger.error(f"no: {error}")  # PB904
    """,
    "a text made before": """
        def f(g, h):
            try:
                g(h())
            except Exception as error:
                reason = "no answer: %s" % error
                text = f"sync failed: {reason}"
                logger.error(text)  # PB904
                return text
    """,
    "the error itself": """
        def f(g):
            try:
                g()
            except (ValueError, Exception) as error:
                logger.error(error)  # PB904
    """,
    "a call of a library and more": """
        import requests
        def f(url):
            try:
                total = requests.get(url, timeout=5).json()["total"]
            except Exception as error:
                logger.error("no: %s", error)  # PB904
        def g(url):
            try:
                response = requests.get(url, timeout=5)
                response.raise_for_status()
            except Exception as error:
                logger.error("no: %s", error)  # PB904
        def h(url, headers):
            try:
                response = requests.get(url, headers["x"])
            except Exception as error:
                logger.error("no: %s", error)  # PB904
    """,
    "by the module": """
        def f(g):
            try:
                g()
            except Exception as error:
                logging.error("no: %s", str(error))  # PB904
    """,
    "a logger of an object": """
        class Job:
            def __init__(self): self.log = logging.getLogger("job")
            def run(self, g):
                try:
                    g()
                except BaseException as error:
                    self.log.error("no: %s", error)  # PB904
    """,
}
CRITICAL = """
    import logging
    def f(g):
        try:
            g()
        except Exception as error:
            logging.critical(
                "no: %s",
                error,
            )
"""
RUFF = {"pyproject.toml": '[tool.ruff.lint]\nselect = ["TRY"]\n'}
ERRORS = {"errors.py": "class Missing(Exception): ...\n"}


def program(body: str) -> str:
    return HEAD + textwrap.dedent(body)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB904", program(source), files=ERRORS)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB904", program(source), files=ERRORS)


def test_left_to_ruff_where_it_looks_for_the_same() -> None:
    findings("PB904", program(FOUND["formatted"]).replace("  # PB904", ""), files={**ERRORS, **RUFF})


def test_fix_writes_the_traceback_at_the_same_level(caplog: pytest.LogCaptureFixture) -> None:
    source = f"import logging\nlogger = logging.getLogger(__name__)\n{textwrap.dedent(FOUND['formatted'])}"
    for text, level in ((source, logging.ERROR), (CRITICAL, logging.CRITICAL)):
        for code, has_traceback in ((text, False), (fix("PB904", text), True)):
            caplog.clear()
            executed(code)["f"](lambda: {}["id"])
            assert [record.levelno for record in caplog.records] == [level]
            assert ("Traceback" in caplog.text) is has_traceback
