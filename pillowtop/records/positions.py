"""The Django database's memory of checkpoints."""

from __future__ import annotations

import msgspec
from django.db import transaction

from pillowtop.engine.resuming import Checkpoint
from pillowtop.exceptions import LeaseLost
from pillowtop.records.database import alias
from pillowtop.records.models import Position


def remember(pillow: str, stream: str, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint that CouchDB has taken.

    Raises `LeaseLost` where a later life of the pillow has kept one already.
    """
    fields = msgspec.structs.asdict(checkpoint)
    fields["seq"] = msgspec.json.encode(checkpoint.seq).decode()
    with transaction.atomic(using=alias()):
        row, made = (
            Position.objects.using(alias())
            .select_for_update()
            .get_or_create(pillow=pillow, stream=stream, defaults=fields)
        )
        if made:
            return
        if row.token > checkpoint.token:
            raise LeaseLost("another process has started this pillow since; this one stops")
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(using=alias())


def recall(pillow: str, stream: str) -> Checkpoint | None:
    row = Position.objects.using(alias()).filter(pillow=pillow, stream=stream).first()
    return _checkpoint(row) if row else None


def recall_all(pillow: str) -> list[tuple[str, Checkpoint, str]]:
    """Stream, checkpoint and the time of its saving (ISO 8601) of a pillow's positions."""
    rows = Position.objects.using(alias()).filter(pillow=pillow).order_by("stream")
    return [
        (row.stream, _checkpoint(row), row.saved_at.isoformat(timespec="seconds")) for row in rows
    ]


def _checkpoint(row: Position) -> Checkpoint:
    return Checkpoint(
        seq=msgspec.json.decode(row.seq),
        identity=row.identity,
        filter=row.filter,
        target=row.target,
        token=row.token,
        generation=row.generation,
    )
