"""What a child process is asked to do, and what it answers."""

from __future__ import annotations

from typing import Any

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `work` names it; the rest is what it works on.

    `material` is a folder with the recorded feed and the prebuilt bodies, `folder` one for this
    measurement alone, `books` the Django database: an entry of `DATABASES`.
    """

    work: str
    couchdb_url: str
    elasticsearch_url: str
    database: str
    alias: str
    documents: int
    material: str
    folder: str
    books: dict[str, Any]
    in_flight: int = 2
    transform: bool = False
    include_docs: bool = True
    pillows: int = 1


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in the child: its own processor time, not that of the servers."""

    documents: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    milliseconds_p50: float | None = None
    milliseconds_p99: float | None = None
    """From the start of a write to its delivery, or of a request to its answer: where that was
    measured."""

    feed_connections: int | None = None
    """How many there were at once, at most, where that was counted."""

    @property
    def documents_per_second(self) -> float:
        return self.documents / self.wall_seconds

    @property
    def cpu_microseconds(self) -> float:
        """Per document."""
        return self.cpu_seconds / self.documents * 1e6


class WorkNotDone(Exception):
    """A measurement whose work was not done has no figures."""
