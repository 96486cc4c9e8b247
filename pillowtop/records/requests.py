"""What the process that runs a pillow has been asked to do, by operators or by itself."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from pillowtop.engine.resuming import NOTHING, Request
from pillowtop.records.database import alias
from pillowtop.records.models import OperatorRequest

SWEEP = "sweep"
ACCEPT = "accept"


class Asked(NamedTuple):
    """What operators want; `last` is the newest request seen."""

    request: Request
    last: int


def ask(pillow: str, request: Request) -> None:
    """Ask the process that runs the pillow for something."""
    OperatorRequest.objects.using(alias()).create(
        pillow=pillow,
        verb=request.verb,
        seq="" if request.seq is None else msgspec.json.encode(request.seq).decode(),
        identity=request.identity,
    )


def asked(pillow: str) -> Asked:
    """What is asked for and not done yet: the last of it, but that to accept changes nothing."""
    rows = list(_open(pillow).exclude(verb=SWEEP).order_by("pk"))
    if not rows:
        return Asked(NOTHING, 0)
    row = next((one for one in reversed(rows) if one.verb != ACCEPT), rows[-1])
    seq = msgspec.json.decode(row.seq) if row.seq else None
    return Asked(Request(row.verb, seq, row.identity), rows[-1].pk)


def done(pillow: str, last: int) -> None:
    """Acknowledge what was seen, and nothing that has come since."""
    _open(pillow).exclude(verb=SWEEP).filter(pk__lte=last).update(done_at=timezone.now())


def ask_sweep(pillow: str, token: int) -> None:
    """Note that a life has begun a replay from 0 under `token`, behind which a sweep is due."""
    if not _open(pillow).filter(verb=SWEEP).update(token=token):
        OperatorRequest.objects.using(alias()).create(pillow=pillow, verb=SWEEP, token=token)


def sweep_due(pillow: str) -> int | None:
    """The token under which the replay began; None where no sweep is due."""
    row = _open(pillow).filter(verb=SWEEP).first()
    return row.token if row else None


def sweep_done(pillow: str) -> None:
    _open(pillow).filter(verb=SWEEP).update(done_at=timezone.now())


def _open(pillow: str) -> QuerySet[OperatorRequest]:
    return OperatorRequest.objects.using(alias()).filter(pillow=pillow, done_at=None)
