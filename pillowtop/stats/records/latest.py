"""Rows of which only the latest of each key stays, whichever window it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pillowtop.stats.plugins import Plugin
from pillowtop.stats.records.tables import chunks, remove, replace, rows_of


def keep_latest(kind: type[Plugin], end: datetime, rows: Sequence[Any]) -> None:
    """Have a window hold those of its rows that no later window has, and no earlier one any of
    their keys. Of the rows that it held before, those stay out that it no longer has."""
    newer, older = set(), []
    for row in _standing(kind, {row.category for row in rows}):
        if row.timestamp > end:
            newer.add(_key(row))
        elif row.timestamp < end:
            older.append(row)
    latest = [row for row in rows if _key(row) not in newer]
    keys = set(map(_key, latest))
    remove(kind, (row.pk for row in older if _key(row) in keys))
    replace(kind, {end: latest})


def _standing(kind: type[Plugin], categories: set[str]) -> Iterator[Any]:
    for chunk in chunks(sorted(categories)):
        yield from rows_of(kind).filter(category__in=chunk)


def _key(row: Any) -> tuple[str, str | None]:
    return row.category, row.category_constraint
