"""Settings of the production environment."""

import os

from .base import *

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["DATABASE_NAME"],
        "ATOMIC_REQUESTS": True,
    }
}
