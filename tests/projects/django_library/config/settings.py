"""Settings of the library."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ROOT_URLCONF = "config.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "members",
    "books",
    "loans",
    "desk",
]
AUTH_USER_MODEL = "members.Member"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "library"}}
