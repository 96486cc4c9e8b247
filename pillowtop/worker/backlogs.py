"""How many changes wait in a database, asked for all pillows of a process."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import NamedTuple

import gevent

from pillowtop.changes import Seq
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_values import encode_seq

KEPT_SECONDS = 2.0


class _Asked(NamedTuple):
    at: float
    answer: gevent.Greenlet


class Backlogs:
    """Asks a database at most once in so many seconds what waits behind the same position: there
    are all pillows that share a feed, but for those that are behind."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._asked: dict[Hashable, _Asked] = {}

    def behind(self, database: CouchDatabase, seq: Seq) -> int:
        """How many changes there are behind `seq`. Raises as `CouchDatabase.pending`."""
        key = database.endpoint, database.name, encode_seq(seq)
        now = time.monotonic()
        self._asked = {
            place: one for place, one in self._asked.items() if now < one.at + self._kept_seconds
        }
        if key not in self._asked:
            # In a greenlet of its own: who asks may be stopped while others wait for the answer.
            self._asked[key] = _Asked(now, gevent.spawn(_count, database, seq))
        asked = self._asked[key]
        count: int
        count, error = asked.answer.get()
        if error is not None:
            if self._asked.get(key) is asked:
                del self._asked[key]  # it may be over by the time that somebody asks again
            raise error
        return count


def _count(database: CouchDatabase, seq: Seq) -> tuple[int, Exception | None]:
    """The number, or why there is none: gevent would print what is raised in its greenlet."""
    try:
        return database.pending(seq), None
    except Exception as error:  # noqa: BLE001  (raised where it was asked for)
        return 0, error
