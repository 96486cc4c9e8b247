"""Makes the rows of windows that are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pillowtop.stats.feeding import bucket_of
from pillowtop.stats.intervals import from_microseconds
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.roll import Roll
from pillowtop.stats.states import begun
from pillowtop.stats.store import Store, demand_blame, wait, worded
from pillowtop.stats.windows import Window, Windows

CLOSED_AT_ONCE = 500
"""Windows that are closed in one transaction."""

STORED_AT_ONCE = 50
"""Windows whose rows are in memory together."""


class Closer:
    """A statistic that fails at a window is asked again later; the others go on."""

    def __init__(self, store: Store, roll: Roll, windows: Windows) -> None:
        self._store = store
        self._roll = roll
        self._windows = windows

    def close(self, kinds: dict[str, type[Plugin]], watermark: int, now: int) -> None:
        """Write the rows of windows that end by the watermark, where they have changed."""
        due = self._store.closable(self._roll.working(), watermark, now, CLOSED_AT_ONCE)
        ends: dict[str, list[int]] = {}
        for ident, end in due:
            ends.setdefault(ident, []).append(end)
        for ident, all_ends in ends.items():
            for first in range(0, len(all_ends), STORED_AT_ONCE):
                some = all_ends[first : first + STORED_AT_ONCE]
                with self._roll.timed(ident):
                    windows = self._windows.open(kinds[ident], some)
                    self._close(kinds[ident], list(windows.values()), now)

    def _close(self, kind: type[Plugin], windows: Sequence[Window], now: int) -> None:
        """All at once; where that fails, each by itself."""
        try:
            self._write(kind, windows)
        except BaseException as error:  # noqa: BLE001  (a plugin may raise anything)
            demand_blame(self._store, error)
            if len(windows) == 1:
                self._failed(windows[0], error, now)
                return
            for window in windows:
                self._close(kind, [window], now)

    def _failed(self, window: Window, error: BaseException, now: int) -> None:
        window.attempts += 1
        window.error, window.due_at = worded(error), now + wait(window.attempts)
        at = from_microseconds(window.end)
        self._roll.failed(window.kind.ident(), f"its window until {at}", window.error)

    def _write(self, kind: type[Plugin], windows: Sequence[Window]) -> None:
        with self._store.guarded():
            self._store.store(kind, {one.end: self._rows(one) for one in windows})
        for one in windows:
            one.is_stored, one.attempts, one.due_at, one.error = True, 0, 0, ""
        self._roll.worked(kind.ident())

    def _rows(self, window: Window) -> list[Any]:
        kind = window.kind
        if not (window.state or kind.handles()):
            return []  # it has failed at all of its messages so far
        made: Any = self._handled(window) if kind.handles() else window.updated()
        try:
            rows = list(made)
        except TypeError as error:
            raise TypeError(f"it gave {made!r} in place of rows: {error}") from error
        at = from_microseconds(window.end)
        for row in rows:
            if not isinstance(row, kind.model):
                raise TypeError(f"it gave {row!r} in place of a row of {kind.model.__name__}")
            if row.timestamp not in (None, at):
                raise TypeError(f"it gave {row!r} again, a row of the window until {row.timestamp}")
            row.statistic, row.timestamp = kind.ident(), at
        return rows

    def _handled(self, window: Window) -> Any:
        kind = window.kind
        is_filled = self._roll[kind.ident()].is_filled(window.end)
        messages = self._store.kept(bucket_of(kind, is_filled=is_filled), window.end)
        messages.sort(key=lambda one: (one.time, one.identity))
        return begun(kind).handle(messages)
