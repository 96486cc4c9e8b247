"""What workers report of their pillows. Ages are by the database's clock alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import connections
from django.db.models import Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from pillowtop.engine.figures import Snapshot
from pillowtop.engine.health import SILENT_SECONDS
from pillowtop.records.database import alias, storable
from pillowtop.records.models import DeadLetter, PillowStatus

YIELDING = ("standby", "needs_reindex", "lease_lost", "elsewhere")
"""States of a pillow that another process may be running."""


class Report(NamedTuple):
    """The latest figures of a pillow, and how old they are; None of those that cannot be read."""

    figures: Snapshot | None
    age_seconds: float


def write(snapshots: Sequence[Snapshot]) -> dict[str, int]:
    """Keep figures in place of earlier ones. Returns how many dead letters each pillow has.

    Of a pillow that another process has just reported, a process that does not run it says
    nothing.
    """
    names = [one.pillow for one in snapshots]
    taken = _taken_by_others(snapshots)
    counts = dict.fromkeys(names, 0) | letters(names)
    rows = []
    for one in snapshots:
        one.dead_letters = counts[one.pillow]
        if one.pillow not in taken:
            rows.append(_row(one))
    target = connections[alias()].features.supports_update_conflicts_with_target
    PillowStatus.objects.using(alias()).bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["pillow"] if target else None,
        update_fields=["process", "figures", "reported_at"],
        batch_size=100,
    )
    return counts


def read(pillows: Iterable[str]) -> dict[str, Report]:
    """The latest reports, by pillow; those that never reported are left out."""
    return {
        row.pillow: Report(_snapshot(row.figures), age_seconds)
        for row, age_seconds in _aged(pillows)
    }


def letters(pillows: Iterable[str]) -> dict[str, int]:
    """How many dead letters pillows have; those without any are left out."""
    rows = DeadLetter.objects.using(alias()).filter(pillow__in=list(pillows)).order_by()
    return dict(rows.values_list("pillow").annotate(Count("pk")))


def _taken_by_others(snapshots: Sequence[Snapshot]) -> set[str]:
    yielding = {one.pillow: one.process for one in snapshots if one.state in YIELDING}
    if not yielding:
        return set()
    return {
        row.pillow
        for row, age_seconds in _aged(yielding)
        if row.process != yielding[row.pillow] and age_seconds < SILENT_SECONDS
    }


def _aged(pillows: Iterable[str]) -> list[tuple[PillowStatus, float]]:
    """Rows, and how many seconds old they are."""
    rows = PillowStatus.objects.using(alias()).filter(pillow__in=list(pillows))
    age = ExpressionWrapper(Now() - F("reported_at"), output_field=DurationField())
    return [(row, max(row.age.total_seconds(), 0.0)) for row in rows.annotate(age=age)]


def _row(snapshot: Snapshot) -> PillowStatus:
    return PillowStatus(
        pillow=snapshot.pillow,
        process=snapshot.process,
        figures=_storable(msgspec.to_builtins(snapshot)),
        reported_at=Now(),
    )


def _storable(value: Any) -> Any:
    """The same with all texts in it, such as other people's error messages, storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def _snapshot(figures: object) -> Snapshot | None:
    try:
        return msgspec.convert(figures, Snapshot)
    except msgspec.ValidationError:  # of another version of pillowtop
        return None
