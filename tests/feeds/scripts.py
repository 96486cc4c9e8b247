"""Scripted CouchDB servers for the tests of feeds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pillowtop.endpoints import Endpoint
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_server import CouchServer
from pillowtop.feeds.reading import Read
from pillowtop.testing.scripted import Answer, Connection, Request, ScriptedServer

INFO = {
    "db_name": "db",
    "doc_count": 10,
    "sizes": {"external": 1000},
    "update_seq": "9-u",
    "instance_start_time": "1700000000",
}


def row(number: int, **fields: Any) -> bytes:
    """A row without its separator."""
    doc = {"_id": f"d{number}", "_rev": "1-a", "n": number}
    common = {"seq": f"{number}-g", "id": f"d{number}", "changes": [{"rev": "1-a"}], "doc": doc}
    return json.dumps({**common, **fields}).encode()


def rows(*numbers):
    return [row(number) for number in numbers]


def page(rows: Iterable[bytes], last_seq: Any = "end", pending: int = 0) -> bytes:
    """The body of a normal feed."""
    end = b'\n],\n"last_seq":%s,"pending":%d}\n' % (json.dumps(last_seq).encode(), pending)
    return b'{"results":[\n' + b",\r\n".join(rows) + end


def answering(changes: Answer, info: Any = None) -> Answer:
    """Answers the information about the database, and `_changes` as told."""

    def answer(request: Request, connection: Connection) -> None:
        if request.path.endswith("/_changes"):
            changes(request, connection)
        else:
            connection.reply(200, info or INFO)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Each request gets the next answer, the last one for ever."""
    endless = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(request: Request, connection: Connection) -> None:
        next(endless)(request, connection)

    return answer


def replying(status: int, body: object = b"", headers: dict[str, str] | None = None) -> Answer:
    return lambda _request, connection: connection.reply(status, body, headers or {})


def database_at(url: str, name: str = "db", **options: Any) -> CouchDatabase:
    endpoint = Endpoint.parse(url, **options)
    return CouchDatabase(endpoint, name, CouchServer(endpoint))


@contextmanager
def feed_of(
    changes: Answer, *, database: dict[str, Any] | None = None, **options: Any
) -> Iterator[tuple[CouchFeed, ScriptedServer]]:
    with ScriptedServer(answering(changes)) as server:
        yield CouchFeed(database_at(server.url, **(database or {})), **options), server


def asked(server: ScriptedServer) -> list[dict[str, str]]:
    """The parameters of the requests to `_changes`."""
    return [request.query for request in server.requests if request.path.endswith("/_changes")]


def take(reads: Iterable[Read], enough: Callable[[list[Read]], bool]) -> list[Read]:
    """Read until it is enough."""
    taken: list[Read] = []
    for read in reads:
        taken.append(read)
        if enough(taken):
            break
    return taken


def ids(reads: Iterable[Read]) -> list[str]:
    return [change.id for read in reads for change in read.changes]


def until_error(reads: Iterable[Read], kind: type[BaseException]) -> tuple[list[Read], Any]:
    """What was read before the error, and the error."""
    taken = []
    try:
        for read in reads:
            taken.append(read)  # noqa: PERF402 - what was taken before the error counts
    except kind as error:
        return taken, error
    raise AssertionError(f"{kind.__name__} was not raised, but {taken!r} read")
