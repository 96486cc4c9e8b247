"""The smallest project that runs pillows; servers and credentials come from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from flights.listed import PLUGINS

FOLDER = Path(__file__).resolve().parent.parent

SECRET_KEY = "an example is no secret"  # noqa: S105
USE_TZ = True
TIME_ZONE = "UTC"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["pillowtop", "pillowtop.stats", "airports", "flights"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("EXAMPLE_SQLITE", str(FOLDER / "example.sqlite3")),
    }
}

PILLOWTOPS: list[str | dict[str, object]] = [
    "airports.pillows.AirportPillow",
    "airports.pillows.FrenchAirportPillow",
    "flights.pillows.DeparturePillow",
]
PILLOWTOP_STATS = {"PLUGINS": PLUGINS, "ACCESS": "public"}
PILLOWTOP = {
    "COUCHDB_URL": os.environ.get("COUCHDB_URL", "http://localhost:5984"),
    "COUCHDB_USERNAME": os.environ.get("COUCHDB_USERNAME", ""),
    "COUCHDB_PASSWORD": os.environ.get("COUCHDB_PASSWORD", ""),
    "ELASTICSEARCH_URL": os.environ.get("ELASTICSEARCH_URL", "http://localhost:9200"),
    "ELASTICSEARCH_USERNAME": os.environ.get("ELASTICSEARCH_USERNAME", ""),
    "ELASTICSEARCH_PASSWORD": os.environ.get("ELASTICSEARCH_PASSWORD", ""),
    "ELASTICSEARCH_API_KEY": os.environ.get("ELASTICSEARCH_API_KEY", ""),
}
