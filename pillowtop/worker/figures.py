"""What a pillow shows of itself, counted where it happens: plain attributes, cheap to change."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from pillowtop.awaited import Answers, Awaited
from pillowtop.changes import Seq
from pillowtop.engine.figures import LONG_SECONDS, SHORT_SECONDS, Mishap, Rate, Snapshot, Waiting
from pillowtop.engine.ledger import Ledger
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.reading import Read
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.seats import Seat

CURRENT_SECONDS = 5.0
"""What was caught up with so lately counts as caught up."""

SILENT_SECONDS = 5.0
"""More than two heartbeats are missing."""

CRASH_SECONDS = 600.0
AT_ONCE_SECONDS = 1.0
"""Most answers come faster, and nobody waits for them all the time."""

PROCESS = f"{socket.gethostname()}:{os.getpid()}"


class Failure(NamedTuple):
    what: str
    since: float


class Life:
    """What is to be seen of one life of a pillow. `database` is the one that CouchDB feeds it."""

    def __init__(
        self,
        stream: str,
        database: CouchDatabase | None,
        seq: Seq,
        token: int,
        ledger: Ledger,
        delivery: Delivery,
        seat: Seat | None = None,
    ) -> None:
        self.stream = stream
        self.seat = seat
        self.database = database
        self.token = token
        self.ledger = ledger
        self.delivery = delivery
        self.checkpoint = seq
        self.saved_at = self.all_saved_at = time.monotonic()

    @property
    def position(self) -> Seq:
        return self.ledger.positions[self.stream]

    def saved(self, seq: Seq) -> None:
        self.checkpoint = seq
        self.saved_at = self.all_saved_at = time.monotonic()


class Figures:
    """Of one pillow, over all its lives in this process. Times are monotonic.

    `servers` are names for what stands at `host:port`.
    """

    def __init__(self, pillow: str, servers: Mapping[str, str] = {}) -> None:
        self.pillow = pillow
        self._servers = servers
        self._born = time.monotonic()
        self.changes = self.reads = self.batches = 0
        self.delivered = self.deleted = self.letters = self.retries = 0
        self.lives = self.crashes = 0
        self.pending_changes: int | None = None
        self.dead_letters: int | None = None
        self.answers = Answers()
        """Of those who read and deliver."""

        self.answers_aside = Answers()
        """Of those who save, look and ask now and then."""

        self.index = ""
        """What the pillow writes to, where that is an index."""

        self.counts: Mapping[str, int] = {}
        """What the target counts besides."""

        self.life: Life | None = None
        self._failing: dict[object, Failure] = {}
        self._silent_seconds = 0.0
        self._caught_up_at: float | None = None
        self._was_caught_up = False
        self._mark: tuple[float, int] | None = None
        self._rate = Rate()
        self._crashed_at: deque[float] = deque(maxlen=100)
        self._last_crash: tuple[str, float] | None = None
        self._last_error: tuple[str, float] | None = None

    # What happens.

    def begin(self) -> None:
        """Another life begins: what the last one waited for is its own."""
        self.lives += 1
        self.end()
        self._was_caught_up = False  # it may begin far behind

    def end(self) -> None:
        self.life = self._mark = self.pending_changes = None
        self._failing.clear()
        self._silent_seconds = 0.0

    def took(self, read: Read) -> None:
        """What a feed gave has been taken, but need not be delivered."""
        self.reads += 1
        self.changes += len(read.changes)
        self._silent_seconds = read.silent_seconds
        if self.life is None or not read.current:
            return
        self._look_at_mark()
        if self._mark is None:
            self._mark = read.at, self.life.ledger.opened
            self._look_at_mark()

    def landed(self, delivered: int, deleted: int, letters: int) -> None:
        """A batch is done: of what is delivered, some are deletions."""
        self.batches += 1
        self.delivered += delivered
        self.deleted += deleted
        self.letters += letters

    def failed(self, attempt: object, what: str, since: float) -> None:
        """An attempt failed, and will be repeated until it works."""
        self._failing[attempt] = Failure(what, since)
        self.note_error(what)

    def recovered(self, attempt: object) -> None:
        """It worked, or is not tried any more."""
        self._failing.pop(attempt, None)

    def crashed(self, what: str) -> None:
        now = time.monotonic()
        self.crashes += 1
        self._crashed_at.append(now)
        self._last_crash = self._last_error = what, now

    def note_error(self, what: str) -> None:
        self._last_error = what, time.monotonic()

    # What is to be seen of it.

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for something that has a limit of its own."""
        late = time.monotonic() - AT_ONCE_SECONDS
        return bool(self._failing) or any(one.since < late for one in self._awaited)

    def snapshot(self, state: str, reason: str) -> Snapshot:
        """The figures now."""
        now = time.monotonic()
        self._rate.look(now, self.changes)
        self._look_at_mark()
        behind_seconds = now - (self._caught_up_at or self._born)
        current = self._was_caught_up and behind_seconds < CURRENT_SECONDS
        shot = Snapshot(
            pillow=self.pillow,
            state=state,
            process=PROCESS,
            reason=reason,
            index=self.index,
            running_seconds=round(now - self._born, 1),
            pending_changes=self.pending_changes,
            caught_up=current,
            behind_seconds=0.0 if current else round(behind_seconds, 1),
            changes_per_second=round(self._rate.per_second(SHORT_SECONDS), 1),
            changes_per_second_of_a_minute=round(self._rate.per_second(LONG_SECONDS), 1),
            changes=self.changes,
            delivered=self.delivered,
            deleted=self.deleted,
            letters=self.letters,
            retries=self.retries,
            dead_letters=self.dead_letters,
            counts=dict(self.counts),
            waiting=self._waiting(now),
            lives=self.lives,
            crashes=self.crashes,
            recent_crashes=sum(now - one < CRASH_SECONDS for one in self._crashed_at),
            last_crash=_mishap(self._last_crash, now),
            last_error=_mishap(self._last_error, now),
        )
        if self.life:
            _add_life(shot, self.life, now)
        return shot

    @property
    def _awaited(self) -> list[Awaited]:
        seat = self.life.seat if self.life else None
        shared = seat.answers.awaited if seat and seat.answers else ()
        return [*self.answers.awaited, *self.answers_aside.awaited, *shared]

    def _look_at_mark(self) -> None:
        """Caught up is who has delivered all that there was when the feed had nothing more."""
        if self._mark and self.life and self.life.ledger.done >= self._mark[1]:
            self._caught_up_at, self._mark = self._mark[0], None
            self._was_caught_up = True

    def _waiting(self, now: float) -> list[Waiting]:
        found = [
            Waiting("failure", self._named(one.what), round(now - one.since, 1))
            for one in self._failing.values()
        ]
        for answer in self._awaited:
            seconds = now - answer.since
            if seconds >= answer.usual_seconds:
                what = f"{answer.server} has not answered for {seconds:.0f} s"
                found.append(Waiting("answer", what, round(seconds, 1)))
        if self._silent_seconds >= SILENT_SECONDS and self.life:
            what = (
                f"the feed of {self.life.database or self.life.stream} has brought nothing for "
                f"{self._silent_seconds:.0f} s, not even a heartbeat"
            )
            found.append(Waiting("silence", what, round(self._silent_seconds, 1)))
        # Many may wait for one thing: the oldest of each kind says it.
        oldest = {one.what: one for one in sorted(found, key=lambda one: one.seconds)}
        return sorted(oldest.values(), key=lambda one: -one.seconds)

    def _named(self, what: str) -> str:
        place = what.partition(" ")[0]
        return f"{self._servers[place]} at {what}" if place in self._servers else what


def _add_life(shot: Snapshot, life: Life, now: float) -> None:
    shot.stream, shot.token = life.stream, life.token
    shot.companions = life.seat.companions if life.seat else []
    shot.position, shot.checkpoint = life.position, life.checkpoint
    if shot.position == shot.checkpoint:
        life.all_saved_at = now
    shot.checkpoint_age_seconds = round(now - life.saved_at, 1)
    shot.unsaved_seconds = round(now - life.all_saved_at, 1)
    flying = life.delivery.flying
    shot.batches_in_flight = len(flying)
    shot.documents_in_flight = sum(len(one.items) + len(one.letters) for one in flying)
    if flying:
        shot.batch_age_seconds = round(now - min(flying.values()), 1)


def _mishap(mishap: tuple[str, float] | None, now: float) -> Mishap | None:
    return Mishap(mishap[0], round(now - mishap[1], 1)) if mishap else None
