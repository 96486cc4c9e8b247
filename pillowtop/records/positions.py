"""The Django database's memory of checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec
from django.db import transaction
from django.utils import timezone

from pillowtop.changes import Seq
from pillowtop.engine.resuming import Checkpoint, Elsewhere
from pillowtop.exceptions import LeaseLost, StartAgain
from pillowtop.records.database import alias, kept_open, kept_whole
from pillowtop.records.models import Position

logger = logging.getLogger(__name__)

T = TypeVar("T")

TAKEN_OVER = "another process has started this pillow since; this one stops"


def remember(pillow: str, stream: str, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint that CouchDB has taken, but for its `letters`: what is counted here are
    those of this database, which may have been replaced meanwhile.

    Raises `LeaseLost` where a later life of the pillow has kept one already.
    """
    fields = msgspec.structs.asdict(checkpoint)
    fields["seq"] = _text(checkpoint.seq)
    del fields["letters"]
    rows = Position.objects.using(alias()).filter(pillow=pillow, stream=stream)
    ours = rows.filter(token__lte=checkpoint.token)
    while not ours.update(**fields, saved_at=timezone.now()):
        row, made = rows.get_or_create(pillow=pillow, stream=stream, defaults=fields)
        if made:
            return
        if row.token > checkpoint.token:
            raise LeaseLost(TAKEN_OVER)


def claim(held: Checkpoint | None, pillow: str, stream: str, checkpoint: Checkpoint) -> None:
    """Keep the first checkpoint of a life, in place of the one from which it starts.

    Raises `StartAgain` where another process has saved since that one was recalled.
    """
    with transaction.atomic(using=alias()):
        rows = Position.objects.using(alias()).filter(pillow=pillow, stream=stream)
        found = rows.select_for_update().first()
        standing = _checkpoint(found)
        if standing != held:
            raise StartAgain("another process saved a position while this one started")
        remember(pillow, stream, checkpoint)
        rows.update(letters=checkpoint.letters)


def move(pillow: str, stream: str, held: Checkpoint, seq: Seq, work: Callable[[], T]) -> T:
    """Do work and move a position from `held.seq` to `seq`, in one transaction (rule 9).

    Raises `LeaseLost` or `StartAgain` where the position is not the one held; then, as with any
    error of the work's, nothing has happened.
    """
    committed: list[T] = []
    try:
        return _move(pillow, stream, held, seq, work, committed)
    except Exception:
        if not committed:
            raise
        # Of an `on_commit` of the pillow's own: what it comes after has happened.
        logger.exception(
            "%s: what was to be done on commit failed",
            pillow,
            extra={"action": "on_commit_failed", "pillow": pillow},
        )
        return committed[0]


def _move(
    pillow: str, stream: str, held: Checkpoint, seq: Seq, work: Callable[[], T], committed: list[T]
) -> T:
    with transaction.atomic(using=alias()):
        results: list[T] = []
        transaction.on_commit(lambda: committed.extend(results), using=alias())
        with kept_open(), kept_whole():
            result = work()
        results.append(result)
        rows = Position.objects.using(alias()).filter(pillow=pillow, stream=stream)
        ours = rows.filter(token=held.token, seq=_text(held.seq))
        if not ours.update(seq=_text(seq), saved_at=timezone.now()):
            if rows.filter(token__gt=held.token).exists():
                raise LeaseLost(TAKEN_OVER)
            raise StartAgain("the position in the Django database is not the one left there")
    return result


def recall(pillow: str, stream: str) -> Checkpoint | None:
    row = Position.objects.using(alias()).filter(pillow=pillow, stream=stream).first()
    return _checkpoint(row)


def recall_all(pillow: str) -> list[tuple[str, Checkpoint, str]]:
    """Stream, checkpoint and the time of its saving (ISO 8601) of a pillow's positions."""
    rows = Position.objects.using(alias()).filter(pillow=pillow).order_by("stream")
    return [
        (row.stream, checkpoint, row.saved_at.isoformat(timespec="seconds"))
        for row in rows
        if (checkpoint := _checkpoint(row))
    ]


def elsewhere(pillow: str, stream: str) -> Elsewhere | None:
    """The last position of a pillow in another stream."""
    rows = Position.objects.using(alias()).filter(pillow=pillow).exclude(stream=stream)
    row = rows.order_by("-token").first()
    checkpoint = _checkpoint(row)
    return Elsewhere(row.stream, checkpoint) if row and checkpoint else None


def _text(seq: Seq) -> str:
    return msgspec.json.encode(seq).decode()


def _checkpoint(row: Position | None) -> Checkpoint | None:
    """What a row holds; None where there is none, or (said aloud) an unreadable one."""
    if row is None:
        return None
    try:
        seq = msgspec.json.decode(row.seq)
    except (msgspec.DecodeError, RecursionError) as error:
        logger.warning(
            "%s: its position in the Django database cannot be read, and counts as none: %s",
            row.pillow,
            error,
            extra={"action": "checkpoint_unreadable", "pillow": row.pillow},
        )
        return None
    return Checkpoint(
        seq=seq,
        identity=row.identity,
        filter=row.filter,
        target=row.target,
        token=row.token,
        generation=row.generation,
        born=row.born,
        letters=row.letters,
    )
