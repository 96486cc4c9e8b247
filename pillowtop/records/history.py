"""Positions that pillows once had, to go back to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.utils import timezone

from pillowtop.changes import Seq
from pillowtop.engine.resuming import Checkpoint, Request
from pillowtop.records.database import alias
from pillowtop.records.models import PastPosition

NOTED_EVERY = timedelta(minutes=10)
KEPT = timedelta(days=7)
"""For how long what was noted in passing is kept; what stood before a change by hand stays."""


class Past(NamedTuple):
    """A position of the past. `verb` is what an operator did to it, or empty."""

    number: int
    stream: str
    seq: Seq
    identity: str
    verb: str
    noted_at: datetime


def note(pillow: str, stream: str, checkpoint: Checkpoint, request: Request) -> None:
    """Keep what a checkpoint was before an operator's request is obeyed."""
    _add(pillow, stream, checkpoint, request.verb)


def note_in_passing(pillow: str, stream: str, checkpoint: Checkpoint) -> None:
    """Keep a position, unless one was kept a short while ago; and forget what is too old."""
    now = timezone.now()
    rows = PastPosition.objects.using(alias()).filter(pillow=pillow, stream=stream, verb="")
    if not rows.filter(noted_at__gt=now - NOTED_EVERY / 2).exists():
        _add(pillow, stream, checkpoint, "")
    rows.filter(noted_at__lt=now - KEPT).delete()


def past(pillow: str) -> list[Past]:
    """All that is kept, the newest first."""
    rows = PastPosition.objects.using(alias()).filter(pillow=pillow).order_by("-noted_at", "-pk")
    return [_past(row) for row in rows]


def _add(pillow: str, stream: str, checkpoint: Checkpoint, verb: str) -> None:
    PastPosition.objects.using(alias()).create(
        pillow=pillow,
        stream=stream,
        seq=msgspec.json.encode(checkpoint.seq).decode(),
        identity=checkpoint.identity,
        verb=verb,
        noted_at=timezone.now(),
    )


def _past(row: PastPosition) -> Past:
    seq = msgspec.json.decode(row.seq)
    return Past(row.pk, row.stream, seq, row.identity, row.verb, row.noted_at)
