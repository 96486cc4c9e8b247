"""Gives messages to statistics, so that one that fails harms neither itself nor the others."""

from __future__ import annotations

import numpy as np

from pillowtop.stats.intervals import shown
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.roll import Roll
from pillowtop.stats.states import kept
from pillowtop.stats.store import Pending, Store, demand_blame
from pillowtop.stats.windows import Groups, Windows

RETRIED_AT_ONCE = 500


class Feeder:
    """What a statistic fails at is kept for it, and tried again."""

    def __init__(self, store: Store, roll: Roll, windows: Windows) -> None:
        self._store = store
        self._roll = roll
        self._windows = windows
        self._pending: list[Pending] = []

    def give(self, kind: type[Plugin], groups: Groups, cut: int | None, now: int) -> None:
        """Have a statistic take messages. What happened before `cut` cannot come any more."""
        ident = kind.ident()
        enrolled = self._roll[ident]
        if enrolled.set_aside:
            return
        if not enrolled.works:
            self._pending += [
                Pending(ident, end, one) for end, group in groups.items() for one in group
            ]
            return
        if enrolled.skips:
            groups = self._unskipped(ident, groups, cut)
        with self._roll.timed(ident):
            self._feed(kind, groups, now)

    def retry(self, kinds: dict[str, type[Plugin]], now: int) -> None:
        """Have statistics take what they have failed at before, where that is due."""
        done = []
        for one in self._store.pending(self._roll.working(), now, RETRIED_AT_ONCE):
            window = self._windows.open(kinds[one.statistic], [one.end])[one.end]
            before = window.state
            try:
                with self._roll.timed(one.statistic), self._store.guarded():
                    window.feed([one.message])
                done.append(one)
            except BaseException as error:  # noqa: BLE001  (a plugin may raise anything)
                demand_blame(self._store, error)
                window.put_back(before)
                one.fail(error, now)
                self._pending.append(one)
        for one in done:
            self._keep_own(kinds[one.statistic], {one.end: [one.message]})
        self._store.settle(done)

    def save(self) -> None:
        """Keep the messages that statistics have failed at."""
        pending, self._pending = self._pending, []
        if pending:
            self._store.save_pending(pending)

    def _unskipped(self, ident: str, groups: Groups, cut: int | None) -> Groups:
        """Without what a backfill has counted before it came here."""
        enrolled = self._roll[ident]
        if cut is not None and cut > enrolled.skips_until:
            self._roll.forget_skips(ident)
            return groups
        skips = set(np.frombuffer(enrolled.skips, "<u8").tolist())
        left = {
            end: [one for one in group if one.identity not in skips]
            if end > enrolled.skips_since
            else group
            for end, group in groups.items()
        }
        return {end: group for end, group in left.items() if group}

    def _feed(self, kind: type[Plugin], groups: Groups, now: int) -> None:
        windows = self._windows.open(kind, groups)
        try:
            with self._store.guarded():
                for end, group in groups.items():
                    windows[end].feed(group)
        except BaseException as error:  # noqa: BLE001  (a plugin may raise anything)
            demand_blame(self._store, error)
            for end, group in groups.items():
                self._feed_singly(kind, end, group, now)
        self._keep_own(kind, groups)

    def _feed_singly(self, kind: type[Plugin], end: int, group: list[Message], now: int) -> None:
        window = self._windows.reopen(kind, end)
        for message in group:
            before = window.state
            try:
                with self._store.guarded():
                    window.feed([message])
            except BaseException as error:  # noqa: BLE001  (a plugin may raise anything)
                demand_blame(self._store, error)
                window.put_back(before)
                failed = Pending(kind.ident(), end, message)
                failed.fail(error, now)
                what = f"message {message.get('_id')!r}"
                self._roll.failed(failed.statistic, what, failed.error)
                self._pending.append(failed)

    def _keep_own(self, kind: type[Plugin], groups: Groups) -> None:
        """A statistic that was filled in has a bucket of its own."""
        if kind.handles():
            enrolled = self._roll[kind.ident()]
            own = {end: kept(group) for end, group in groups.items() if enrolled.is_filled(end)}
            self._store.save_kept(kind.ident(), own)


def bucket_of(kind: type[Plugin], *, is_filled: bool) -> str:
    """Where the messages of a window are kept: in the bucket of the interval, which its statistics
    share, or, where a backfill made the window, in one of its own."""
    return kind.ident() if is_filled else shown(kind.interval)
