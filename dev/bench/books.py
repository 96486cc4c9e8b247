"""Django databases, as entries of `DATABASES`: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from urllib3.util import parse_url

POSTGRESQL = "postgresql"

Books = dict[str, Any]


@contextmanager
def new_books(kind: str, folder: Path, postgresql_url: str) -> Iterator[Books]:
    """An empty database, which is gone in the end: `folder` is for the file of SQLite."""
    if kind == POSTGRESQL:
        with _new_postgresql(postgresql_url) as books:
            yield books
        return
    yield {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "bench.sqlite3"),
        "OPTIONS": {"timeout": 30},
    }


@contextmanager
def _new_postgresql(server: str) -> Iterator[Books]:
    name = f"pillowtop_bench_{secrets.token_hex(4)}"
    url = parse_url(server)
    user, _, password = (url.auth or "postgres").partition(":")
    with psycopg.connect(f"{server.rstrip('/')}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "HOST": url.host,
                "PORT": url.port,
                "USER": user,
                "PASSWORD": password,
            }
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
