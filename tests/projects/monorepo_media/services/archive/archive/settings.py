"""Settings of the archive."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = ["app"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "archive"}}
