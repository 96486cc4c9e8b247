"""The Django settings of the tests."""

from __future__ import annotations

import os

SECRET_KEY = "tests"
INSTALLED_APPS = ["pillowtop", "pillowtop.stats"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("PILLOWTOP_TEST_SQLITE", ":memory:"),
    }
}
USE_TZ = True
PILLOWTOPS: list[str] = []
PILLOWTOP: dict[str, object] = {}
