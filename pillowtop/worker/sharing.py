"""One connection to a feed for all pillows that follow it (rule 10)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import gevent
from gevent.event import Event

from pillowtop import awaited
from pillowtop.awaited import Answers
from pillowtop.changes import Seq
from pillowtop.engine.chains import JOINED_SECONDS, Chain, joined
from pillowtop.engine.items import Transactional
from pillowtop.engine.way import Way
from pillowtop.exceptions import PillowtopError
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.reading import Feed, Read
from pillowtop.listener import BasicPillow
from pillowtop.worker.fetching import Fetcher

logger = logging.getLogger(__name__)

AHEAD_BYTES = 4 * 1024 * 1024
"""How far those who share a reading may be apart."""

FETCHED_BYTES = 2 * 1024 * 1024
"""How much of what was loaded is kept for the others; decoded for filters it is many times that."""

AHEAD_ALONE_BYTES = 256 * 1024
KEPT_BYTES = 256 * 1024

HELD_SECONDS = 0.1
HELD_SHARE = 0.02
"""For so long, and for such a share of the time, may some wait for those who are slower."""

GATHER_SECONDS = 2.0
"""For how long a reading waits at its start for those who are about to follow, too."""

TURN_SECONDS = 0.000001
"""More than nothing: gevent looks for answers of servers and at the time between two rounds of its
loop only, and of those who wait for nothing 50 go on within one, however long each may compute."""

USUAL = BasicPillow.get_feed, BasicPillow.get_database
"""Of who makes these himself nobody knows what they are for."""


class Overtaken(PillowtopError):
    """A reading has gone on without a reader who was too slow."""


class Reading:
    """One connection to a feed, from `since` on, for all readers that sit at it.

    `identity` is that of the database which it was opened to read. `gather` is called before it
    begins, and `ended` once it is over.

    It is at most so many bytes ahead of the slowest of them. Where that makes others wait for
    too long it goes on without him. It ends with the feed, with an error, or with its last reader.
    """

    def __init__(
        self,
        feed: Feed,
        since: Seq,
        identity: str,
        *,
        follow: bool,
        gather: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self.answers = Answers()
        """What the connection waits for."""

        self.fetcher = Fetcher(FETCHED_BYTES)
        """Fetches documents that it does not carry, where several share it."""

        self.identity = identity
        self.has_begun = False
        self.is_condemned = False
        """Whether somebody has stalled at it: nobody may sit down there any more."""

        self.is_over = False
        self.is_current = False
        """Whether it has nothing more to give for now."""

        self._chain = Chain(since, KEPT_BYTES)
        self._error: BaseException | None = None
        self._is_ended = False
        self._news: dict[Hashable, Event] = {}
        self._waiting: set[Hashable] = set()
        self._moved = Event()
        self._held_seconds = 0.0
        self._held_at = time.monotonic()
        self._ended = ended
        self._greenlet = gevent.spawn(self._read, feed, since, follow, gather)

    @property
    def readers(self) -> Sequence[Hashable]:
        return self._chain.readers

    def sit_behind(self, since: Seq, reader: Hashable) -> bool:
        """Seat a reader who has had everything up to `since`; False where that cannot be."""
        if not (self.takes_readers and self._chain.sit_behind(since, reader)):
            return False
        self._news[reader] = Event()
        return True

    @property
    def takes_readers(self) -> bool:
        return not (self.is_over or self.is_condemned)

    def sit_at_end(self, reader: Hashable) -> Seq | None:
        """Seat a reader to get what will be read from now on; return a seq behind which that is.

        None where that cannot be.
        """
        if not self.takes_readers:
            return None
        self._chain.sit_at_end(reader)
        self._news[reader] = Event()
        return self._chain.last_seq

    def leave(self, reader: Hashable) -> None:
        self._chain.leave(reader)
        self._news.pop(reader, None)
        self._moved.set()
        if not self._chain.readers:
            self.is_over = True
            self._greenlet.kill(block=False)

    def take(self, reader: Hashable) -> Read | None:
        """Wait for the next read; None at the end. Raises `Overtaken`, or what ended the feed."""
        while self._chain.holds(reader) and not self._is_ended:
            read = self._chain.take(reader)
            if read is not None:
                self._moved.set()
                return read
            if self.is_over:
                if self._error is not None:
                    raise self._error
                return None
            self._wait(reader)
        if self._is_ended and self._error is not None:
            raise self._error
        raise Overtaken("the reading that was shared has gone on")

    def end(self, error: PillowtopError) -> None:
        """End it for all, with an error that they are to raise."""
        self._error, self._is_ended = error, True
        self.is_over = True
        self._tell(self._chain.readers)
        self._greenlet.kill(block=False)

    def _wait(self, reader: Hashable) -> None:
        self._news[reader].clear()
        self._waiting.add(reader)
        self._moved.set()
        try:
            self._news[reader].wait()
        finally:
            self._waiting.discard(reader)

    def _read(self, feed: Feed, since: Seq, follow: bool, gather: Callable[[], None]) -> None:
        awaited.keep_in(self.answers)
        try:
            gather()
            self.has_begun = True
            reads = feed.read(since, follow)
            for read in joined(reads, lambda: self._chain.worthwhile_bytes, JOINED_SECONDS):
                self.is_current = read.current or read.caught_up
                self._chain.add(read)
                self._tell(self._chain.readers)
                # All take it before the next one is read: its documents are decoded for all.
                gevent.sleep(TURN_SECONDS)
                self._wait_for_room()
        except gevent.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001  (its readers raise it)
            self._error = error
        finally:
            self.is_over = True
            self._ended()
            self._tell(self._chain.readers)

    def _tell(self, readers: Iterable[Hashable]) -> None:
        for reader in readers:
            self._news[reader].set()

    def _wait_for_room(self) -> None:
        while slow := self._slow():
            started, held = time.monotonic(), bool(self._waiting)
            if held and self._is_held_too_long():
                # What has been waited for counts on: whoever is slow next goes at once.
                for reader in slow:
                    self._chain.leave(reader)
                self._tell(slow)
                return
            self._moved.clear()
            self._moved.wait(self._patience_seconds if held else None)
            if held:
                self._held_seconds += time.monotonic() - started

    @property
    def _patience_seconds(self) -> float:
        return max(HELD_SECONDS - self._held_seconds, HELD_SECONDS / 10)

    def _slow(self) -> Sequence[Hashable]:
        alone = len(self._news) == 1
        return self._chain.behind(AHEAD_ALONE_BYTES if alone else AHEAD_BYTES)

    def _is_held_too_long(self) -> bool:
        now = time.monotonic()
        allowed = HELD_SHARE * (now - self._held_at)
        self._held_seconds, self._held_at = max(self._held_seconds - allowed, 0.0), now
        return self._held_seconds > HELD_SECONDS


class Group:
    """Pillows that follow the same feed, by their names, and their readings of it.

    Those who are up to date read from `main`. Who lags has a reading of his own, or with others
    who lag from the very same seq.
    """

    def __init__(self, names: Iterable[str], make_feed: Callable[[], Feed]) -> None:
        self._make_feed = make_feed
        self._idle_feeds: list[Feed] = []
        self._main: Reading | None = None
        self._readings: list[Reading] = []
        self._awaited = set(names)
        self._nobody_awaited = Event()

    def sit_behind(
        self,
        since: Seq,
        name: str,
        reader: Hashable,
        identity: str,
        verify_identity: Callable[[], None],
        *,
        anew: bool,
        follow: bool,
    ) -> Reading:
        """Seat a reader who has had everything up to `since`, at a reading of his own at worst.

        `identity` is that of the database in which `since` is, and `verify_identity` raises where
        it has another by now. With `anew` nothing serves that others have read before: the reader
        is to hear what the database says now.
        """
        self.no_longer_expect(name)
        self._readings = [one for one in self._readings if not one.is_over]
        for reading in self._readings:
            fits = reading.identity == identity and not (anew and reading.has_begun)
            if fits and reading.sit_behind(since, reader):
                return reading
        made = self._begun(since, identity, verify_identity, follow=follow)
        made.sit_behind(since, reader)
        self._readings.append(made)
        return made

    def better(self, reading: Reading) -> Reading | None:
        """Where a reader who is up to date should sit instead, if anywhere."""
        main = self._main
        if main is None or not main.takes_readers or main.identity != reading.identity:
            if reading.takes_readers:
                self._main = reading
            return None
        return main if main is not reading and main.is_current else None

    def end(self, error: PillowtopError) -> None:
        """End all readings, with an error that their readers are to raise."""
        for reading in self._readings:
            if not reading.is_over:
                reading.end(error)

    def _begun(
        self, since: Seq, identity: str, verify_identity: Callable[[], None], *, follow: bool
    ) -> Reading:
        # A feed knows how large a page may be, for how long it is silent and what cannot be
        # read: that is to outlive a reading, but no two of them may use one.
        feed = self._idle_feeds.pop() if self._idle_feeds else self._make_feed()

        def prepare() -> None:
            self._gather()
            # It took its time, in which another database may have come in place of this one.
            verify_identity()

        return Reading(
            feed,
            since,
            identity,
            follow=follow,
            gather=prepare,
            ended=lambda: self._idle_feeds.append(feed),
        )

    def expect(self, name: str) -> None:
        """Say that somebody is about to read on."""
        self._awaited.add(name)

    def no_longer_expect(self, name: str) -> None:
        self._awaited.discard(name)
        if not self._awaited:
            self._nobody_awaited.set()

    def _gather(self) -> None:
        """Wait for those who are about to read: they may begin at the same place."""
        if self._awaited:
            self._nobody_awaited.clear()
            self._nobody_awaited.wait(GATHER_SECONDS)
            self._awaited.clear()


def groups_of(pillows: Iterable[BasicPillow]) -> dict[str, Group]:
    """The groups of those that share a feed, by their names.

    What is wrong with a pillow shows in its own life.
    """
    followers: dict[Hashable, dict[str, CouchFeed]] = {}
    takers = set()
    for pillow in pillows:
        with suppress(Exception):
            feed = pillow.get_feed()
            # One that counts each change must not see it twice, as who joins others may.
            counts = isinstance(pillow.get_transport(), Transactional)
            kind = type(pillow)
            is_usual = (kind.get_feed, kind.get_database) == USUAL
            if isinstance(feed, CouchFeed) and is_usual and not counts:
                followers.setdefault(feed.selects, {})[pillow.name] = feed
                if pillow.include_docs or Way(pillow, BasicPillow).wants_each_document:
                    takers.add(pillow.name)
    groups: dict[str, Group] = {}
    for feeds in followers.values():
        if len(feeds) > 1:
            group = _group(feeds, include_docs=not takers.isdisjoint(feeds))
            groups |= dict.fromkeys(feeds, group)
    return groups


def _group(feeds: Mapping[str, CouchFeed], *, include_docs: bool) -> Group:
    """Documents are sent to all where any takes each of them: so they are fetched once."""
    first = next(iter(feeds.values()))
    logger.info(
        "%s: %d pillows share one connection, once they are up to date at least: %s",
        first.stream,
        len(feeds),
        ", ".join(sorted(feeds)),
        extra={"action": "shared", "pillows": sorted(feeds)},
    )
    return Group(feeds, partial(first.anew, include_docs=include_docs))
