"""What the process that runs a pillow has been asked to do, by operators or by itself."""

from __future__ import annotations

from typing import Literal, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from pillowtop.records.database import alias
from pillowtop.records.models import OperatorRequest

Verb = Literal["reset", "accept"]
SWEEP = "sweep"


class Asked(NamedTuple):
    """What operators want: `verb` is empty for nothing; `last` is the newest request seen."""

    verb: Verb | Literal[""]
    last: int


def ask(pillow: str, verb: Verb) -> None:
    """Ask for a reset, or to accept a changed filter."""
    OperatorRequest.objects.using(alias()).create(pillow=pillow, verb=verb)


def asked(pillow: str) -> Asked:
    """What is asked for and not done yet. A reset is more than accepting."""
    rows = list(_open(pillow).exclude(verb=SWEEP).values_list("pk", "verb"))
    verbs = {verb for _, verb in rows}
    verb: Verb | Literal[""] = "reset" if "reset" in verbs else "accept" if verbs else ""
    return Asked(verb, max((key for key, _ in rows), default=0))


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
