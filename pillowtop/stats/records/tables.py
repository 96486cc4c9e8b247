"""The rows of a statistic."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from pillowtop.records.database import alias
from pillowtop.stats.plugins import Plugin


def rows_of(kind: type[Plugin]) -> QuerySet[Any]:
    """All rows of a statistic, in the database that pillowtop writes to."""
    rows: QuerySet[Any] = kind.model.objects.using(alias()).filter(statistic=kind.ident())
    return rows


def replace(kind: type[Plugin], end: datetime, rows: Sequence[Any]) -> None:
    """Have a window hold these rows. One with the key of a row that stood there keeps its id, so
    that whoever turns pages meets it once; of several with one key each does, in their order."""
    standing: defaultdict[tuple[Any, ...], deque[Any]] = defaultdict(deque)
    for row in rows_of(kind).filter(timestamp=end).order_by("pk"):
        standing[_key(row)].append(row)
    added = []
    for row in rows:
        same = standing[_key(row)]  # there may be several, as in a log
        if not same:
            added.append(row)
            continue
        before = same.popleft()
        if _values(before) != _values(row):
            row.pk = before.pk
            row.save(using=alias(), force_update=True)
    if left := [row.pk for rows in standing.values() for row in rows]:
        rows_of(kind).filter(pk__in=left).delete()
    kind.model.objects.using(alias()).bulk_create(added)


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in row.key_columns)


def _values(row: Any) -> list[Any]:
    return [getattr(row, one.attname) for one in row._meta.concrete_fields if not one.primary_key]  # noqa: SLF001
