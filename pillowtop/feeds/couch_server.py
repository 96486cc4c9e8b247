"""A CouchDB server: a pool of connections for requests, and the session of its user."""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError, SSLError

from pillowtop.awaited import BULK_SECONDS, USUAL_SECONDS, answer_of
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import FeedInterrupted, PillowtopError, ServerBusy, ServerUnreachable
from pillowtop.feeds.couch_errors import (
    Answer,
    Request,
    asks_for_sign_in,
    error_of,
    foreign,
)
from pillowtop.feeds.large_answers import LargeAnswers
from pillowtop.feeds.tls import tls_context, tls_error

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
CONNECTIONS = 10
BROKEN = (ProtocolError, FeedInterrupted)


class CouchServer:
    """Requests to one server, by connections that are shared.

    Raises `ServerUnreachable` and `ServerBusy`; what a status means is for `checked` to say.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._called = f"CouchDB at {endpoint.host}:{endpoint.port}"
        self._pool = _pool(endpoint)
        self._large = LargeAnswers(endpoint, SILENCE_SECONDS)
        self._cookie = ""
        self._signing_in = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        at_most: int | None = None,
    ) -> Answer:
        """Ask, and ask once more with a new session where the old one has expired.

        `path` is quoted and stands below the server's URL; `body` is sent as JSON. Raises
        `AnswerTooLarge` for an answer of more than `at_most` bytes, and reads no more of it.
        """
        target = path + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else msgspec.json.encode(body)
        headers = self.headers()
        answer = self._send(method, target, headers, content, at_most)
        if asks_for_sign_in(answer) and self.renew(headers):
            answer = self._send(method, target, self.headers(), content, at_most)
        return answer

    def checked(self, answer: Answer, request: Request) -> Any:
        """The decoded body of a 2xx; anything else raises what it means."""
        if not answer.succeeded:
            raise self.explain(answer, request)
        said = answer.json()
        if said is None:
            raise foreign(answer, self.endpoint)
        return said

    def explain(self, answer: Answer, request: Request) -> PillowtopError:
        """The error that an answer stands for; asks who answers where that looks wrong."""
        looks_wrong = not (answer.complaint[0] or answer.denied or "location" in answer.headers)
        if looks_wrong and not self._is_couchdb():
            return foreign(answer, self.endpoint)
        return error_of(answer, request)

    def headers(self) -> dict[str, str]:
        """What a request needs to be let in; signs in where no session is open."""
        if self.endpoint.authentication != "cookie" or not self.endpoint.username:
            return self.endpoint.authorization()
        # One at a time: a new server makes its secret at the first sign-in, and of several at once
        # it makes several.
        with self._signing_in:
            if not self._cookie:
                self._sign_in()
        return {"cookie": self._cookie}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the session of refused headers. True says that another attempt makes sense."""
        if "cookie" not in refused:
            return False
        if self._cookie == refused["cookie"]:
            self._cookie = ""
        return True

    def _sign_in(self) -> None:
        endpoint = self.endpoint
        content = msgspec.json.encode({"name": endpoint.username, "password": endpoint.password})
        answer = self._send("POST", "/_session", {}, content)
        self.checked(answer, Request(endpoint))
        cookie = answer.headers.get("set-cookie", "").split(";", 1)[0]
        if not cookie.startswith("AuthSession="):
            raise foreign(answer, endpoint)
        self._cookie = cookie

    def _is_couchdb(self) -> bool:
        said = self._send("GET", "/", self.endpoint.authorization(), None).json()
        return isinstance(said, dict) and "couchdb" in said

    def _send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None,
        at_most: int | None = None,
    ) -> Answer:
        with answer_of(self._called, BULK_SECONDS if method == "POST" else USUAL_SECONDS):
            return self._attempt_twice(method, target, headers, content, at_most)

    def _attempt_twice(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None,
        at_most: int | None,
    ) -> Answer:
        try:
            return self._attempt(method, target, headers, content, at_most)
        except BROKEN:
            # Most likely a connection that the server closed while it was idle. All our requests
            # may be made twice.
            try:
                return self._attempt(method, target, headers, content, at_most)
            except BROKEN as error:
                raise self._unreachable(error) from error

    def _attempt(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None,
        at_most: int | None,
    ) -> Answer:
        kind = {} if content is None else {"content-type": "application/json"}
        if at_most is not None:  # so it may be megabytes
            return self._large.ask(method, target, {**headers, **kind}, content or b"", at_most)
        try:
            response = self._pool.request(
                method,
                self.endpoint.path + target,
                body=content,
                redirect=False,
                retries=False,
                headers={"accept": "application/json", **headers, **kind},
            )
        except ProtocolError:
            raise
        except HTTPError as error:
            raise self._failure(error) from error
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            response.data,
        )

    def _failure(self, error: HTTPError) -> PillowtopError:
        if isinstance(error, SSLError) and error.args and isinstance(error.args[0], ssl.SSLError):
            return tls_error(self.endpoint, error.args[0])
        if isinstance(error, ReadTimeoutError):
            place = f"{self.endpoint.host}:{self.endpoint.port}"
            return ServerBusy(f"{place} has not answered for {SILENCE_SECONDS:.0f} seconds")
        return self._unreachable(error)

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        # The cause below is what happened; urllib3's own message holds objects' addresses.
        cause = error.__cause__ or error.__context__ or error
        return ServerUnreachable(self.endpoint.host, self.endpoint.port, cause)


@functools.lru_cache(maxsize=64)
def server_at(endpoint: Endpoint) -> CouchServer:
    """The one `CouchServer` of an endpoint, whose connections and session all share."""
    return CouchServer(endpoint)


def _pool(endpoint: Endpoint) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    if not endpoint.tls:
        return urllib3.HTTPConnectionPool(host, endpoint.port, timeout=timeout, maxsize=CONNECTIONS)
    return urllib3.HTTPSConnectionPool(
        host,
        endpoint.port,
        timeout=timeout,
        maxsize=CONNECTIONS,
        ssl_context=tls_context(endpoint),
    )
