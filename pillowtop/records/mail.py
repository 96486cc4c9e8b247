"""For which pillows something waits in the tables, whatever it is."""

from __future__ import annotations

from django.utils import timezone

from pillowtop.records.database import alias
from pillowtop.records.models import DeadLetter, OperatorRequest, Rerun


def addressees() -> set[str]:
    """Who has requests of operators, documents to run again, or dead letters that are due.

    Asked for all pillows at once, which costs no more than for one.
    """
    using = alias()
    tables = (
        OperatorRequest.objects.using(using).filter(done_at=None),
        Rerun.objects.using(using).filter(done_at=None),
        DeadLetter.objects.using(using).filter(next_attempt_at__lte=timezone.now()),
    )
    return {name for rows in tables for name in rows.values_list("pillow", flat=True).distinct()}
