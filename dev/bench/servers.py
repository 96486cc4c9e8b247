"""The servers that everything is measured on: named ones, or our own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.servers import CouchServer, PostgresServer, SearchServer
from dev.servers.process import Server

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
HEAP = "1g"


@dataclass(frozen=True)
class Place:
    """A server. `process` is known where it is ours."""

    name: str
    url: str
    process: int | None = None

    def cpu_seconds(self) -> float | None:
        """The processor time that the server has taken until now."""
        if self.process is None:
            return None
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


@dataclass(frozen=True)
class Places:
    couchdb: Place
    elasticsearch: Place
    postgresql: Place


class LongRunningSearchServer(SearchServer):
    """One that compiles for speed, as in production, rather than for a fast start."""

    def _environment(self) -> Mapping[str, str]:
        # This variable is read after the command line.
        return {**super()._environment(), "_JAVA_OPTIONS": "-XX:TieredStopAtLevel=4"}


@contextmanager
def running_servers() -> Iterator[Places]:
    """The servers that COUCHDB_URL, ELASTICSEARCH_URL and POSTGRESQL_URL name, or our own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pillowtop-bench-")))
        yield Places(
            _named("COUCHDB_URL") or _own(stack, CouchServer(folder / "couch")),
            _named("ELASTICSEARCH_URL")
            or _own(stack, LongRunningSearchServer(folder / "search", heap=HEAP)),
            _named("POSTGRESQL_URL") or _own(stack, PostgresServer()),
        )


def _named(variable: str) -> Place | None:
    url = os.environ.get(variable)
    return Place(variable, url) if url else None


def _own(stack: ExitStack, server: Server) -> Place:
    stack.enter_context(server)
    return Place(server.title, server.url, server.pid)
