"""How the statistics of a pillow are."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pillowtop.records.database import alias
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.records.models import Enrolment, OpenWindow, PendingMessage


class Standing(NamedTuple):
    """`newest` is the end of the newest window with rows. `failed` are messages that it failed at,
    `failed_windows` windows whose rows it could not make; `error` is what it said last."""

    statistic: str
    newest: datetime | None
    failed: int
    failed_windows: int
    error: str
    lacks: str
    set_aside: str
    filling: bool
    """Whether a backfill has begun to take over: until it is done there are no new rows."""

    @property
    def is_well(self) -> bool:
        failed = self.failed or self.failed_windows
        return not (failed or self.lacks or self.set_aside or self.filling)


def standing(pillow: str, kind: type[Plugin]) -> Standing:
    """Of one statistic; as if it were well where its pillow has not run with it yet."""
    ours = {"pillow": pillow, "statistic": kind.ident()}
    row = Enrolment.objects.using(alias()).filter(**ours).first()
    messages = PendingMessage.objects.using(alias()).filter(**ours, attempts__gt=0)
    windows = OpenWindow.objects.using(alias()).filter(**ours, attempts__gt=0)
    errors = [
        rows.order_by("-pk").values_list("error", flat=True).first() for rows in (messages, windows)
    ]
    return Standing(
        kind.ident(),
        kind.latest(),
        messages.count(),
        windows.count(),
        next((one for one in errors if one), ""),
        row.lacks if row else "",
        row.set_aside if row else "",
        bool(row and row.stage),
    )
