"""New databases of a PostgreSQL server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from urllib3.util import parse_url


@contextmanager
def new_database(server: str, prefix: str) -> Iterator[dict[str, Any]]:
    """An empty database, as an entry of Django's `DATABASES`; it is gone in the end."""
    name = f"{prefix}_{secrets.token_hex(8)}"
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
