"""When the connections of a thread to Django's databases have had their time."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

KEPT_SECONDS = 60.0
"""For so long connections are kept that Django would close behind each request."""

_files = threading.local()
"""Which file SQLite has opened, for each connection of the thread."""


def close_what_is_over() -> None:
    """Close connections that have failed or are old: they are opened again where they are used.

    Django does so between requests, and by default with each one. Here it would be many a second.
    """
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            continue
        if connection.errors_occurred or _is_old(connection) or _has_lost_its_file(connection):
            connection.close()


def _is_old(connection: BaseDatabaseWrapper) -> bool:
    kept = 0.0 if connection.settings_dict["CONN_MAX_AGE"] else KEPT_SECONDS
    return connection.close_at is not None and time.monotonic() > connection.close_at + kept


def _has_lost_its_file(connection: BaseDatabaseWrapper) -> bool:
    """Whether another file stands by now where SQLite's was: what is written would be lost."""
    if connection.vendor != "sqlite":
        return False
    path = connection.settings_dict["NAME"]
    # Looked at before it is opened: one that is put there in between is found the next time.
    file = _identity_of(path)
    known = vars(_files).get(connection.alias)
    setattr(_files, connection.alias, file)
    return connection.connection is not None and file != known


def _identity_of(path: Any) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except (OSError, TypeError, ValueError):
        return None
    return found.st_dev, found.st_ino
