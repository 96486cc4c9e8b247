"""What a feed gives to the one who follows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

import msgspec

from pillowtop.changes import DESIGN, Change, Seq


class Unreadable(msgspec.Struct, frozen=True):
    """A line that stayed unreadable at the same place.

    `digest` is the SHA-256, in hex, of the line without its own seq, which a cluster writes
    differently each time: so it is the same when the line is read again.
    """

    line: bytes
    digest: str
    cause: str


class Read(msgspec.Struct):
    """Some changes in the order of the feed, and what is known of the feed behind them.

    `seq` vouches for all of `changes` and all before them; None where the server sent none.
    `more` says that the feed has more to give at once, so that a batch may fill.
    `caught_up` is true at the end of a page that was not full: there is nothing more for now.
    `current` says that the feed has been heard from within seconds, and has had nothing more then.
    `silent_seconds` is for how long it has not been, where heartbeats were due.
    `at` is when it was read, in seconds of the monotonic clock: it may be taken much later.
    `version` is the first of the versions of the changes, where they were drawn before (rule 2).
    """

    stream: str
    changes: list[Change] = []
    seq: Seq | None = None
    more: bool = False
    caught_up: bool = False
    unreadable: list[Unreadable] = []
    current: bool = False
    silent_seconds: float = 0.0
    version: int | None = None
    at: float = msgspec.field(default_factory=time.monotonic)
    _documents: list[Change] | None = None

    def __post_init__(self) -> None:
        # Of a copy, too: it may have been given other changes.
        self._documents = None

    @property
    def documents(self) -> list[Change]:
        """The changes but those of design documents, found once for all who take them."""
        if self._documents is None:
            # Said without its property: that would be called for each change there is.
            self._documents = [one for one in self.changes if not one.id.startswith(DESIGN)]
        return self._documents


class Feed(Protocol):
    """A source of changes of one stream (a database, a partition, a file)."""

    stream: str

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """Yield what comes after `since`, first to the present, then, with `follow`, for ever.

        Without `follow` it ends behind the read that is `caught_up`. It yields an empty read now
        and then while nothing comes. It never ends by itself otherwise: an interruption is a
        `TransientError`, after which the caller reads again from the last seq it was given.
        """
