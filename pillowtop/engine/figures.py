"""What a pillow has to show of itself: a snapshot, and how fast it is."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from pillowtop.changes import Seq

SHORT_SECONDS = 10.0
LONG_SECONDS = 60.0
STEP_SECONDS = 0.5


class Waiting(msgspec.Struct, frozen=True):
    """Something that a pillow waits for, in words, and for how many seconds by now.

    A `failure` is tried again until it works; an `answer` is due; `silence` is a feed without
    heartbeats.
    """

    kind: Literal["failure", "answer", "silence"]
    what: str
    seconds: float


class Mishap(msgspec.Struct, frozen=True):
    """What went wrong, and how many seconds ago."""

    what: str
    seconds_ago: float


class Snapshot(msgspec.Struct, kw_only=True):
    """The figures of one pillow at one moment, as the worker that runs it sees them.

    Times are durations up to that moment, by the worker's own clock. `state` is one of starting,
    running, standby, needs_reindex, elsewhere, halted, lease_lost, crashed, done. Counters begin
    with the process. None stands for what is not known (yet). `companions` are the pillows that
    read from the same connection. `counts` is what else the target counts, over all times. `index`
    is what is written to, where it is one; `provisional` says that the process runs the pillow
    only until another one does.
    """

    pillow: str
    state: str
    process: str
    reason: str = ""
    stream: str = ""
    companions: list[str] = []
    index: str = ""
    provisional: bool = False
    token: int = 0
    running_seconds: float = 0.0
    position: Seq | None = None
    checkpoint: Seq | None = None
    checkpoint_age_seconds: float | None = None
    unsaved_seconds: float = 0.0
    pending_changes: int | None = None
    caught_up: bool = False
    behind_seconds: float = 0.0
    changes_per_second: float = 0.0
    changes_per_second_of_a_minute: float = 0.0
    changes: int = 0
    delivered: int = 0
    deleted: int = 0
    letters: int = 0
    retries: int = 0
    dead_letters: int | None = None
    counts: dict[str, int] = {}
    batches_in_flight: int = 0
    documents_in_flight: int = 0
    batch_age_seconds: float = 0.0
    waiting: list[Waiting] = []
    lives: int = 0
    crashes: int = 0
    recent_crashes: int = 0
    last_crash: Mishap | None = None
    last_error: Mishap | None = None


class Rate:
    """How fast a counter has gone up lately, from what it was now and then."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def look(self, now: float, count: int) -> None:
        """Note what the counter is. Of looks that come fast, some are not."""
        if self._looks and now - self._looks[-1][0] < STEP_SECONDS:
            return
        self._looks.append((now, count))
        while now - self._looks[0][0] > LONG_SECONDS:
            self._looks.popleft()

    def per_second(self, seconds: float) -> float:
        """The rate over the last `seconds` before the latest look, or over less where it began."""
        if not self._looks:
            return 0.0
        now, count = self._looks[-1]
        first, before = next(one for one in self._looks if now - one[0] <= seconds)
        return (count - before) / (now - first) if now > first else 0.0
