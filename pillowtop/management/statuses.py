"""A status as text: a table of the pillows, then what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pillowtop.changes import Seq
from pillowtop.engine.figures import Snapshot
from pillowtop.engine.health import Health, Status, duration, is_silent
from pillowtop.management import tables

COLUMNS = (
    "pillow",
    "state",
    "position",
    "pending",
    "behind",
    "rate",
    "batch",
    "letters",
    "saved",
    "worker",
)
SHOWN_OF_SEQ = 12


def text(status: Status) -> str:
    """What `ptop_status` prints."""
    parts = []
    if status.pillows:
        parts.append(tables.text(COLUMNS, [_row(one) for one in status.pillows]))
    parts += ["\n".join(lines) for lines in (list(_feeds(status)), list(_lines(status))) if lines]
    return "\n\n".join(parts)


def _feeds(status: Status) -> Iterator[str]:
    """Who reads from one connection, for feeds that several pillows follow."""
    readers: dict[str, set[tuple[str, ...]]] = {}
    for one in status.pillows:
        if one.figures and one.figures.stream and not _is_silent(one):
            together = tuple(sorted({one.pillow, *one.figures.companions}))
            readers.setdefault(one.figures.stream, set()).add(together)
    for stream, groups in sorted(readers.items()):
        if len({name for group in groups for name in group}) > 1:
            named = [f"{', '.join(group)} {_how(group)}" for group in sorted(groups)]
            yield f"feed of {stream}: {'; '.join(named)}"


def _how(group: tuple[str, ...]) -> str:
    return "share one connection" if len(group) > 1 else "reads alone"


def _lines(status: Status) -> Iterator[str]:
    yield from map(str, status.problems)
    for health in status.pillows:
        if health.figures and health.figures.counts:
            counts = ", ".join(f"{count} {what}" for what, count in health.figures.counts.items())
            yield f"{health.pillow}: {counts}"
        for problem in health.problems:
            yield f"{health.pillow}: {problem}"
        error = health.figures and health.figures.last_error
        if error and health.problems and not _is_said(error.what, health):
            yield f"{health.pillow}: last error {duration(error.seconds_ago)} before: {error.what}"


def _is_said(error: str, health: Health) -> bool:
    return any(error in problem.what for problem in health.problems)


def _row(health: Health) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"pillow": health.pillow}
    if health.figures is None:
        return row | {"state": "unknown"}
    cells = _cells(health.figures)
    return row | cells | ({"state": "unknown"} if _is_silent(health) else {})


def _is_silent(health: Health) -> bool:
    figures, age = health.figures, health.age_seconds
    return figures is not None and age is not None and is_silent(figures, age)


def _cells(figures: Snapshot) -> dict[str, Any]:
    age = figures.checkpoint_age_seconds
    return {
        "state": "caught up" if figures.caught_up and figures.state == "running" else figures.state,
        "position": _shown(figures.position),
        "pending": figures.pending_changes,
        "behind": duration(figures.behind_seconds),
        "rate": f"{figures.changes_per_second:g}/s",
        "batch": duration(figures.batch_age_seconds) if figures.batches_in_flight else None,
        "letters": figures.dead_letters,
        "saved": None if age is None else f"{duration(age)} ago",
        "worker": figures.process,
    }


def _shown(seq: Seq | None) -> str | None:
    """A seq of CouchDB's is a number, and hundreds of letters that nobody reads."""
    if seq is None:
        return None
    words = str(seq)
    return words if len(words) <= SHOWN_OF_SEQ else f"{words[:SHOWN_OF_SEQ]}…"
