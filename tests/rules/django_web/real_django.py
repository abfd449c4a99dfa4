"""Runs a program under the installed Django, so that tests can show what a rule claims."""

from __future__ import annotations

import subprocess
import sys
import textwrap

_START = """
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for tests",
    ROOT_URLCONF="__main__",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
)
django.setup()
urlpatterns = []
"""


def run(program: str) -> str:
    """What a program prints after Django was set up; raises `CalledProcessError` when it fails."""
    text = _START + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout
