"""Documents that are to be run again: asked for by a command, done by the pillow's worker."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from pillowtop.records.database import alias
from pillowtop.records.models import Rerun

KEPT = timedelta(days=7)
ROWS_AT_ONCE = 500


class Asked(NamedTuple):
    """One document that waits; `number` orders them. What else stands of it in the target than
    what it is made into now goes away if it `clears`."""

    number: int
    doc_id: str
    clears: bool


def new_ticket() -> str:
    """Forget what was done long ago. Returns a ticket to queue documents under, and to ask."""
    Rerun.objects.using(alias()).filter(done_at__lt=timezone.now() - KEPT).delete()
    return secrets.token_hex(8)


def ask(ticket: str, pillow: str, doc_ids: Iterable[str], *, clears: bool = False) -> None:
    """Queue documents."""
    Rerun.objects.using(alias()).bulk_create(
        [Rerun(pillow=pillow, ticket=ticket, doc_id=doc_id, clears=clears) for doc_id in doc_ids],
        batch_size=ROWS_AT_ONCE,
    )


def waiting(pillow: str, limit: int) -> list[Asked]:
    """Those that were asked for first."""
    rows = Rerun.objects.using(alias()).filter(pillow=pillow, done_at=None).order_by("pk")
    return [Asked(*row) for row in rows.values_list("pk", "doc_id", "clears")[:limit]]


def done(pillow: str, outcomes: Mapping[int, str]) -> None:
    """Note what became of documents, by their numbers."""
    now = timezone.now()
    for outcome in set(outcomes.values()):
        numbers = [number for number, became in outcomes.items() if became == outcome]
        rows = Rerun.objects.using(alias()).filter(pillow=pillow, pk__in=numbers)
        rows.update(outcome=outcome, done_at=now)


def outcomes(ticket: str) -> dict[str, str]:
    """What became of the documents of a ticket; an empty string stands for those that wait."""
    rows = Rerun.objects.using(alias()).filter(ticket=ticket).order_by("pk")
    return dict(rows.values_list("doc_id", "outcome"))


def left(ticket: str) -> int:
    """How many documents of a ticket wait."""
    return Rerun.objects.using(alias()).filter(ticket=ticket, done_at=None).count()
