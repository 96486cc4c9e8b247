"""The bodies of `_changes` as they come, and what else CouchDB may answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from http import HTTPStatus

from pillowtop.exceptions import FeedInterrupted
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_errors import Answer, Request, asks_for_sign_in, foreign
from pillowtop.feeds.couch_query import Query
from pillowtop.feeds.http_stream import HttpStream, build_request

MAX_REFUSAL_BYTES = 64 * 1024


class CouchStream:
    """One connection to a database's feed. `close` it in the end."""

    def __init__(self, database: CouchDatabase, filter_name: str = "") -> None:
        self._database = database
        self._server = database.server
        self._asked = Request(database.endpoint, database.name, filter_name)
        self._http = HttpStream(database.endpoint)
        self.close = self._http.close

    @property
    def backlog(self) -> bool:
        """Whether the last block was one of many."""
        return self._http.backlog

    @property
    def silent(self) -> bool:
        """Whether the last failure was a silence."""
        return self._http.silent

    @property
    def silent_seconds(self) -> float:
        """For how long nothing has come."""
        return self._http.silent_seconds

    def blocks(self, query: Query, silence_seconds: float) -> Iterator[bytes]:
        """The body of a 200 as it comes, an empty block now and then; the rest raises."""
        headers = self._server.headers()
        refusal = yield from self._attempt(query, headers, silence_seconds)
        if refusal and asks_for_sign_in(refusal) and self._server.renew(headers):
            refusal = yield from self._attempt(query, self._server.headers(), silence_seconds)
        if refusal:
            raise self._server.explain(refusal, self._asked)

    def _attempt(
        self, query: Query, headers: dict[str, str], silence_seconds: float
    ) -> Generator[bytes, None, Answer | None]:
        kind = {"content-type": "application/json"} if query.body else {}
        request = build_request(
            query.method,
            self._database.endpoint,
            self._database.path + query.target,
            {**headers, **kind},
            query.body,
        )
        refused = b""
        for block in self._http.blocks(request, silence_seconds):
            if self._http.response.status in (0, HTTPStatus.OK):
                self._check_kind()
                yield block
            else:
                refused += block
                if len(refused) > MAX_REFUSAL_BYTES:
                    break
        return self._refusal(refused)

    def _refusal(self, body: bytes) -> Answer | None:
        response = self._http.response
        if response.status == HTTPStatus.OK:
            return None
        if not response.status:
            raise FeedInterrupted(f"{self._asked.place} ended the connection without an answer")
        return Answer(response.status, dict(response.headers), body)

    def _check_kind(self) -> None:
        """A page of a proxy must not be taken for rows that cannot be read."""
        response = self._http.response
        if "html" in response.headers.get("content-type", ""):
            raise foreign(Answer(response.status, {}, b""), self._database.endpoint)
