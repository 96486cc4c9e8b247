"""Counts messages: each falls into a window of every interval, and each statistic takes it there.

All that is remembered goes through a `Store`, whose transaction it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress

import numpy as np

from pillowtop.stats.closing import Closer
from pillowtop.stats.feeding import Feeder
from pillowtop.stats.intervals import MICROSECOND, shown
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.progress import Rules, Times
from pillowtop.stats.roll import Roll
from pillowtop.stats.seen import SLOT_LENGTH, Seen, first_slot
from pillowtop.stats.states import kept
from pillowtop.stats.store import Store
from pillowtop.stats.windows import Groups, Windows


class Tally:
    """Of one pillow: made anew where a transaction was undone.

    `since`: windows that end by then are none of its. With `closes` false its windows stay open:
    another one is to take them over.
    """

    def __init__(
        self,
        pillow: str,
        kinds: Mapping[str, type[Plugin]],
        rules: Rules,
        store: Store,
        *,
        epoch: int = 0,
        since: int | None = None,
        closes: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kinds = dict(kinds)
        self._rules = rules
        self._store = store
        self._epoch = epoch
        self._since = since
        self._closes = closes
        self._clock = clock
        self._has_said_beyond = False
        self._lengths: dict[int, list[type[Plugin]]] = {}
        for kind in kinds.values():
            self._lengths.setdefault(kind.interval // MICROSECOND, []).append(kind)
        self.progress = store.progress()
        self._seen = Seen()
        self._seen.load(store.seen())
        self._roll = Roll(pillow, kinds, store, begun=self.progress.newest is not None)
        self._windows = Windows(store)
        self._feeder = Feeder(store, self._roll, self._windows)
        self._closer = Closer(store, self._roll, self._windows)

    def take(self, messages: list[Message], *, present: bool, idle: int = 0) -> None:
        """Count messages, and close windows where the feed has had nothing more for `idle`
        microseconds."""
        now, present = self._now(), present and self._closes
        self._store.lock()
        for statistic in self._roll.heed():
            self._windows.drop(statistic)
        if messages:
            self._judge(messages, now)
        if present:
            self._feeder.retry(self._kinds, now)
        self._feeder.save()
        self._windows.save()
        if present:
            self.progress.watermark = self.progress.at_present(self._rules, idle, now)
            self._close(now)
        self._roll.mind_failures()
        self._roll.mind_pace()
        self._store.save_seen(self._seen.taken())
        self._store.save_progress(self.progress)

    def wants_turn(self, idle: int) -> bool:
        """Whether a window is to be closed, or anything to be tried again."""
        if not self._closes:
            return False
        now, working = self._now(), self._roll.working()
        watermark = self.progress.at_present(self._rules, idle, now)
        return bool(
            (watermark is not None and self._store.closable(working, watermark, now, 1))
            or self._store.pending(working, now, 1)
            or self._roll.is_called()
        )

    def _judge(self, messages: list[Message], now: int) -> None:
        count = len(messages)
        times = np.fromiter((one.time for one in messages), np.int64, count)
        identities = np.fromiter((one.identity for one in messages), np.uint64, count)
        beyond = self.progress.beyond
        counted = self.progress.judge(times, identities, self._seen, self._rules, now)
        if self.progress.beyond > beyond and not self._has_said_beyond:
            self._has_said_beyond = True
            self._roll.tell_of_beyond()
        if counted.any():
            self._count(list(compress(messages, counted.tolist())), times[counted], now)

    def _count(self, messages: list[Message], times: Times, now: int) -> None:
        watermark, cut = self.progress.watermark, self.progress.cut(self._rules)
        late = np.zeros(len(times), np.bool_)
        for length, kinds in self._lengths.items():
            ends = times - (times - self._epoch) % length + length
            if watermark is not None:
                late |= ends <= watermark
            groups = self._grouped(messages, ends.tolist())
            self._keep(kinds, groups)
            self._windows.look_up([one for one in kinds if self._roll[one.ident()].works], groups)
            for kind in kinds:
                self._feeder.give(kind, groups, cut, now)
        self.progress.late += int(late.sum())

    def _grouped(self, messages: Iterable[Message], ends: Iterable[int]) -> Groups:
        """The bucket of an interval: messages by the end of their window."""
        groups: dict[int, list[Message]] = {}
        for message, end in zip(messages, ends, strict=True):
            group = groups.get(end)
            if group is None:
                groups[end] = [message]
            else:
                group.append(message)
        if self._since is None:
            return groups
        return {end: group for end, group in groups.items() if end > self._since}

    def _keep(self, kinds: Sequence[type[Plugin]], groups: Groups) -> None:
        """Keep messages for the statistics of an interval that want them all at once."""
        if self._closes and any(kind.handles() for kind in kinds):
            parts = {end: kept(group) for end, group in groups.items()}
            self._store.save_kept(shown(kinds[0].interval), parts)

    def _close(self, now: int) -> None:
        cut = self.progress.cut(self._rules)
        if self.progress.watermark is None or cut is None:
            return
        self._closer.close(self._kinds, self.progress.watermark, now)
        self._windows.save()
        forgotten = self.progress.forgotten
        if forgotten is None or cut >= forgotten + SLOT_LENGTH:
            self.progress.forgotten = cut
            self._seen.forget(cut)
            self._windows.forget(cut)
            self._store.forget(cut, first_slot(cut))

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)
