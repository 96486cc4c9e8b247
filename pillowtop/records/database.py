"""Which Django database keeps the records."""

from __future__ import annotations

import sqlite3

from django.db import connections

from pillowtop.conf import configuration


def alias() -> str:
    return configuration().DATABASE


def tables_are_made() -> bool:
    """Whether `migrate` has been run."""
    return "pillowtop_pillowrecord" in connections[alias()].introspection.table_names()


def is_full(error: BaseException) -> bool:
    """Whether a database says that its disk is full, or that it has run out of something else.

    Source: https://www.postgresql.org/docs/current/errcodes-appendix.html (class 53)
    """
    cause = error.__cause__  # the driver's own
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return str(getattr(cause, "sqlstate", None)).startswith("53")


def storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database takes half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
