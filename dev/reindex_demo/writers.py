"""Writes at a steady rate: of ten writes six update, two create and two delete a document."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from airports.couch import CouchError
from dev.reindex_demo.documents import AirportDatabase, document
from dev.reindex_demo.journal import Journal
from pillowtop.endpoints import Endpoint

WRITERS = 4
UPDATED, CREATED, DELETED = 6, 2, 2
WRITES = UPDATED + CREATED + DELETED
"""In one request."""

MADE_UP_SECONDS = 1.0
"""Of a delay no more than this is made up for: there are to be no long bursts."""

JOIN_SECONDS = 60.0


class Writer(threading.Thread):
    """Has documents of its own, whose revisions it knows. `error` is why it has ended early."""

    def __init__(
        self,
        number: int,
        database: AirportDatabase,
        revs: Mapping[str, str],
        journal: Journal,
        per_second: float,
    ) -> None:
        super().__init__(name=f"writer {number}", daemon=True)
        self.error: CouchError | None = None
        self._database = database
        self._revs = dict(revs)
        self._ids = list(revs)
        self._journal = journal
        self._pause_seconds = WRITES / per_second
        self._chance = random.Random(number)  # noqa: S311
        self._created = 0
        self._ended = threading.Event()

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        at = time.monotonic()
        try:
            while not self._ended.wait(max(0.0, at - time.monotonic())):
                self._write()
                at = max(at + self._pause_seconds, time.monotonic() - MADE_UP_SECONDS)
        except CouchError as error:
            self.error = error

    def _write(self) -> None:
        updated = self._draw(UPDATED)
        deleted = self._draw(DELETED)
        created = [self._invent() for _ in range(CREATED)]
        numbers = self._journal.send(UPDATED + CREATED, deleted)
        written = dict(zip(updated + created, numbers, strict=True))
        documents = [document(one, number) | self._rev(one) for one, number in written.items()]
        revs = self._database.write(
            [*documents, *({"_id": one, "_deleted": True} | self._rev(one) for one in deleted)]
        )
        self._journal.acknowledge(CREATED, written, DELETED)
        self._revs.update(zip(written, revs, strict=False))
        self._ids += written
        for doc_id in deleted:
            del self._revs[doc_id]

    def _draw(self, count: int) -> list[str]:
        """Take documents out, any of them."""
        drawn = []
        for _ in range(count):
            place = self._chance.randrange(len(self._ids))
            self._ids[place], self._ids[-1] = self._ids[-1], self._ids[place]
            drawn.append(self._ids.pop())
        return drawn

    def _invent(self) -> str:
        """The id of another document for an airport that has some."""
        self._created += 1
        code = self._chance.choice(self._ids)[:3]
        return f"{code}-{self.name[-1]}-{self._created:06}"

    def _rev(self, doc_id: str) -> dict[str, str]:
        rev = self._revs.get(doc_id)
        return {"_rev": rev} if rev else {}


class Writers:
    """All of them, within a `with`."""

    def __init__(
        self, server: Endpoint, name: str, journal: Journal, revs: Mapping[str, str], rate: float
    ) -> None:
        self._journal = journal
        self._began = self._lasted = 0.0
        ids = sorted(revs)
        self._writers = [
            Writer(
                number,
                AirportDatabase(server, name),
                {doc_id: revs[doc_id] for doc_id in ids[number::WRITERS]},
                journal,
                rate / WRITERS,
            )
            for number in range(WRITERS)
        ]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for writer in self._writers:
            writer.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers:
            writer.end()
        for writer in self._writers:
            writer.join(JOIN_SECONDS)
        self._lasted = time.monotonic() - self._began

    @property
    def per_second(self) -> float:
        """Writes that were acknowledged, in the mean."""
        seconds = self._lasted or time.monotonic() - self._began
        return self._journal.writes / seconds

    def demand_all(self) -> None:
        """Raise the error of one that has ended."""
        for writer in self._writers:
            if writer.error:
                raise writer.error
