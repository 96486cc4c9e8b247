"""Proxies between the worker and the servers, and the spells that lie on them."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import urllib3

from dev.proxy import Proxy, is_bulk, is_page
from pillowtop.testing.scripted import Connection, Request

Forward = Callable[[Request, Connection], None]
Spell = Callable[[Request, Connection, Forward], None]

SLOW_BYTES_PER_SECOND = 1000
SLOW_STEP_SECONDS = 0.05


class ChaosProxy(Proxy):
    """`spells` lie on every request; the last one comes first. Without them it only forwards."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.answer = self._answer
        self.spells: list[Spell] = []
        self.held = 0
        """How many requests wait here to be applied later."""

    def refuse(self) -> None:
        """Take no connections: what a machine does on which the server does not run."""
        self._server.shutdown()
        self._server.server_close()

    def accept(self) -> None:
        address = self._server.server_address
        self._server = type(self._server)(address, self._server.RequestHandlerClass)
        self.__enter__()

    def _answer(self, request: Request, connection: Connection) -> None:
        forward: Forward = self._forwarded
        for spell in list(self.spells):
            forward = partial(_under, spell, forward)
        forward(request, connection)

    def _forwarded(self, request: Request, connection: Connection) -> None:
        try:
            self._forward(request, connection)
        except urllib3.exceptions.HTTPError:
            connection.reset()


def _under(spell: Spell, forward: Forward, request: Request, connection: Connection) -> None:
    spell(request, connection, forward)


class Harmed(Connection):
    """A connection on which the way back is harmed."""

    def __init__(self, inner: Connection) -> None:
        super().__init__(inner._socket)  # noqa: SLF001
        self._inner = inner

    def close(self) -> None:
        self._inner.close()

    def reset(self) -> None:
        self._inner.reset()


