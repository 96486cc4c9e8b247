"""A pillow's place at a feed that it shares: lags, leaves and joins without a loss (rule 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import msgspec

from pillowtop.awaited import Answers
from pillowtop.changes import Seq
from pillowtop.exceptions import FeedInterrupted, PillowtopError, StartAgain
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.reading import Read
from pillowtop.worker.fetching import Fetcher
from pillowtop.worker.sharing import Group, Overtaken, Reading


class Seat:
    """The feed of one life of a pillow that shares it.

    `feed` is its own, to read alone. `identity` is that of the database, which `verify` demands
    to be so still: it is called before a connection is used that the pillow has not used yet.
    `verify_identity` demands no more than that: it is called for all who sit at a reading.

    It begins where it has stopped, with others only where they begin, too, at the very same seq:
    what they have read before may not be what the database says now. Once up to date it joins, at
    the same seq if the others have come by it lately. Otherwise it sits down at the end of the
    shared reading, reads its own feed to a page that is not full, and goes on from its seat. What
    stood in the feed before the seat is in those pages, and what comes behind it will come, some
    of it for the second time, in an older state first. So the position becomes that of the seat,
    never that of the pages: whoever goes on from there gets the newer state again.

    Where a database has copies on several nodes the pages may have come from one that lags behind
    the seat's, and lack what the seat will not bring: there it joins at the same seq only.
    """

    def __init__(
        self,
        name: str,
        group: Group,
        feed: CouchFeed,
        identity: str,
        verify: Callable[[], None],
        verify_identity: Callable[[], None],
    ) -> None:
        self.name = name
        self.stream = feed.stream
        self._group = group
        self._feed = feed
        self._identity = identity
        self._verify = verify
        self._verify_identity = verify_identity
        self._is_new = True
        self._since: Seq = None
        self._reading: Reading | None = None

    @property
    def companions(self) -> list[str]:
        """Who else reads from the same connection now."""
        seats = self._reading.readers if self._reading else []
        if self not in seats:  # the others have gone on without this one
            return []
        return sorted(one.name for one in seats if isinstance(one, Seat) and one is not self)

    @property
    def answers(self) -> Answers | None:
        """What the shared connection waits for."""
        return self._reading.answers if self._reading else None

    @property
    def fetcher(self) -> Fetcher:
        """Fetches the documents of what is read, once for all who read it."""
        shared = self._reading if self.companions else None
        return shared.fetcher if shared else Fetcher(kept_bytes=0)

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """What comes after `since`: see `Feed.read`. The caller has verified the database."""
        self._since = since
        try:
            while True:
                self._move(self._seated(follow=follow))
                try:
                    yield from self._along(follow)
                except Overtaken:
                    self._verify()
                else:
                    break
        except PillowtopError:
            self._group.expect(self.name)
            raise
        finally:
            self._move(None)
        if follow:
            raise FeedInterrupted(f"the feed of {self._feed.database} ended")

    def restart_all(self, error: StartAgain) -> None:
        """Have all who read the database decide anew where to start: it is not what it was."""
        self._group.end(error)

    def condemn(self) -> None:
        """Say that the shared connection brings nothing although there is something."""
        if self._reading:
            self._reading.is_condemned = True

    def leave(self) -> None:
        """Say that nobody reads from here any more."""
        self._move(None)
        self._group.no_longer_expect(self.name)

    def _seated(self, *, follow: bool) -> Reading:
        return self._group.sit_behind(
            self._since,
            self.name,
            self,
            self._identity,
            self._verify_identity,
            anew=self._is_new,
            follow=follow,
        )

    def _along(self, follow: bool) -> Iterator[Read]:
        """What the reading gives at which this seat is, which may change meanwhile."""
        assert self._reading is not None
        while (read := self._reading.take(self)) is not None:
            self._is_new = self._is_new and not read.caught_up
            if read.seq is not None:
                self._since = read.seq
            yield read
            if follow and (read.current or read.caught_up) and not self._is_new:
                yield from self._join()

    def _join(self) -> Iterator[Read]:
        """Go over to the main reading, if this is not it."""
        assert self._reading is not None
        main = self._group.better(self._reading)
        if main is None:
            return
        if main.sit_behind(self._since, self):
            self._move(main)
            return
        if self._nodes_may_lag:
            return
        self._verify()
        place = main.sit_at_end(self)
        if place is None:
            return
        try:
            for read in self._feed.read(self._since, follow=False):
                yield msgspec.structs.replace(read, seq=None)
        except BaseException:
            main.leave(self)
            raise
        self._move(main)
        # The position is there once all is delivered that was read up to now.
        self._since = place
        yield Read(self.stream, seq=place)

    @cached_property
    def _nodes_may_lag(self) -> bool:
        return self._feed.database.info().copies > 1

    def _move(self, reading: Reading | None) -> None:
        if self._reading is not None and self._reading is not reading:
            self._reading.leave(self)
        self._reading = reading
