"""A backfill, and how the pillow takes over what it has counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Model, QuerySet

from pillowtop.records.database import alias
from pillowtop.records.moves import forget_build
from pillowtop.stats.intervals import from_microseconds, to_microseconds
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.progress import Rules
from pillowtop.stats.records.models import (
    CountedMessages,
    Enrolment,
    KeptMessages,
    OpenWindow,
    PendingMessage,
    StatsProgress,
)
from pillowtop.stats.records.store import DjangoStore
from pillowtop.stats.records.tables import rows_of
from pillowtop.stats.seen import Identities, first_slot
from pillowtop.stats.states import messages_of
from pillowtop.stats.store import ASKED, GATHERING

TABLES = (StatsProgress, Enrolment, OpenWindow, KeptMessages, CountedMessages, PendingMessage)


class Backfill(NamedTuple):
    """Of a statistic of a pillow, by the pillow `filler`, from the windows behind `since` on.

    `stage` is empty until the pillow is asked to let it take over.
    """

    pillow: str
    statistic: str
    filler: str
    since: int
    stage: str


class Superseded(Exception):
    """Of two processes that ran one backfill, the other one is done with it."""


class Taken(NamedTuple):
    """What came of a take-over: windows, and messages that the pillow has counted but the feed has
    not shown any more."""

    windows: int
    missing: int


def begin(pillow: str, kind: type[Plugin], filler: str, since: int) -> Backfill | None:
    """Begin a backfill, or go on with one that was not finished. None where the pillow does not
    compute this version of the statistic (yet)."""
    with transaction.atomic(using=alias()):
        DjangoStore(pillow).lock()
        row = _enrolment(pillow, kind.ident())
        if row is None or row.version != kind.version:
            return None
        before = _filler(row)
        # One of another version, or that was forgotten, is no beginning.
        if row.filler and not (
            before and before.filled_since == since and before.version == kind.version
        ):
            forget(row.filler)
            row.filler, row.stage = "", ""
        if not row.filler:
            row.filler = filler
            Enrolment.objects.using(alias()).create(
                pillow=filler,
                statistic=row.statistic,
                version=row.version,
                filled_since=since,
            )
        row.save(update_fields=["filler", "stage"])
    return Backfill(pillow, row.statistic, row.filler, since, row.stage)


def ask(backfill: Backfill) -> None:
    """Ask the pillow to only keep what comes for the statistic from now on. Raises `Superseded`."""
    demand_ours(backfill)
    _rows(backfill).exclude(stage=GATHERING).update(stage=ASKED)


def is_gathering(backfill: Backfill) -> bool:
    """Whether it does. Raises `Superseded`."""
    demand_ours(backfill)
    return _rows(backfill).filter(stage=GATHERING).exists()


def demand_ours(backfill: Backfill) -> None:
    """Raise `Superseded` where another process has finished it, or begun another one."""
    filler = Enrolment.objects.using(alias()).filter(pillow=backfill.filler)
    if not (_rows(backfill).exists() and filler.exists()):
        forget(backfill.filler)  # what this one may have written for it meanwhile
        raise Superseded(
            f"another process has finished this backfill of {backfill.statistic}, or begun another "
            "one: see ptop_stats_list"
        )


def take_over(backfill: Backfill, kind: type[Plugin], rules: Rules, *, tolerant: bool) -> Taken:
    """Have the pillow go on with the windows of the backfill in place of its own.

    Where messages are missing from it that the pillow has counted, nothing happens, unless it is
    `tolerant`.
    """
    with transaction.atomic(using=alias()):
        DjangoStore(backfill.pillow).lock()  # the pillow waits with its next transaction
        demand_ours(backfill)
        handover = _Handover(backfill, kind, rules)
        missing = len(handover.missing())
        if missing and not tolerant:
            return Taken(0, missing)
        return Taken(handover.run(), missing)


def forget(filler: str) -> None:
    """Forget all of a backfill."""
    for table in TABLES:
        table._default_manager.using(alias()).filter(pillow=filler).delete()  # noqa: SLF001
    forget_build(filler)


class _Handover:
    def __init__(self, backfill: Backfill, kind: type[Plugin], rules: Rules) -> None:
        self._backfill = backfill
        self._kind = kind
        cut = DjangoStore(backfill.pillow).progress().cut(rules)
        self._first_slot = None if cut is None else first_slot(cut)
        self._kept = [
            (row.pk, row.end, messages_of(bytes(row.body))[0].identity)
            for row in self._of(PendingMessage, backfill.pillow).iterator()
        ]
        self._counted = self._identities(backfill.filler)
        self._known = self._identities(backfill.pillow)

    def missing(self) -> Identities:
        """What the pillow has counted before it only kept it, and the backfill has not."""
        kept = np.fromiter((identity for _pk, _end, identity in self._kept), np.uint64)
        return np.setdiff1d(np.setdiff1d(self._known, kept), self._counted)

    def run(self) -> int:
        backfill, ident = self._backfill, self._backfill.statistic
        self._settle_kept()
        ends = self._of(OpenWindow, backfill.filler).values_list("end", flat=True)
        self._remove_rows_without(set(ends))
        for table in (OpenWindow, KeptMessages):
            own = {"bucket": ident} if table is KeptMessages else {"statistic": ident}
            rows = table._default_manager.using(alias()).filter(**own)  # noqa: SLF001
            rows.filter(pillow=backfill.pillow, end__gt=backfill.since).delete()
            rows.filter(pillow=backfill.filler).update(pillow=backfill.pillow)
        self._of(PendingMessage, backfill.filler).update(pillow=backfill.pillow)
        self._note()
        forget(backfill.filler)
        return len(ends)

    def _settle_kept(self) -> None:
        """Of what was kept for the statistic, have it take what the backfill has not counted."""
        counted = set(self._counted.tolist())
        done = [
            pk
            for pk, end, identity in self._kept
            if identity in counted and end > self._backfill.since
        ]
        pending = self._of(PendingMessage, self._backfill.pillow)
        for start in range(0, len(done), 500):
            pending.filter(pk__in=done[start : start + 500]).delete()
        pending.filter(due_at=None).update(due_at=0)

    def _remove_rows_without(self, ends: set[int]) -> None:
        """Rows of windows for which there are no messages any more; all rows of a statistic whose
        windows look at each other's: old ones would pass for later ones than what is made anew."""
        if _has_own_store(self._kind):
            ends = set()
        rows = rows_of(self._kind).filter(timestamp__gt=from_microseconds(self._backfill.since))
        for at in set(rows.values_list("timestamp", flat=True)):
            end = to_microseconds(at)
            if end not in ends:
                self._kind.revert(from_microseconds(end - 1), at)

    def _note(self) -> None:
        row = _enrolment(self._backfill.pillow, self._backfill.statistic)
        assert row is not None
        row.skips = np.setdiff1d(self._counted, self._known).astype("<u8").tobytes()
        row.skips_since = self._backfill.since
        newest = self._of(StatsProgress, self._backfill.filler, statistic=False).first()
        row.skips_until = (newest.newest if newest else None) or 0
        since = self._backfill.since
        row.filled_since = since if row.filled_since is None else min(row.filled_since, since)
        row.stage = row.lacks = row.set_aside = row.filler = ""
        row.save()

    def _identities(self, pillow: str) -> Identities:
        """Of what may come again."""
        rows = self._of(CountedMessages, pillow, statistic=False)
        if self._first_slot is not None:
            rows = rows.filter(slot__gte=self._first_slot)
        return _joined(bytes(body) for body in rows.values_list("body", flat=True).iterator())

    def _of(self, table: type[Model], pillow: str, *, statistic: bool = True) -> QuerySet[Any]:
        rows = table._default_manager.using(alias()).filter(pillow=pillow)  # noqa: SLF001
        return rows.filter(statistic=self._backfill.statistic) if statistic else rows


def _has_own_store(kind: type[Plugin]) -> bool:
    """Whether it writes its rows in a way of its own, which may heed those of other windows."""
    return kind.store.__func__ is not Plugin.store.__func__  # type: ignore[attr-defined]


def _joined(parts: Iterable[bytes]) -> Identities:
    return np.unique(np.frombuffer(b"".join(parts), "<u8"))


def _enrolment(pillow: str, statistic: str) -> Enrolment | None:
    rows = Enrolment.objects.using(alias()).select_for_update()
    return rows.filter(pillow=pillow, statistic=statistic).first()


def _filler(row: Enrolment) -> Enrolment | None:
    return Enrolment.objects.using(alias()).filter(pillow=row.filler).first()


def _rows(backfill: Backfill) -> QuerySet[Enrolment]:
    return Enrolment.objects.using(alias()).filter(
        pillow=backfill.pillow, statistic=backfill.statistic, filler=backfill.filler
    )
