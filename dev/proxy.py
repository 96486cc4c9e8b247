"""A proxy in front of a real server that does harm where a test wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3.util import make_headers, parse_url

from pillowtop.testing.scripted import Connection, Request, ScriptedServer

Matches = Callable[[Request], bool]
Rewrite = Callable[[Request, bytes], bytes]


def as_it_is(request: Request, body: bytes) -> bytes:
    return body


def is_bulk(request: Request) -> bool:
    return request.path.endswith("/_bulk")


def is_checkpoint(request: Request) -> bool:
    return request.method == "PUT" and "/_local/pillowtop-" in request.path


def is_feed(request: Request) -> bool:
    return request.path.endswith("/_changes")


def is_page(request: Request) -> bool:
    return is_feed(request) and request.query.get("feed") == "normal"


@dataclass
class Fault:
    """Does `action` to the first `times` requests that match, after so many `passed`.

    Before they are forwarded (and then they are not), or `after` the reply has come from the
    server (and then nobody gets it); without `reset` they go on their way.
    """

    matches: Matches
    action: Callable[[], object]
    after: bool = False
    times: int = 1
    passed: int = 0
    reset: bool = True

    def takes(self, request: Request, *, after: bool) -> bool:
        if self.times <= 0 or after is not self.after or not self.matches(request):
            return False
        if self.passed:
            self.passed -= 1
            return False
        self.times -= 1
        return True


class Proxy(ScriptedServer):
    """Forwards to `upstream`; `faults` and `rewrite` (of replies' bodies) come in between.

    Pages of a feed come at a pace of `line_seconds`, as over a slow line; `lines` counts theirs.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(self._forward)
        url = parse_url(upstream)
        # What goes through needs no credentials of its own.
        self._authorization = make_headers(basic_auth=url.auth)
        self._upstream = url._replace(auth=None).url
        self._pool = urllib3.PoolManager(retries=False, maxsize=20)
        self.faults: list[Fault] = []
        self.rewrite: Rewrite = as_it_is
        self.line_seconds = 0.0
        self.lines = 0
        self._goes_on = threading.Event()
        self._goes_on.set()

    def hang(self) -> None:
        """Accept connections and requests, and say nothing, nor go on with what has begun."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.go_on()
        super().__exit__(kind, error, trace)

    def _forward(self, request: Request, connection: Connection) -> None:
        self._goes_on.wait()
        if self._harms(request, connection, after=False):
            return
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("host", "content-length", "connection")
        }
        response = self._pool.request(
            request.method,
            self._upstream + request.target,
            body=request.body or None,
            headers={**headers, **self._authorization},
            preload_content=False,
            redirect=False,
        )
        try:
            if self._is_endless(request):
                self._stream(request, response, connection)
            else:
                body = response.read()
                if not self._harms(request, connection, after=True):
                    self._reply(request, response, body, connection)
        finally:
            response.release_conn()

    def _harms(self, request: Request, connection: Connection, *, after: bool) -> bool:
        for fault in self.faults:
            if fault.takes(request, after=after):
                fault.action()
                if fault.reset:
                    connection.reset()
                return fault.reset
        return False

    @staticmethod
    def _is_endless(request: Request) -> bool:
        return request.query.get("feed") in ("continuous", "longpoll")

    def _reply(
        self, request: Request, response: BaseHTTPResponse, body: bytes, connection: Connection
    ) -> None:
        kept = {
            name: value
            for name, value in response.headers.items()
            if name.lower() in ("content-type", "x-elastic-product", "set-cookie", "location")
        }
        self._goes_on.wait()
        body = self.rewrite(request, body)
        if self.line_seconds and is_page(request):
            self._drip(response, body, connection)
        else:
            connection.reply(response.status, body, kept)

    def _drip(self, response: BaseHTTPResponse, body: bytes, connection: Connection) -> None:
        connection.start(response.status)
        for line in body.splitlines(keepends=True):
            connection.chunk(line)
            self.lines += 1
            time.sleep(self.line_seconds)
        connection.finish()

    def _stream(self, request: Request, response: BaseHTTPResponse, connection: Connection) -> None:
        connection.start(response.status)
        for part in response.stream(amt=None if response.chunked else 65536):
            self._goes_on.wait()
            connection.chunk(self.rewrite(request, part))
        connection.finish()
