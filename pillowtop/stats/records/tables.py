"""The rows of a statistic."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from pillowtop.records.database import alias
from pillowtop.stats.plugins import Plugin

CHUNK = 500


def rows_of(kind: type[Plugin]) -> QuerySet[Any]:
    """All rows of a statistic, in the database that pillowtop writes to."""
    rows: QuerySet[Any] = kind.model.objects.using(alias()).filter(statistic=kind.ident())
    return rows


def replace(kind: type[Plugin], windows: Mapping[datetime, Sequence[Any]]) -> None:
    """Have windows hold these rows, by their ends.

    One with the key of a row that stood there keeps its id, so that whoever turns pages meets it
    once; of several with one key each does, in their order.
    """
    there = rows_of(kind).filter(timestamp__in=list(windows)).order_by("pk")
    rows = list(chain.from_iterable(windows.values()))
    try:
        with transaction.atomic(using=alias()):
            _change(kind, there, rows)
    except IntegrityError:
        # Rows may have traded what is to be unique.
        there.delete()
        kind.model.objects.using(alias()).bulk_create(rows)


def remove(kind: type[Plugin], keys: Iterable[Any]) -> None:
    """Remove rows by their primary keys, however many they are."""
    for chunk in chunks(keys):
        rows_of(kind).filter(pk__in=chunk).delete()


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """As many at once as a statement takes parameters."""
    left = iter(values)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _change(kind: type[Plugin], there: Iterable[Any], rows: Sequence[Any]) -> None:
    standing: defaultdict[tuple[Any, ...], deque[Any]] = defaultdict(deque)
    for row in there:
        standing[_key(row)].append(row)
    kept, added = [], []
    for row in rows:
        same = standing[_key(row)]  # there may be several, as in a log
        if not same:
            added.append(row)
            continue
        before = same.popleft()
        if _values(before) != _values(row):
            row.pk = before.pk
            kept.append(row)
    remove(kind, (row.pk for same in standing.values() for row in same))
    for row in kept:
        row.save(using=alias(), force_update=True)
    kind.model.objects.using(alias()).bulk_create(added)


def _key(row: Any) -> tuple[Any, ...]:
    # What is not counted by the database is the plugin's own, and rows may refer to it.
    columns = row.key_columns if row._meta.auto_field else [row._meta.pk.attname]  # noqa: SLF001
    return row.timestamp, *(getattr(row, column) for column in columns)


def _values(row: Any) -> list[Any]:
    return [getattr(row, one.attname) for one in row._meta.concrete_fields if not one.primary_key]  # noqa: SLF001
