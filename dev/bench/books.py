"""Django databases, as entries of `DATABASES`: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev.servers.postgres_database import new_database

POSTGRESQL = "postgresql"

Books = dict[str, Any]


@contextmanager
def new_books(kind: str, folder: Path, postgresql_url: str) -> Iterator[Books]:
    """An empty database, which is gone in the end: `folder` is for the file of SQLite."""
    if kind == POSTGRESQL:
        with new_database(postgresql_url, "pillowtop_bench") as books:
            yield books
        return
    yield {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "bench.sqlite3"),
        "OPTIONS": {"timeout": 30},
    }
