"""The dead-letter table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import connections, transaction
from django.utils import timezone

from pillowtop.engine.letters import Letter, hash_id
from pillowtop.records.database import alias
from pillowtop.records.models import DeadLetter

MAX_SHOWN = 200
FIRST_RETRY = timedelta(minutes=5)

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


def write(pillow: str, stream: str, letters: Sequence[Letter]) -> None:
    """Keep letters; a document that has one already gets it replaced, its attempts counted."""
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
        doc_id=_storable(letter.doc_id),
        doc_hash=letter.id_hash,
        seq="" if letter.seq is None else msgspec.json.encode(letter.seq).decode(),
        rev=letter.rev,
        deletion=letter.deletion,
        stage=letter.stage,
        error_type=letter.error_type,
        reason=_storable(letter.reason),
        traceback=_storable(letter.traceback),
        attempts=attempts,
        first_at=now,
        last_at=now,
        next_attempt_at=now + FIRST_RETRY,
    )


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database takes half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
