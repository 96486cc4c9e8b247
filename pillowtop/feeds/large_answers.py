"""Answers of megabytes, taken as a feed is: see `HttpStream`.

CouchDB sends each document of such an answer as a chunk of its own, and `http.client` takes several
times as long for a chunk.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from contextlib import closing

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import FeedInterrupted, ServerBusy
from pillowtop.feeds.couch_errors import Answer, AnswerTooLarge
from pillowtop.feeds.http_stream import HttpStream, build_request

KEPT = 10
"""How many idle connections are kept: a crowd that asks at once must not leave as many behind."""


class LargeAnswers:
    """Asks one server by connections, of which some are kept for the next who asks."""

    def __init__(self, endpoint: Endpoint, silence_seconds: float) -> None:
        self._endpoint = endpoint
        self._silence_seconds = silence_seconds
        self._idle: list[HttpStream] = []
        weakref.finalize(self, _close, self._idle)

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes, at_most: int
    ) -> Answer:
        """An answer, whatever its status is.

        Raises `AnswerTooLarge` where it has more than `at_most` bytes, and reads no more of it;
        `FeedInterrupted` where it ends too early, `ServerBusy` where nothing comes for
        `silence_seconds`, and `ServerUnreachable`.
        """
        request = build_request(method, self._endpoint, target, headers, content)
        try:
            stream = self._idle.pop()
        except IndexError:
            stream = HttpStream(self._endpoint)
        try:
            return _whole(stream, request, self._silence_seconds, at_most)
        except FeedInterrupted as error:
            if not stream.silent:
                raise
            place = f"{self._endpoint.host}:{self._endpoint.port}"
            raise ServerBusy(
                f"{place} has not answered for {self._silence_seconds:.0f} seconds"
            ) from error
        finally:
            self._keep(stream)

    def _keep(self, stream: HttpStream) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(stream)
        else:
            stream.close()


def _close(streams: Sequence[HttpStream]) -> None:
    for stream in streams:
        stream.close()


def _whole(stream: HttpStream, request: bytes, silence_seconds: float, at_most: int) -> Answer:
    parts: list[bytes] = []
    size = 0
    # What is not read to its end is no connection for the next request: closing says so.
    with closing(stream.blocks(request, silence_seconds)) as blocks:
        for block in blocks:
            parts.append(block)
            size += len(block)
            if size > at_most:
                raise AnswerTooLarge
    response = stream.response
    return Answer(response.status, dict(response.headers), b"".join(parts))
