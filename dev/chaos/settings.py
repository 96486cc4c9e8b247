"""The project that the worker of a run lives in: the example's, with short times.

The environment says where the servers, the databases and the clock are, and whether all else is
as it is by default.
"""

from __future__ import annotations

import datetime as dt
import os

import time_machine

from project import settings as example

SECRET_KEY = example.SECRET_KEY
USE_TZ = True
INSTALLED_APPS = example.INSTALLED_APPS
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["CHAOS_SQLITE"],
        "OPTIONS": {"timeout": 1},
    }
}
PLACES = {
    "COUCHDB_URL": os.environ["CHAOS_COUCHDB"],
    "ELASTICSEARCH_URL": os.environ["CHAOS_ELASTICSEARCH"],
}
SHORT = {
    "BATCH_DOCUMENTS": 100,
    "CHECKPOINT_SECONDS": 0.2,
    "REQUEST_SECONDS": 2.0,
    "SILENCE_SECONDS": 2.0,
    "PROBE_SECONDS": 0.1,
    "BACKOFF_SECONDS": 0.5,
    "LEASE_SECONDS": 2.0,
    "STANDBY_SECONDS": 0.3,
    "STORM_SECONDS": 0.5,
    "RETRY_MINUTES": (0.01, 0.02),
    "DRAIN_SECONDS": 3.0,
}
PILLOWTOP = PLACES if "CHAOS_AS_DEFAULT" in os.environ else PLACES | SHORT
PILLOWTOPS = [
    {
        "class": f"dev.chaos.pillows.{name}",
        "options": {
            "couch_db": os.environ["CHAOS_DATABASE"],
            "es_alias": f"{os.environ['CHAOS_DATABASE']}-{name.lower()}",
        },
    }
    for name in ("Everything", "Made", "French")
]

if back := float(os.environ.get("CHAOS_CLOCK_BACK_SECONDS", "0")):
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=back)
    time_machine.travel(earlier, tick=True).start()
