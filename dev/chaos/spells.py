"""The harm that proxies do: to connections, bulks and feeds."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dev.chaos.network import Bite, ChaosProxy, Cut, Forward, Harmed, Slow, Spell
from dev.proxy import Matches, is_bulk, is_page
from pillowtop.testing.scripted import Connection, Request

# Spells on connections.


def any_request(request: Request) -> bool:
    return True


def resets(bite: Bite, rng: random.Random, share: float) -> Spell:
    """A share of all requests is answered by a reset."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if rng.random() < share:
            bite()
            connection.reset()
        else:
            forward(request, connection)

    return spell


def cuts(bite: Bite, rng: random.Random, share: float, matches: Matches = any_request) -> Spell:
    """A share of all replies ends in the middle."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        is_cut = matches(request) and rng.random() < share
        forward(request, Cut(connection, rng.randrange(2000), bite) if is_cut else connection)

    return spell


def slow(bite: Bite, ended: threading.Event) -> Spell:
    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        bite()
        forward(request, Slow(connection, lambda: not ended.is_set()))

    return spell


def half_open(bite: Bite, ended: threading.Event) -> Spell:
    """Requests are taken, and never answered."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if ended.is_set():
            forward(request, connection)
        else:
            bite()
            ended.wait()
            connection.reset()

    return spell


def held(
    bite: Bite,
    proxy: ChaosProxy,
    seconds: float,
    matches: Matches = any_request,
    times: int = sys.maxsize,
) -> Spell:
    """The first requests arrive when their client has long given up, and newer ones are applied."""
    left = iter(range(times))

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if matches(request) and next(left, None) is not None:
            bite()
            proxy.held.add(request)
            try:
                proxy.stopping.wait(seconds)
                forward(request, connection)
            finally:
                proxy.held.remove(request)
        else:
            forward(request, connection)

    return spell


# Spells on bulks.


def bulks_refused(bite: Bite, status: int) -> Spell:
    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if is_bulk(request):
            bite()
            error = {"type": "es_rejected_execution_exception", "reason": "chaos"}
            connection.reply(status, {"error": error, "status": status})
        else:
            forward(request, connection)

    return spell


def replies_lost(bite: Bite, rng: random.Random, share: float) -> Spell:
    """Bulks are applied, and nobody hears of it."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        is_lost = is_bulk(request) and rng.random() < share
        forward(request, Cut(connection, 0, bite) if is_lost else connection)

    return spell


def items_refused(bite: Bite, rng: random.Random, share: float) -> Spell:
    """A share of a bulk's items is answered with 429, and not applied."""

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        if not is_bulk(request):
            forward(request, connection)
            return
        items = list(_items(request.body))
        taken = [rng.random() >= share for _ in items]
        # What keeps a bulk from making an index stays in it.
        taken[next(number for number, item in enumerate(items) if not _deletes(item))] = True
        if not all(taken):
            bite()
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


def rewound(bite: Bite, times: int) -> Spell:
    """The feed starts from 0 once more, as after the loss of a node."""
    left = iter(range(times))

    def spell(request: Request, connection: Connection, forward: Forward) -> None:
        since = request.query.get("since")
        if is_page(request) and since not in (None, "0") and next(left, None) is not None:
            bite()
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
    """The rows of a page in another order, as shards answer.

    Rows of one document, which is in one shard, stay in theirs. A seq vouches for its row and all
    before it, so that it is left out where one of these comes later.
    """

    def shuffled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        turns: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            turns.setdefault(row["id"], []).insert(0, number)
        found, last = [], 0
        for place, row in enumerate(rng.sample(rows, len(rows))):
            number = turns[row["id"]].pop()
            last = max(last, number)
            seq = rows[place]["seq"] if last == place else None
            found.append({**rows[number], "seq": seq})
        return found

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
