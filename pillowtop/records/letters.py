"""The dead-letter table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from pillowtop.conf import configuration
from pillowtop.engine.letters import Letter, hash_id
from pillowtop.records.database import alias, storable
from pillowtop.records.models import DeadLetter, Position

MAX_SHOWN = 200
AFTER_THE_SCHEDULE = timedelta(days=1)
UNREADABLE = "feed"
"""The stage of a line that is no change: there is no document to be tried again."""

UPDATED = [
    "seq",
    "rev",
    "deletion",
    "stage",
    "error_type",
    "reason",
    "traceback",
    "attempts",
    "last_at",
    "next_attempt_at",
]


class Due(NamedTuple):
    """A letter whose document is to be tried again; `is_last` at the end of the schedule."""

    doc_id: str
    rev: str
    is_last: bool


def write(pillow: str, stream: str, letters: Sequence[Letter]) -> int:
    """Keep letters; a document that has one already gets it replaced, its attempts counted.

    Returns how many were written, which are counted in the pillow's position, too.
    """
    now = timezone.now()
    newest = {letter.id_hash: letter for letter in letters}
    with transaction.atomic(using=alias()):
        known = dict(
            _rows(pillow, stream, newest).select_for_update().values_list("doc_hash", "attempts")
        )
        DeadLetter.objects.using(alias()).bulk_create(
            [
                _row(pillow, stream, letter, known.get(key, 0) + 1, now)
                for key, letter in newest.items()
            ],
            update_conflicts=True,
            unique_fields=_conflict_target(),
            update_fields=UPDATED,
            batch_size=500,
        )
        counted = Position.objects.using(alias()).filter(pillow=pillow, stream=stream)
        counted.update(letters=F("letters") + len(newest))
    return len(newest)


def clear(pillow: str, stream: str, doc_ids: Iterable[str]) -> int:
    """Remove the letters of documents that went through. Returns how many there were."""
    hashes = [hash_id(doc_id) for doc_id in doc_ids]
    return sum(
        _rows(pillow, stream, hashes[start : start + 500]).delete()[0]
        for start in range(0, len(hashes), 500)
    )


def among(pillow: str, stream: str, doc_ids: Iterable[str]) -> set[str]:
    """Those of the ids whose documents have a letter."""
    by_hash = {hash_id(doc_id): doc_id for doc_id in doc_ids}
    found = _rows(pillow, stream, by_hash).values_list("doc_hash", flat=True)
    return {by_hash[key] for key in found}


def attempts(pillow: str, stream: str, doc_ids: Iterable[str]) -> dict[str, int]:
    """How often documents have failed, by id, where there is a letter."""
    by_hash = {hash_id(doc_id): doc_id for doc_id in doc_ids}
    found = _rows(pillow, stream, by_hash).values_list("doc_hash", "attempts")
    return {by_hash[key]: count for key, count in found}


def due(pillow: str, stream: str, limit: int) -> list[Due]:
    """Letters whose time to be tried again has come, those that wait longest first."""
    rows = DeadLetter.objects.using(alias()).filter(
        pillow=pillow, stream=stream, next_attempt_at__lte=timezone.now()
    )
    schedule = len(configuration().RETRY_MINUTES)
    return [
        Due(row.doc_id, row.rev, row.attempts >= schedule)
        for row in rows.order_by("next_attempt_at")[:limit]
    ]


def hasten(pillow: str, stream: str) -> None:
    """Have letters tried again at once that would wait for a day."""
    rows = DeadLetter.objects.using(alias()).filter(
        pillow=pillow, stream=stream, attempts__gt=len(configuration().RETRY_MINUTES)
    )
    rows.exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())


def put_off(pillow: str, stream: str, doc_ids: Iterable[str]) -> None:
    """Have letters wait for the next time of their schedule, as if tried once more."""
    now = timezone.now()
    for row in _rows(pillow, stream, map(hash_id, doc_ids)):
        row.attempts += 1
        row.last_at, row.next_attempt_at = now, now + _pause(row.attempts)
        row.save(using=alias(), update_fields=["attempts", "last_at", "next_attempt_at"])


def _pause(attempts: int) -> timedelta:
    """For how long a letter waits after so many attempts."""
    schedule = configuration().RETRY_MINUTES
    if attempts > len(schedule):
        return AFTER_THE_SCHEDULE
    return timedelta(minutes=schedule[attempts - 1])


def reasons(pillow: str, doc_ids: Iterable[str]) -> dict[str, str]:
    """Where and why documents failed, in a line each; by id, where there is a letter."""
    by_hash = {hash_id(doc_id): doc_id for doc_id in doc_ids}
    rows = DeadLetter.objects.using(alias()).filter(pillow=pillow, doc_hash__in=list(by_hash))
    return {
        by_hash[row.doc_hash]: f"{row.stage}: {row.error_type}: {row.reason[:MAX_SHOWN]}"
        for row in rows
    }


def count(pillow: str) -> int:
    return DeadLetter.objects.using(alias()).filter(pillow=pillow).count()


def _rows(pillow: str, stream: str, hashes: Iterable[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return DeadLetter.objects.using(alias()).filter(
        pillow=pillow, stream=stream, doc_hash__in=list(hashes)
    )


def _conflict_target() -> list[str] | None:
    """MySQL finds out by itself, and refuses to be told."""
    told = connections[alias()].features.supports_update_conflicts_with_target
    return ["pillow", "stream", "doc_hash"] if told else None


def _row(pillow: str, stream: str, letter: Letter, attempts: int, now: datetime) -> DeadLetter:
    return DeadLetter(
        pillow=pillow,
        stream=stream,
        doc_id=storable(letter.doc_id),
        doc_hash=letter.id_hash,
        seq="" if letter.seq is None else msgspec.json.encode(letter.seq).decode(),
        rev=letter.rev,
        deletion=letter.deletion,
        stage=letter.stage,
        error_type=letter.error_type,
        reason=storable(letter.reason),
        traceback=storable(letter.traceback),
        attempts=attempts,
        first_at=now,
        last_at=now,
        next_attempt_at=_next(letter, attempts, now),
    )


def _next(letter: Letter, attempts: int, now: datetime) -> datetime | None:
    """None for what cannot be asked for again: it has no id, or none that could be kept."""
    if letter.stage == UNREADABLE or storable(letter.doc_id) != letter.doc_id:
        return None
    return now + _pause(attempts)
