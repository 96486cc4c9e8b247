"""What was written when, and so what a read through the alias has to find.

A write is in flight for `lag_seconds` after it was acknowledged. A read that begins at a time
counts

- as documents that it has to see: those that were there before all writes, and the creations
  that were acknowledged `lag_seconds` before it began, less all deletions that were sent before
  it ended;
- as writes that it has to see: the last ones that were acknowledged `lag_seconds` before it
  began, but for documents whose deletion was sent before it ended.

A read that sees less is short.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

SAMPLE = 100
NEVER = float("inf")


@dataclass(frozen=True)
class Due:
    """What has to be seen by a read that begins at a time, unless it is deleted meanwhile."""

    documents: int
    writes: Mapping[str, int]
    """Ids, and the number of the last write of each."""


class Journal:
    """Shared by writers and one reader. `documents` is how many there are before all writes."""

    def __init__(
        self,
        documents: int,
        lag_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lag_seconds = lag_seconds
        self.writes = 0
        """Acknowledged so far."""

        self._clock = clock
        self._lock = threading.Lock()
        self._documents = documents
        self._acknowledged = [0.0]  # of each number; documents have 0 that nobody has written yet
        self._fresh: deque[tuple[float, int, list[tuple[str, int]]]] = deque()
        self._due: deque[tuple[str, int]] = deque(maxlen=SAMPLE)
        self._created = 0
        self._doomed: set[str] = set()
        self._deletions_sent = 0

    # What writers say.

    def send(self, count: int, deleted: Collection[str]) -> range:
        """Before a request: numbers for so many writes, other than those that delete."""
        with self._lock:
            first = len(self._acknowledged)
            self._acknowledged += [NEVER] * count
            self._doomed.update(deleted)
            self._deletions_sent += len(deleted)
            return range(first, first + count)

    def acknowledge(self, created: int, written: Mapping[str, int], deleted: int) -> None:
        """After it: how many it has created, which numbers documents have, how many are gone."""
        with self._lock:
            now = self._clock()
            for number in written.values():
                self._acknowledged[number] = now
            self._fresh.append((now, created, list(written.items())))
            self.writes += len(written) + deleted

    # What a reader asks.

    def due(self, began: float) -> Due:
        """To be asked in the order of times."""
        with self._lock:
            while self._fresh and self._fresh[0][0] <= began - self.lag_seconds:
                _, created, written = self._fresh.popleft()
                self._created += created
                self._due.extend(written)
            writes = {doc_id: number for doc_id, number in self._due if doc_id not in self._doomed}
            return Due(self._documents + self._created, writes)

    def fewest(self, due: Due) -> int:
        """How many documents a read that ends now has to see."""
        with self._lock:
            return due.documents - self._deletions_sent

    def lacks(self, due: Due, seen: Mapping[str, int]) -> list[str]:
        """The ids of documents that a read that ends now has not seen, or not as written."""
        with self._lock:
            return [
                doc_id
                for doc_id, number in due.writes.items()
                if seen.get(doc_id, -1) < number and doc_id not in self._doomed
            ]

    def behind(self, began: float, newest: int) -> float:
        """For how many seconds there had been a newer write than the newest that is seen."""
        with self._lock:
            later: Iterable[float] = self._acknowledged[newest + 1 : newest + 2]
        return max((began - at for at in later if at < began), default=0.0)
