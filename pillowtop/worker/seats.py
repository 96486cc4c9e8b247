"""A pillow's place at a feed that it shares: lags, leaves and joins without a loss (rule 10)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from pillowtop.awaited import Answers
from pillowtop.changes import Seq
from pillowtop.exceptions import PillowtopError
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.reading import Read
from pillowtop.worker.sharing import Group, Overtaken, Reading

LAG_SECONDS = 60.0
"""What one node of a cluster knows, all of them know after so long."""

PROOF_VERSIONS = 2**16


class Proof:
    """What is owed since joining others, where copies on several nodes may lag.

    Everything behind the position is to be read once more, at `due_at`. Its `version` is below
    those of what came meanwhile, and so loses against that; then the position is `read_to`.
    """

    def __init__(self, version: int, due_at: float, read_to: Seq) -> None:
        self.version = version
        self.due_at = due_at
        self.read_to = read_to


class Marks:
    """Where a reader was, second by second, for as long as a node may lag."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marks: deque[tuple[float, Seq]] = deque()

    def add(self, now: float, seq: Seq) -> None:
        if not self._marks or now - self._marks[-1][0] >= self._seconds / LAG_SECONDS:
            self._marks.append((now, seq))

    def old(self, now: float) -> Seq | None:
        """The last one that is old enough for all nodes to know it; None where none is."""
        while len(self._marks) > 1 and now - self._marks[1][0] >= self._seconds:
            self._marks.popleft()
        old_enough = self._marks and now - self._marks[0][0] >= self._seconds
        return self._marks[0][1] if old_enough else None


class Seat:
    """The feed of a pillow that shares it.

    `fills_in` says that documents are put into the changes it is given, `is_versioned` that its
    target refuses what is older. `feed` is its own, to read alone; `draw` draws versions.

    It begins where it has stopped, with others only where they are at the very same seq. Once up
    to date it joins, at the same seq if the others have come by it lately. Otherwise it sits down at the end of the shared reading, reads its own feed to a page
    that is not full, and goes on from its seat. What stood in the feed before the seat is in those
    pages, and what comes behind it will come, some of it for the second time, in an older state
    first. So the position becomes that of the seat, never that of the pages: whoever goes on from
    there gets the newer state again.

    Where a database has copies on several nodes the pages may have come from one that lags, and
    the seat may be at one: then the position goes back to where it was a minute before, which
    both know, and stays there until all since then was read once more, a minute later.
    """

    def __init__(
        self,
        name: str,
        group: Group,
        feed: CouchFeed,
        draw: Callable[[int], int],
        *,
        fills_in: bool,
        is_versioned: bool,
        lag_seconds: float = LAG_SECONDS,
    ) -> None:
        self.name = name
        self.stream = feed.stream
        self._group = group
        self._feed = feed
        self._draw = draw
        self._fills_in = fills_in
        self._is_versioned = is_versioned
        self._lag_seconds = lag_seconds
        self._since: Seq = None
        self._marks = Marks(lag_seconds)
        self._reading: Reading | None = None
        self._proof: Proof | None = None

    @property
    def companions(self) -> list[str]:
        """Who else reads from the same connection now."""
        seats = self._reading.readers if self._reading else []
        return sorted(one.name for one in seats if isinstance(one, Seat) and one is not self)

    @property
    def answers(self) -> Answers | None:
        """What the shared connection waits for."""
        return self._reading.answers if self._reading else None

    @property
    def unproven(self) -> Seq | None:
        """How far was read, where no position says so yet."""
        return self._proof.read_to if self._proof else None

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """What comes after `since`: see `Feed.read`."""
        self._since, ended = since, False
        try:
            while not ended:
                self._proof, self._marks = None, Marks(self._lag_seconds)
                reading = self._group.sit_behind(self._since, self.name, self, follow=follow)
                self._move(reading)
                try:
                    yield from self._along(follow)
                    ended = True
                except Overtaken:
                    pass
        except PillowtopError:
            self._group.expect(self.name)
            raise
        finally:
            self._move(None)

    def leave(self) -> None:
        """Say that nobody reads from here any more."""
        self._move(None)
        self._group.no_longer_expect(self.name)

    def _along(self, follow: bool) -> Iterator[Read]:
        """What the reading gives at which this seat is, which may change meanwhile."""
        assert self._reading is not None
        while (read := self._reading.take(self)) is not None:
            yield self._own(read)
            if self._proof and time.monotonic() >= self._proof.due_at:
                yield from self._prove(self._proof)
            elif follow and (read.current or read.caught_up):
                yield from self._join()

    def _own(self, read: Read) -> Read:
        """A read as this pillow may have it."""
        if self._fills_in:
            changes = [change.copy() for change in read.changes]
            read = msgspec.structs.replace(read, changes=changes, _documents=None)
        if read.seq is None:
            return read
        if self._proof:
            self._proof.read_to = read.seq
            return msgspec.structs.replace(read, seq=None)
        self._since = read.seq
        return read

    def _join(self) -> Iterator[Read]:
        """Go over to the main reading, if this is not it."""
        assert self._reading is not None
        now = time.monotonic()
        self._marks.add(now, self._since)
        main = self._group.better(self._reading)
        if main is None:
            return
        if main.sit_behind(self._since, self):
            self._move(main)  # both are at the same place: there is nothing to make sure of
            return
        lags = self._feed.database.info().copies > 1
        old = self._marks.old(now) if lags and self._is_versioned else None
        if lags and old is None:
            return
        place = main.sit_at_end(self)
        try:
            for read in self._feed.read(self._since, follow=False):
                yield msgspec.structs.replace(read, seq=None)
        except BaseException:
            main.leave(self)
            raise
        self._move(main)
        if lags:
            due_at = time.monotonic() + self._lag_seconds
            self._proof = Proof(self._draw(PROOF_VERSIONS), due_at, place)
        yield from self._go_to(old if lags else place)

    def _prove(self, proof: Proof) -> Iterator[Read]:
        """Read once more what the position does not vouch for; then it may."""
        for read in self._feed.read(self._since, follow=False):
            # All of them need be below what came meanwhile only, in no order of their own.
            yield msgspec.structs.replace(read, seq=None, version=proof.version)
        self._proof = None
        yield from self._go_to(proof.read_to)

    def _go_to(self, seq: Seq) -> Iterator[Read]:
        """Have the position be there once all is delivered that was read up to now."""
        self._since = seq
        yield Read(self.stream, seq=seq)

    def _move(self, reading: Reading | None) -> None:
        if self._reading is not None and self._reading is not reading:
            self._reading.leave(self)
        self._reading = reading
