"""For tests of plugins: counts messages in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import msgspec

from pillowtop.stats.identities import identity_of
from pillowtop.stats.intervals import from_microseconds
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.progress import Progress
from pillowtop.stats.states import messages_of
from pillowtop.stats.store import Enrolled, Pending
from pillowtop.stats.times import microseconds
from pillowtop.stats.windows import Window


def message(at: datetime | str | float, document: Mapping[str, Any] = {}) -> Message:
    """A message that happened then; `_id` and `_rev` of the document tell it from others."""
    made = Message(document)
    made.time = microseconds(at)
    made.identity = identity_of(str(made.get("_id")), str(made.get("_rev")))
    return made


def rows_of(kind: type[Plugin], messages: Sequence[Message]) -> list[Any]:
    """The rows that a plugin makes of one window with these messages."""
    plugin = kind()
    plugin.initialize()
    if kind.handles():
        return list(plugin.handle(messages))
    plugin.process_all(messages)
    return list(plugin.update())


class MemoryStore:
    """Remembers until the process ends. `rows` are those of each statistic and window, by its end.

    Nothing in it is undone.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, datetime], list[Any]] = {}
        self.failed: dict[int, Pending] = {}
        self._progress = Progress()
        self._seen: list[tuple[int, bytes]] = []
        self._enrolled: dict[str, Enrolled] = {}
        self._windows: dict[tuple[str, int], Window] = {}
        self._open: set[tuple[str, int]] = set()
        self._kept: dict[tuple[str, int], list[bytes]] = {}

    def lock(self) -> None:
        """There is nobody else."""

    def progress(self) -> Progress:
        return self._progress.copy()

    def save_progress(self, progress: Progress) -> None:
        self._progress = progress.copy()

    def seen(self) -> Iterable[tuple[int, bytes]]:
        return self._seen

    def save_seen(self, parts: Iterable[tuple[int, bytes]]) -> None:
        self._seen += parts

    def enrolled(self) -> dict[str, Enrolled]:
        return {one.statistic: msgspec.structs.replace(one) for one in self._enrolled.values()}

    def save_enrolled(self, enrolled: Enrolled) -> None:
        self._enrolled[enrolled.statistic] = msgspec.structs.replace(enrolled)

    def windows(self, kinds: Sequence[type[Plugin]], ends: Sequence[int]) -> list[Window]:
        keys = [(kind.ident(), end) for kind in kinds for end in ends]
        return [_copy(self._windows[key]) for key in keys if key in self._windows]

    def save_windows(self, windows: Sequence[Window]) -> None:
        for one in windows:
            key = one.kind.ident(), one.end
            self._windows[key] = _copy(one)
            if one.is_stored:
                self._open.discard(key)
            else:
                self._open.add(key)

    def closable(
        self, statistics: Sequence[str], upto: int, now: int, count: int
    ) -> list[tuple[str, int]]:
        due = [
            (ident, end)
            for ident, end in self._open
            if end <= upto and ident in statistics and self._windows[ident, end].due_at <= now
        ]
        return sorted(due, key=lambda one: one[::-1])[:count]

    def kept(self, bucket: str, end: int) -> list[Message]:
        return [one for body in self._kept.get((bucket, end), ()) for one in messages_of(body)]

    def save_kept(self, bucket: str, parts: Mapping[int, bytes]) -> None:
        for end, body in parts.items():
            self._kept.setdefault((bucket, end), []).append(body)

    def pending(self, statistics: Sequence[str], now: int, count: int) -> list[Pending]:
        due = [
            msgspec.structs.replace(one)
            for one in self.failed.values()
            if one.statistic in statistics and one.due_at is not None and one.due_at <= now
        ]
        return due[:count]

    def save_pending(self, pending: Sequence[Pending]) -> None:
        for one in pending:
            one.id = one.id or max(self.failed, default=0) + 1
            self.failed[one.id] = msgspec.structs.replace(one)

    def settle(self, pending: Sequence[Pending]) -> None:
        for one in pending:
            assert one.id is not None
            del self.failed[one.id]

    def count_failed(self, statistic: str) -> int:
        attempts = [one.attempts for one in self.failed.values() if one.statistic == statistic]
        attempts += [one.attempts for key, one in self._windows.items() if key[0] == statistic]
        return sum(one > 0 for one in attempts)

    def has_rows(self, kind: type[Plugin]) -> bool:
        return any(ident == kind.ident() for ident, _end in self.rows)

    def store(self, kind: type[Plugin], windows: Mapping[int, list[Any]]) -> None:
        for end, rows in windows.items():
            self.rows[kind.ident(), from_microseconds(end)] = rows

    def forget(self, cut: int, first_slot: int) -> None:
        lacking = {(one.statistic, one.end) for one in self.failed.values()}
        over = [key for key, one in self._windows.items() if one.end <= cut and one.is_stored]
        for key in set(over) - lacking:
            del self._windows[key]
        needed = {end for _ident, end in self._windows}
        for bucket in [one for one in self._kept if one[1] <= cut and one[1] not in needed]:
            del self._kept[bucket]
        self._seen = [part for part in self._seen if part[0] >= first_slot]

    def guarded(self) -> AbstractContextManager[object]:
        return nullcontext()

    def demand_alive(self, error: BaseException) -> None:
        """Memory does not go away."""


def _copy(window: Window) -> Window:
    return msgspec.structs.replace(window, _plugin=None)
