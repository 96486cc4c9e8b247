"""One reading of a feed that several follow: its reads in a chain, and who is where. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator

import msgspec

from pillowtop.changes import Change, Seq
from pillowtop.exceptions import PillowtopError
from pillowtop.feeds.reading import Read

READ_BYTES = 200
ROW_BYTES = 300
"""What is counted for a read and for a row, besides the document."""

PLACES_AT_MOST = 64

TURN_BYTES = 10 * 1024
JOINED_BYTES = 512 * 1024
"""A read should have so many for each reader, as it is a turn for each; but beyond these it brings
nothing more. See `docs/performance.md`, "Many pillows on one database"."""

JOINED_SECONDS = 0.1
"""And no row waits for longer than that for others: over a slow line a few come at a time."""

DECODED_BYTES = 2 * JOINED_BYTES
"""Of how much behind the end the decoded documents are kept for readers who are to take them."""


class Link:
    """A read, and the one behind it once there is one. `end` counts the bytes up to there."""

    __slots__ = ("end", "next", "read")

    def __init__(self, read: Read, end: int) -> None:
        self.read = read
        self.end = end
        self.next: Link | None = None


class Chain:
    """The reads of one reading that began behind `since`, for any number of readers.

    A reader sits at the last link that it took. Links know what is behind them only: so those
    that all have taken are free, but for `kept_bytes` in which late readers may find their seq.
    Seqs are looked for as they are; one that is not found says nothing about where it is.
    """

    def __init__(self, since: Seq, kept_bytes: int) -> None:
        self.last_seq = since
        """What vouches for all that was added, but for what came behind it without a seq."""

        self._head = Link(Read("", seq=since), 0)
        self._kept_bytes = kept_bytes
        self._decoded: deque[tuple[int, list[Change]]] = deque()
        self._places = {_key(since): self._head}
        self._seats: dict[Hashable, Link] = {}

    @property
    def readers(self) -> list[Hashable]:
        return list(self._seats)

    @property
    def worthwhile_bytes(self) -> int:
        """How large a read should be for so many readers."""
        return min(TURN_BYTES * len(self._seats), JOINED_BYTES)

    def add(self, read: Read) -> None:
        """Put a read behind all others."""
        link = Link(read, self._head.end + size_of(read))
        self._head.next = self._head = link
        if read.seq is not None:
            self.last_seq = read.seq
            self._places.pop(_key(read.seq), None)
            self._places[_key(read.seq)] = link
        self._forget()
        self._forget_decoded()
        self._decoded.append((link.end, read.changes))

    def sit_behind(self, since: Seq, reader: Hashable) -> bool:
        """Seat a reader who has had everything up to `since`. False where that is not known."""
        place = self._places.get(_key(since))
        if place is None:
            return False
        self._seats[reader] = place
        return True

    def sit_at_end(self, reader: Hashable) -> None:
        """Seat a reader to take what will be added from now on."""
        self._seats[reader] = self._head

    def leave(self, reader: Hashable) -> None:
        self._seats.pop(reader, None)

    def holds(self, reader: Hashable) -> bool:
        return reader in self._seats

    def take(self, reader: Hashable) -> Read | None:
        """The next read; None where there is none yet. Raises `KeyError` for one without a seat."""
        link = self._seats[reader].next
        if link is None:
            return None
        self._seats[reader] = link
        return link.read

    def behind(self, most_bytes: int) -> list[Hashable]:
        """Readers who have more than so many bytes before them."""
        limit = self._head.end - most_bytes
        return [reader for reader, link in self._seats.items() if link.end < limit]

    def _forget(self) -> None:
        """Let go of the oldest places."""
        limit = self._head.end - self._kept_bytes
        for key, place in list(self._places.items()):
            if place.end >= limit and len(self._places) <= PLACES_AT_MOST:
                return
            del self._places[key]

    def _forget_decoded(self) -> None:
        """Let go of what was decoded of reads that all have taken, or most: it is many times their
        size."""
        slowest = min((link.end for link in self._seats.values()), default=self._head.end)
        limit = max(slowest, self._head.end - DECODED_BYTES)
        while self._decoded and self._decoded[0][0] <= limit:
            for change in self._decoded.popleft()[1]:
                change.decoded = None


def joined(
    reads: Iterable[Read], least_bytes: Callable[[], int], most_seconds: float
) -> Iterator[Read]:
    """The same, joined where they are smaller than that and the feed has more to give at once.

    A read is a turn for every reader, which takes longer than a hundred changes that he does not
    want. None is kept once something comes that was read so much later. Where the feed is
    interrupted, what came before is passed on first.
    """
    before: Read | None = None
    size = 0
    try:
        for read in reads:
            whole = read if before is None else _behind(before, read)
            size = size_of(read) if before is None else size + size_of(read)
            early = read.at - whole.at < most_seconds
            waits = early and whole.more and whole.seq is None and size < least_bytes()
            before = whole if waits else None
            if not waits:
                yield whole
    except PillowtopError:
        if before is not None:
            yield before
        raise
    if before is not None:
        yield before


def _behind(before: Read, read: Read) -> Read:
    return msgspec.structs.replace(
        read,
        changes=before.changes + read.changes,
        unreadable=before.unreadable + read.unreadable,
        at=before.at,
    )


def size_of(read: Read) -> int:
    """About how many bytes of memory a read takes."""
    documents = sum(len(memoryview(change.doc)) for change in read.changes)
    lines = sum(len(one.line) for one in read.unreadable)
    return READ_BYTES + ROW_BYTES * len(read.changes) + documents + lines


def _key(seq: Seq) -> bytes:
    return msgspec.json.encode(seq)
