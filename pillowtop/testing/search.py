"""An Elasticsearch in memory, behind a real port."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from pillowtop.testing.scripted import Connection, Request, ScriptedServer
from pillowtop.testing.search_api import replied
from pillowtop.testing.search_faults import Reply, SearchFault
from pillowtop.testing.search_index import FakeIndex, FakeIndices
from pillowtop.testing.search_refusals import Refusal

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
MAX_CONTENT_BYTES = 100 * 1024 * 1024


class FakeElasticsearch(ScriptedServer):
    """As much of Elasticsearch as pillowtop uses: indices, aliases, bulks, versions, searches.

        with FakeElasticsearch() as es:
            es.fail_next(reject("bad-id"))
            …                                   # something that writes to es.url
            assert es.documents("orders") == {…}

    A request that it does not know is answered with 400 and words. Bodies over
    `max_content_bytes` are answered with 413.
    """

    def __init__(self, *, max_content_bytes: int = MAX_CONTENT_BYTES) -> None:
        super().__init__(self._answer)
        self._max_content_bytes = max_content_bytes
        self._indices = FakeIndices()
        self._faults: list[tuple[SearchFault, str]] = []
        self._late: deque[Request] = deque()
        self._lock = threading.RLock()

    def fail_next(self, fault: SearchFault, path: str = "_bulk") -> None:
        """Have the next request whose path ends so suffer a fault; called again, the one after."""
        if not isinstance(fault, SearchFault):
            raise TypeError(f"{fault!r} is no fault of Elasticsearch, such as busy()")
        with self._lock:
            self._faults.append((fault, path))

    def apply_late(self) -> None:
        """Carry out what `late` has put off."""
        with self._lock:
            while self._late:
                self.carry_out(self._late.popleft(), {})

    # What it holds.

    def documents(self, name: str) -> dict[str, dict[str, Any]]:
        """The sources by id behind an index or alias, refreshed or not. Raises `LookupError`."""
        with self._lock:
            return {
                doc_id: stored.source
                for index in self._behind(name)
                for doc_id, stored in index.documents.items()
            }

    def versions(self, name: str) -> dict[str, int]:
        """The versions by id behind an index or alias. Raises `LookupError`."""
        with self._lock:
            return {
                doc_id: stored.version
                for index in self._behind(name)
                for doc_id, stored in index.documents.items()
            }

    def mapping(self, name: str) -> dict[str, Any]:
        """The mapping of an index, and what documents have added to it. Raises `LookupError`."""
        with self._lock:
            return self._behind(name)[0].mapping

    def aliases(self) -> dict[str, list[str]]:
        """The names of all indices, and their aliases."""
        with self._lock:
            return {index.name: list(index.aliases) for index in self._indices}

    def delete_index(self, name: str) -> None:
        """Delete an index, as an operator might. Raises `LookupError`."""
        with self._lock:
            self._indices.delete(self._behind(name)[0].name)

    def remove_alias(self, alias: str) -> None:
        """Take an alias from its indices. Raises `LookupError`."""
        with self._lock:
            for index in self._behind(alias):
                index.aliases.pop(alias, None)

    def _behind(self, name: str) -> list[FakeIndex]:
        try:
            return self._indices.behind(name)
        except Refusal:
            raise LookupError(
                f"no index and no alias is called {name!r}; there are {self.aliases()}"
            ) from None

    # How it answers.

    def _answer(self, request: Request, connection: Connection) -> None:
        with self._lock:
            fault = self._take_fault(request.path)
        exchange = _Exchange(self, request, connection)
        if fault:
            fault.suffer(exchange)
        else:
            exchange.reply(exchange.carry_out())

    def _take_fault(self, path: str) -> SearchFault | None:
        for number, (fault, ending) in enumerate(self._faults):
            if path.endswith(ending):
                del self._faults[number]
                return fault
        return None

    def put_off(self, request: Request) -> None:
        with self._lock:
            self._late.append(request)

    def carry_out(self, request: Request, refusals: Mapping[str, Refusal]) -> Reply:
        """Do what a request asks for, but for items that are refused; status and body."""
        if len(request.body) > self._max_content_bytes:
            return 413, b""
        with self._lock:
            return replied(self._indices, request, refusals)


class _Exchange:
    """One request and its connection, as a fault sees them."""

    def __init__(self, es: FakeElasticsearch, request: Request, connection: Connection) -> None:
        self._es = es
        self._request = request
        self.connection = connection
        self.refusals: dict[str, Refusal] = {}

    def carry_out(self) -> Reply:
        return self._es.carry_out(self._request, self.refusals)

    def put_off(self) -> None:
        self._es.put_off(self._request)

    def reply(self, reply: Reply) -> None:
        status, body = reply
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if self._request.method == "HEAD":
            content = b""
        self.connection.reply(status, content, PRODUCT)
