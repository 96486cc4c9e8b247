"""Keeps what statistics remember in Django's database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import DatabaseError, connections, transaction
from django.db.models import Exists, F, Model, OuterRef, QuerySet

from pillowtop.records.batches import Constraints
from pillowtop.records.database import alias, is_its_own, storable
from pillowtop.stats.intervals import from_microseconds
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.progress import Progress
from pillowtop.stats.records.models import (
    CountedMessages,
    Enrolment,
    KeptMessages,
    OpenWindow,
    PendingMessage,
    StatsProgress,
)
from pillowtop.stats.records.tables import rows_of
from pillowtop.stats.states import kept, messages_of
from pillowtop.stats.store import Enrolled, Pending
from pillowtop.stats.windows import Window

AT_ONCE = 400
"""Ends of windows in one question."""


class DjangoStore:
    """Of one pillow. Opens no transaction: `pillowtop.stats.store.Store` says what it does.

    With `checked`, `guarded` also looks at what databases look at on commit only.
    """

    def __init__(self, pillow: str, *, checked: bool = False) -> None:
        self._pillow = pillow
        self._constraints = Constraints() if checked else None

    def lock(self) -> None:
        # A write: a transaction of SQLite that reads first cannot wait for its turn to write.
        self._of(StatsProgress).update(newest=F("newest"))

    def progress(self) -> Progress:
        row = self._of(StatsProgress).values(*Progress.__struct_fields__).first()
        return Progress(**row) if row else Progress()

    def save_progress(self, progress: Progress) -> None:
        values = msgspec.structs.asdict(progress)
        if not self._of(StatsProgress).update(**values):
            StatsProgress.objects.using(alias()).create(pillow=self._pillow, **values)

    def seen(self) -> Iterable[tuple[int, bytes]]:
        rows = self._of(CountedMessages).values_list("slot", "body")
        return ((slot, bytes(body)) for slot, body in rows.iterator())

    def save_seen(self, parts: Iterable[tuple[int, bytes]]) -> None:
        rows = [CountedMessages(pillow=self._pillow, slot=slot, body=body) for slot, body in parts]
        CountedMessages.objects.using(alias()).bulk_create(rows)

    def enrolled(self) -> dict[str, Enrolled]:
        rows = self._of(Enrolment).values(*Enrolled.__struct_fields__)
        return {row["statistic"]: Enrolled(**row | {"skips": bytes(row["skips"])}) for row in rows}

    def save_enrolled(self, enrolled: Enrolled) -> None:
        values = msgspec.structs.asdict(enrolled)
        statistic = values.pop("statistic")
        values |= {one: storable(values[one]) for one in ("lacks", "set_aside")}
        self._of(Enrolment).update_or_create(
            values, {**values, "pillow": self._pillow}, statistic=statistic
        )

    def windows(self, kinds: Sequence[type[Plugin]], ends: Sequence[int]) -> list[Window]:
        found, by_ident = [], {kind.ident(): kind for kind in kinds}
        rows = self._of(OpenWindow).filter(statistic__in=by_ident)
        for start in range(0, len(ends), AT_ONCE):
            part = rows.filter(end__in=ends[start : start + AT_ONCE])
            for ident, end, state, *rest in part.values_list(
                "statistic", "end", "state", "is_stored", "attempts", "due_at", "error"
            ):
                found.append(Window(by_ident[ident], end, bytes(state), *rest))
        return found

    def save_windows(self, windows: Sequence[Window]) -> None:
        has_target = connections[alias()].features.supports_update_conflicts_with_target
        rows = [
            OpenWindow(
                pillow=self._pillow,
                statistic=one.kind.ident(),
                end=one.end,
                state=one.state,
                is_stored=one.is_stored,
                attempts=one.attempts,
                due_at=one.due_at,
                error=storable(one.error),
            )
            for one in windows
        ]
        OpenWindow.objects.using(alias()).bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["pillow", "statistic", "end"] if has_target else None,
            update_fields=["state", "is_stored", "attempts", "due_at", "error"],
        )

    def closable(
        self, statistics: Sequence[str], upto: int, now: int, count: int
    ) -> list[tuple[str, int]]:
        rows = self._of(OpenWindow).filter(
            is_stored=False, end__lte=upto, due_at__lte=now, statistic__in=statistics
        )
        return list(rows.order_by("end", "statistic").values_list("statistic", "end")[:count])

    def kept(self, bucket: str, end: int) -> list[Message]:
        rows = self._of(KeptMessages).filter(bucket=bucket, end=end).values_list("body", flat=True)
        return [message for body in rows for message in messages_of(bytes(body))]

    def save_kept(self, bucket: str, parts: Mapping[int, bytes]) -> None:
        KeptMessages.objects.using(alias()).bulk_create(
            KeptMessages(pillow=self._pillow, bucket=bucket, end=end, body=body)
            for end, body in parts.items()
        )

    def pending(self, statistics: Sequence[str], now: int, count: int) -> list[Pending]:
        rows = self._of(PendingMessage).filter(statistic__in=statistics, due_at__lte=now)
        return [_pending(row) for row in rows.order_by("pk")[:count]]

    def save_pending(self, pending: Sequence[Pending]) -> None:
        new = [self._row(one) for one in pending if one.id is None]
        PendingMessage.objects.using(alias()).bulk_create(new)
        for one in pending:
            if one.id is not None:
                self._of(PendingMessage).filter(pk=one.id).update(
                    attempts=one.attempts, due_at=one.due_at, error=storable(one.error)
                )

    def settle(self, pending: Sequence[Pending]) -> None:
        if pending:
            self._of(PendingMessage).filter(pk__in=[one.id for one in pending]).delete()

    def count_failed(self, statistic: str) -> int:
        return sum(
            self._of(table).filter(statistic=statistic, attempts__gt=0).count()
            for table in (PendingMessage, OpenWindow)
        )

    def has_rows(self, kind: type[Plugin]) -> bool:
        return rows_of(kind).exists()

    def store(self, kind: type[Plugin], windows: Mapping[int, list[Any]]) -> None:
        kind.store({from_microseconds(end): rows for end, rows in windows.items()})

    def forget(self, cut: int, first_slot: int) -> None:
        over = self._of(OpenWindow).filter(end__lte=cut)
        lacking = self._of(PendingMessage).filter(
            statistic=OuterRef("statistic"), end=OuterRef("end")
        )
        over.filter(~Exists(lacking), is_stored=True).delete()
        # What failed may need them still.
        left = self._of(KeptMessages).filter(end__lte=cut)
        left.exclude(end__in=over.values("end")).delete()
        self._of(CountedMessages).filter(slot__lt=first_slot).delete()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        with transaction.atomic(using=alias()):
            yield
            if connections[alias()].needs_rollback:
                raise DatabaseError(
                    "an error of the database was caught, and what was written before is undone: "
                    "write what may fail in a transaction.atomic() of its own"
                )
            if self._constraints:
                self._constraints.demand()

    def demand_alive(self, error: BaseException) -> None:
        if is_its_own(error):
            raise error
        with connections[alias()].cursor() as cursor:
            cursor.execute("SELECT 1")

    def _of(self, table: type[Model]) -> QuerySet[Any]:
        rows: QuerySet[Any] = table._default_manager.using(alias())  # noqa: SLF001
        return rows.filter(pillow=self._pillow)

    def _row(self, one: Pending) -> PendingMessage:
        return PendingMessage(
            pillow=self._pillow,
            statistic=one.statistic,
            end=one.end,
            body=kept([one.message]),
            attempts=one.attempts,
            due_at=one.due_at,
            error=storable(one.error),
        )


def on_commit(function: Callable[[], None]) -> None:
    """Call a function once what has been kept in this transaction stays."""
    transaction.on_commit(function, using=alias())


def _pending(row: PendingMessage) -> Pending:
    (message,) = messages_of(bytes(row.body))
    return Pending(row.statistic, row.end, message, row.attempts, row.due_at, row.error, row.pk)