class Cut(Harmed):
    """Ends after some bytes, in the middle of whatever is being said."""

    def __init__(self, inner: Connection, after: int) -> None:
        super().__init__(inner)
        self._left = after

    def send(self, data: bytes) -> None:
        if not self._inner.open:
            raise ConnectionResetError
        super().send(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            self.reset()
            raise ConnectionResetError


class Slow(Harmed):
    """Some bytes now and then, while `lasts` says so."""

    def __init__(self, inner: Connection, lasts: Callable[[], bool]) -> None:
        super().__init__(inner)
        self._lasts = lasts

    def send(self, data: bytes) -> None:
        step = int(SLOW_BYTES_PER_SECOND * SLOW_STEP_SECONDS)
        while data and self._lasts():
            super().send(data[:step])
            data = data[step:]
            time.sleep(SLOW_STEP_SECONDS)
        super().send(data)


# Spells on connections.


def resets(rng: random.Random, share: float) -> Spell:
    """A share of all requests is answered by a reset."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if rng.random() < share:
            connection.reset()
        else:
            forward(request, connection)

    return spell


def cuts(rng: random.Random, share: float) -> Spell:
    """A share of all replies ends in the middle."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        harmed = Cut(connection, rng.randrange(2000)) if rng.random() < share else connection
        forward(request, harmed)

    return spell


def slow(ended: threading.Event) -> Spell:
    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        forward(request, Slow(connection, lambda: not ended.is_set()))

    return spell


def half_open(ended: threading.Event) -> Spell:
    """Requests are taken, and never answered."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if ended.is_set():
            forward(request, connection)
        else:
            ended.wait()
            connection.reset()

    return spell


# Spells on bulks.


def late(proxy: ChaosProxy, seconds: float, times: int) -> Spell:
    """The first bulks arrive when their client has long given up, and newer ones are applied."""
    left = iter(range(times))

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if is_bulk(request) and next(left, None) is not None:
            proxy.held += 1
            try:
                proxy.stopping.wait(seconds)
                forward(request, connection)
            finally:
                proxy.held -= 1
        else:
            forward(request, connection)

    return spell


def bulks_refused(status: int) -> Spell:
    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if is_bulk(request):
            error = {"type": "es_rejected_execution_exception", "reason": "chaos"}
            connection.reply(status, {"error": error, "status": status})
        else:
            forward(request, connection)

    return spell


def replies_lost(rng: random.Random, share: float) -> Spell:
    """Bulks are applied, and nobody hears of it."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        lost = is_bulk(request) and rng.random() < share
        forward(request, Cut(connection, 0) if lost else connection)

    return spell


def items_refused(rng: random.Random, share: float) -> Spell:
    """A share of a bulk's items is answered with 429, and not applied."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if not is_bulk(request):
            forward(request, connection)
            return
        items = list(_items(request.body))
        taken = [rng.random() >= share for _ in items]
        # What keeps a bulk from making an index stays in it.
        taken[next(number for number, item in enumerate(items) if not _deletes(item))] = True
        body = b"".join(item for item, is_taken in zip(items, taken, strict=True) if is_taken)
        smaller = Request(request.method, request.target, request.headers, body)
        forward(smaller, _Mixed(connection, items, taken))

    return spell


class _Mixed(Harmed):
    """Puts refused items between those that the server has answered to."""

    def __init__(self, inner: Connection, items: list[bytes], taken: list[bool]) -> None:
        super().__init__(inner)
        self._items, self._taken = items, taken

    def reply(self, status: int, body: object = b"", headers: Any = {}) -> None:  # noqa: B006
        if status != 200:
            super().reply(status, body, headers)
            return
        assert isinstance(body, bytes)
        said = json.loads(body)
        answered = iter(said["items"])
        said["items"] = [
            next(answered) if is_taken else _refused(item)
            for item, is_taken in zip(self._items, self._taken, strict=True)
        ]
        said["errors"] = True
        super().reply(200, said, headers)


def _refused(item: bytes) -> dict[str, Any]:
    ((verb, what),) = json.loads(item.partition(b"\n")[0]).items()
    error = {"type": "es_rejected_execution_exception", "reason": "chaos"}
    return {verb: {"_index": "chaos", "_id": what["_id"], "status": 429, "error": error}}


def _items(body: bytes) -> Iterator[bytes]:
    lines = iter(body.splitlines(keepends=True))
    for line in lines:
        yield line if _deletes(line) else line + next(lines)


def _deletes(item: bytes) -> bool:
    return item.startswith(b'{"delete"')


# Spells on feeds.


def rewound(times: int) -> Spell:
    """The feed starts from 0 once more, as after the loss of a node."""
    left = iter(range(times))

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        since = request.query.get("since")
        if is_page(request) and since not in (None, "0") and next(left, None) is not None:
            request.target = _since_0(request.target)
        forward(request, connection)

    return spell


def _since_0(target: str) -> str:
    path, _, query = target.partition("?")
    kept = [part for part in query.split("&") if not part.startswith("since=")]
    return f"{path}?{'&'.join([*kept, 'since=0'])}"


def rows_repeated(request: Request, body: bytes) -> bytes:
    """Each row of a page twice."""
    return _rows_rewritten(lambda rows: [row for row in rows for _ in (1, 2)], request, body)


def rows_reordered(rng: random.Random) -> Callable[[Request, bytes], bytes]:
    """The rows of a page in another order, as shards answer; seqs stay where they stand."""

    def shuffled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seqs = [row["seq"] for row in rows]
        rng.shuffle(rows)
        return [{**row, "seq": seq} for row, seq in zip(rows, seqs, strict=True)]

    return partial(_rows_rewritten, shuffled)


def _rows_rewritten(
    rewrite: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], request: Request, body: bytes
) -> bytes:
    if not is_page(request) or not body.startswith(b'{"results"'):
        return body
    page = json.loads(body)
    page["results"] = rewrite(page["results"])
    return _as_couchdb_has_it(page)


def _as_couchdb_has_it(page: dict[str, Any]) -> bytes:
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in page["results"])
    rest = f'"last_seq":{json.dumps(page["last_seq"])},"pending":{page["pending"]}'
    return f'{{"results":[\n{rows}\n],\n{rest}}}\n'.encode()
