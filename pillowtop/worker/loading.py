"""Loads the documents that the feed does not carry, many at once and ahead of their turn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import gevent
from gevent.event import Event
from gevent.queue import Empty, Queue

from pillowtop.changes import Change, Seq
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import HookError, Way
from pillowtop.exceptions import TransientError
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.reading import Read, Unreadable
from pillowtop.worker.fetching import Fetcher
from pillowtop.worker.patience import Patience

CHUNK_DOCUMENTS = 400
CHUNK_BYTES = 1024 * 1024
CHUNK_BYTES_AT_MOST = 4 * CHUNK_BYTES
"""What documents beyond that would add to a request is left to be loaded one by one."""

CHUNKS_AHEAD = 4
"""How many are being loaded while the one before them is packed.

CouchDB finds all documents of a request before it sends the first one: fewer and larger requests
leave it idle in between.
"""

READS_AHEAD = 2


class Chunk:
    """Changes whose documents come by one request: of each document the last, in their order."""

    def __init__(self) -> None:
        self.opened_at = 0.0
        self.changes: dict[str, Change] = {}
        self.unreadable: list[Unreadable] = []
        self.seq: Seq = None
        self.more = True
        self.caught_up = self.current = False
        self.silent_seconds = 0.0
        self.version = 0
        self.is_loaded = Event()

    def add(self, change: Change) -> None:
        if not self.changes:
            self.opened_at = time.monotonic()
        self.changes.pop(change.id, None)
        self.changes[change.id] = change

    def end(self, read: Read) -> None:
        """All of a read is in this chunk and those before it."""
        if read.seq is not None:
            self.seq = read.seq
        self.unreadable += read.unreadable
        self.more, self.caught_up, self.current = read.more, read.caught_up, read.current
        self.silent_seconds = read.silent_seconds

    def as_read(self, stream: str) -> Read:
        return Read(
            stream,
            list(self.changes.values()),
            self.seq,
            self.more,
            self.caught_up,
            self.unreadable,
            self.current,
            self.silent_seconds,
            self.version,
        )


class Loader:
    """Stands between a feed without documents and the intake.

    Gathers changes in chunks and fills in their documents by `_bulk_get`, in a revision that is no
    older than the change (rule 5). A chunk is loaded when it is full, when it has waited for
    `linger_seconds`, or at once when the feed has nothing more; with `whole_reads` also where a seq
    vouches for it, so that none reaches beyond. What cannot be loaded stays as it is, and the
    pillow's own trigger looks for it again. `fetcher` says who fetches now, for all who were given
    the same changes.
    """

    def __init__(
        self,
        way: Way,
        database: CouchDatabase,
        versions: Versions,
        patience: Patience,
        spawn: Callable[..., gevent.Greenlet],
        linger_seconds: float,
        fetcher: Callable[[], Fetcher],
        *,
        whole_reads: bool = False,
    ) -> None:
        self._way = way
        self._database = database
        self._fetcher = fetcher
        self._trusted_since = 0.0
        self._versions = versions
        self._patience = patience
        self._spawn = spawn
        self._linger_seconds = linger_seconds
        self._whole_reads = whole_reads
        self._usual_bytes = float(CHUNK_BYTES)
        self._full = 1
        self._open = Chunk()
        self._flying: deque[Chunk] = deque()

    def measure(self) -> None:
        """Learn from the database how many documents make a chunk."""
        info = self._database.info()
        self._usual_bytes = info.external_bytes / max(info.doc_count, 1) + 1
        self._expect(self._usual_bytes)

    def load_anew(self) -> None:
        """Take nothing any more that others have asked for before now: documents may have been
        written since then, or removed, that were newer."""
        self._trusted_since = time.monotonic()

    def through(self, reads: Iterator[Read]) -> Iterator[Read]:
        """Reads with their documents, each with its version.

        They come in the order of the feed, and hooks are called by whoever iterates. Where the
        feed is interrupted, what came before is passed on first.
        """
        queue: Queue[Read | _End] = Queue(READS_AHEAD)
        reader = self._spawn(_read_ahead, reads, queue)
        self._open, self._flying = Chunk(), deque()
        try:
            while not isinstance(read := self._next(queue), _End):
                if read:
                    yield from self._gather(read)
                elif self._flying:
                    yield self._land()
                if self._seconds_left() == 0:
                    yield from self._flush()
            if self._open.changes or self._flying:
                yield from self._flush()
            if read.error:
                raise read.error
        finally:
            reader.kill(block=False)

    def _next(self, queue: Queue[Read | _End]) -> Read | _End | None:
        """What the feed gives; None where there is something better to do than to wait for it."""
        if self._flying and queue.empty():
            return None
        try:
            read: Read | _End = queue.get(timeout=self._seconds_left())
        except Empty:
            return None
        return read

    def _seconds_left(self) -> float | None:
        """For how long the open chunk may still wait; None where there is nothing in it."""
        if not self._open.changes:
            return None
        return max(self._open.opened_at + self._linger_seconds - time.monotonic(), 0.0)

    def _gather(self, read: Read) -> Iterator[Read]:
        for change in read.changes:
            self._open.add(change)
            if len(self._open.changes) >= self._full:
                yield from self._load_ahead()
        self._open.end(read)
        if not read.more:
            yield from self._flush()
        elif self._whole_reads and read.seq is not None:
            yield from self._load_ahead()

    def _load_ahead(self) -> Iterator[Read]:
        self._load()
        while len(self._flying) > CHUNKS_AHEAD:
            yield self._land()

    def _flush(self) -> Iterator[Read]:
        self._open.more = False
        self._load()
        while self._flying:
            yield self._land()

    def _load(self) -> None:
        """Have the open chunk loaded. Its versions are drawn before, or nearly (rule 2)."""
        chunk, self._open = self._open, Chunk()
        changes = list(chunk.changes.values())
        chunk.version = self._versions.draw(len(changes))
        self._flying.append(chunk)
        lacking = [change for change in self._way.wanted(changes) if self._lacks(change)]
        if lacking:
            self._spawn(self._fill, chunk, lacking)
        else:
            chunk.is_loaded.set()

    def _land(self) -> Read:
        """Wait for the oldest chunk."""
        chunk = self._flying[0]
        chunk.is_loaded.wait()
        self._flying.popleft()
        return chunk.as_read(self._database.name)

    def _lacks(self, change: Change) -> bool:
        if change.deleted or change.has_document:
            return False
        try:
            return not self._way.refuses(change)
        except HookError:
            return False

    def _fill(self, chunk: Chunk, changes: list[Change]) -> None:
        load = partial(self._database.load, at_most=CHUNK_BYTES_AT_MOST)
        fetch = partial(self._fetcher().fetch, changes, load, self._trusted_since)
        found = self._patience.until_done(fetch).values()
        for change in found:
            chunk.changes[change.id] = change
        sizes = [len(memoryview(change.doc)) for change in found if change.has_document]
        self._expect(sum(sizes) / max(len(sizes), 1))
        chunk.is_loaded.set()

    def _expect(self, document_bytes: float) -> None:
        """Fill chunks with as many documents as fit, if the next are like the last ones."""
        fitting = int(CHUNK_BYTES / max(document_bytes, self._usual_bytes))
        self._full = max(1, min(CHUNK_DOCUMENTS, fitting))


class _End(NamedTuple):
    """The feed has ended, perhaps by an interruption."""

    error: TransientError | None = None


def _read_ahead(reads: Iterator[Read], queue: Queue[Read | _End]) -> None:
    try:
        for read in reads:
            queue.put(read)
    except TransientError as error:
        queue.put(_End(error))
    else:
        queue.put(_End())
