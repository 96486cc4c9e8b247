"""What statistics remember, as values, and who keeps it."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec

import pillowtop
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.progress import Progress
from pillowtop.stats.windows import Window

ASKED, GATHERING = "asked", "gathering"
"""Stages of a backfill that takes over: see `pillowtop.stats.filling`."""

NOT_OF_THE_PROJECT = (
    Path(pillowtop.__file__).parent,
    *(Path(sysconfig.get_paths()[one]) for one in ("stdlib", "purelib", "platlib")),
)

RETRY_SECONDS = (60, 300, 1800, 7200, 86400)
"""When what failed is tried again, after each failure; then once a day."""


class Enrolled(msgspec.Struct):
    """A statistic that a pillow computes.

    `lacks` says why its past is to be filled in; `set_aside` why it is given no messages. `stage`
    is that of a backfill which is about to take over. One that has leaves `filled_since` (windows
    behind it are the work of backfills), and `skips`: the identities (8 bytes each) of messages up
    to `skips_until` that it has counted in windows behind `skips_since`, before they came here.
    """

    statistic: str
    version: int
    lacks: str = ""
    set_aside: str = ""
    stage: str = ""
    skips: bytes = b""
    skips_since: int = 0
    skips_until: int = 0
    filled_since: int | None = None

    @property
    def works(self) -> bool:
        return not self.set_aside and self.stage != GATHERING

    def is_filled(self, end: int) -> bool:
        """Whether a backfill has made the window that ends then."""
        return self.filled_since is not None and end > self.filled_since


class Pending(msgspec.Struct):
    """A message that is kept for a statistic, in its window that ends then: which failed at it, or
    is being filled in (without attempts, and not due)."""

    statistic: str
    end: int
    message: Message
    attempts: int = 0
    due_at: int | None = None
    error: str = ""
    id: int | None = None

    def fail(self, error: BaseException, now: int) -> None:
        self.attempts += 1
        self.error, self.due_at = worded(error), now + wait(self.attempts)


class Store(Protocol):
    """Where it is kept, for one pillow. Times are in microseconds since 1970."""

    def lock(self) -> None:
        """Have nobody else change what is kept until the transaction ends."""

    def progress(self) -> Progress: ...

    def save_progress(self, progress: Progress) -> None: ...

    def seen(self) -> Iterable[tuple[int, bytes]]: ...

    def save_seen(self, parts: Iterable[tuple[int, bytes]]) -> None: ...

    def enrolled(self) -> dict[str, Enrolled]: ...

    def save_enrolled(self, enrolled: Enrolled) -> None: ...

    def windows(self, kinds: Sequence[type[Plugin]], ends: Sequence[int]) -> list[Window]:
        """Those that there are of these statistics, and end then."""

    def save_windows(self, windows: Sequence[Window]) -> None: ...

    def closable(
        self, statistics: Sequence[str], upto: int, now: int, count: int
    ) -> list[tuple[str, int]]:
        """Statistics and ends of windows that are over, and whose rows are due; oldest first."""

    def kept(self, bucket: str, end: int) -> list[Message]: ...

    def save_kept(self, bucket: str, parts: Mapping[int, bytes]) -> None: ...

    def pending(self, statistics: Sequence[str], now: int, count: int) -> list[Pending]:
        """Those that are due."""

    def save_pending(self, pending: Sequence[Pending]) -> None: ...

    def settle(self, pending: Sequence[Pending]) -> None:
        """Forget those that have been taken."""

    def count_failed(self, statistic: str) -> int:
        """Messages and windows that it has failed at."""

    def has_rows(self, kind: type[Plugin]) -> bool: ...

    def store(self, kind: type[Plugin], windows: Mapping[int, list[Any]]) -> None:
        """Write the rows of windows, by their ends."""

    def forget(self, cut: int, first_slot: int) -> None:
        """Forget windows that end by then, are stored and lack no message; and slots before the
        first one."""

    def guarded(self) -> AbstractContextManager[object]:
        """Within it, what fails is undone by itself."""

    def demand_alive(self, error: BaseException) -> None:
        """Raise an error that no statistic is to blame for, or what the database raises where it
        does not work any more."""


def demand_blame(store: Store, error: BaseException) -> None:
    """Raise an error that no statistic is to blame for: what stops a greenlet or the process, and
    what the database says of itself."""
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "GreenletExit":
        raise error
    store.demand_alive(error)


def worded(error: BaseException) -> str:
    """What it says, and where it comes from: the last line of the project's own code."""
    name = type(error).__name__
    try:
        words = f"{name}: {error}"
    except Exception:  # noqa: BLE001  (a plugin's own, which cannot say what it is)
        words = name
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if not any(path.is_relative_to(one) for one in NOT_OF_THE_PROJECT):
            return f"{words} ({path.name}, line {frame.lineno})"
    return words


def wait(attempts: int) -> int:
    """For how many microseconds after so many failures."""
    return RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1] * 1_000_000
