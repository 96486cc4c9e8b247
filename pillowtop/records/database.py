"""Which Django database keeps the records."""

from __future__ import annotations

from django.db import connections

from pillowtop.conf import configuration


def alias() -> str:
    return configuration().DATABASE


def tables_are_made() -> bool:
    """Whether `migrate` has been run."""
    return "pillowtop_pillowrecord" in connections[alias()].introspection.table_names()


def storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database takes half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
