"""One HTTP/1.1 connection whose responses are read as they come.

A server such as CouchDB sends each row as a chunk of its own, mostly in a segment of its own.
Whoever reads as soon as something arrives pays 10-18 us a row for system calls and wake-ups; so
while there is a backlog, the socket is left to fill for some milliseconds between two reads.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Generator, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import httptools
from urllib3.util import wait_for_read

from pillowtop.awaited import answer_of
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import FeedInterrupted, ServerBusy, ServerUnreachable
from pillowtop.feeds.tls import tls_context, tls_error

CONNECT_SECONDS = 10.0
GATHER_SECONDS = 0.003
BLOCK_BYTES = 64 * 1024
"""Larger ones are slower: they do not stay in the processor's cache."""

BACKLOG_BYTES = 16 * 1024
TICK_SECONDS = 1.0
SETTLE_SECONDS = 0.02
MAX_HEAD_BYTES = 256 * 1024


def build_request(
    method: str, endpoint: Endpoint, target: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """The bytes of a request; `target` is quoted, and stands below the endpoint's own path."""
    fields = {"host": urlsplit(endpoint.url).netloc, "accept": "application/json", **headers}
    if body:
        fields["content-length"] = str(len(body))
    lines = [f"{method} {endpoint.path}{target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Response:
    """A response as far as it has come; the names of `headers` are in lower case."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.keeps_connection = False
        self.garbled = ""
        self.received = 0
        self._parts: list[bytes] = []
        # Called by the parser for each chunk, that is for each row.
        self.on_body = self._parts.append
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bytes:
        """Take bytes off the connection, and return what they held of the body."""
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.garbled = str(error.__context__ or error) or type(error).__name__
        if not self.status and self.received > MAX_HEAD_BYTES:
            self.garbled = "its headers have no end"
        block = b"".join(self._parts)
        self._parts.clear()
        return block

    @property
    def ends_with_connection(self) -> bool:
        """Whether it says of itself neither how long it is nor where it ends."""
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        return bool(self.status) and not framed

    def on_message_begin(self) -> None:
        if self.complete:  # its body must not be taken for more of the first one's
            raise ValueError("an answer that nobody asked for is behind it")
        self.headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= HTTPStatus.OK:  # not "100 Continue" and its like
            self.status = status
            self.keeps_connection = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.complete = bool(self.status)


class HttpStream:
    """A connection that is kept from one response to the next.

        with contextlib.closing(HttpStream(endpoint)) as stream:
            for block in stream.blocks(request, silence_seconds=30):
                stream.response.status      # known from the first block that is not empty on

    `backlog` says that the last block was one of many; `silent` that the last failure was a
    silence.
    """

    def __init__(self, endpoint: Endpoint, connect_seconds: float = CONNECT_SECONDS) -> None:
        self._endpoint = endpoint
        self._connect_seconds = connect_seconds
        self._socket: socket.socket | None = None
        self._forget()

    def _forget(self) -> None:
        self.response = Response()
        self.backlog = False
        self.silent = False
        self._gathers = False
        self._before = 0
        self._waited_seconds = 0.0

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def silent_seconds(self) -> float:
        """For how long nothing has come, while somebody waited for it."""
        return self._waited_seconds

    def blocks(self, request: bytes, silence_seconds: float) -> Generator[bytes, None, None]:
        """Send a request and yield the body as it comes.

        An empty block comes each second while nothing else does, and soon behind a backlog.
        Raises `ServerUnreachable`, `FeedInterrupted` (cut, or silent for too long), `ServerBusy`
        (not HTTP), `ConfigurationError` (certificates).
        """
        self._forget()
        try:
            reused = self._start(request, silence_seconds)
            while not self.response.complete:
                data = self._receive(reused, silence_seconds)
                if data:
                    # What stood before garbled bytes is good.
                    yield self.response.feed(data)
                    self._check()
                elif data is None:
                    yield b""
                elif reused and not self.response.received:
                    # Closed by the server while it was idle: no answer to this request.
                    self.close()
                    reused = self._start(request, silence_seconds)
                else:
                    self._ended()
        finally:
            if not (self.response.complete and self.response.keeps_connection):
                self.close()

    def _start(self, request: bytes, silence_seconds: float) -> bool:
        """Send the request; True says that an older connection was used."""
        reused = self._socket is not None and not self._has_more()
        if reused and self._sent(request, silence_seconds):
            return True
        self.close()
        with answer_of(f"CouchDB at {self._place}"):
            self._socket = connect(self._endpoint, self._connect_seconds)
            if not self._sent(request, silence_seconds):
                raise self._unreachable("the connection was closed before a request was taken")
        return False

    def _has_more(self) -> bool:
        """Whether anything came behind the last answer, be it the end of the connection: it must
        not be taken for the next one."""
        assert self._socket is not None
        return wait_for_read(self._socket, timeout=0.0)

    def _sent(self, request: bytes, silence_seconds: float) -> bool:
        assert self._socket is not None
        self._socket.settimeout(silence_seconds)
        try:
            self._socket.sendall(request)
        except OSError:
            return False
        return True

    def _receive(self, reused: bool, silence_seconds: float) -> bytes | None:
        """What comes next: bytes, nothing at the end, or None if nothing came for a moment."""
        if self._gathers:
            time.sleep(GATHER_SECONDS)
        started = time.monotonic()
        wait = SETTLE_SECONDS if self.backlog else TICK_SECONDS
        try:
            data = self._read(min(wait, silence_seconds))
        except TimeoutError:
            self._note_silence(time.monotonic() - started, silence_seconds)
            return None
        except OSError as error:
            if reused and not self.response.received:
                return b""
            raise self._cut(error) from error
        self._note_data(len(data), time.monotonic() - started)
        return data

    def _note_data(self, size: int, waited_seconds: float) -> None:
        at_once = waited_seconds < GATHER_SECONDS
        self._gathers = at_once and size < BLOCK_BYTES
        # Of two reads, as the second may be what was left over by the first.
        self.backlog = at_once and size + self._before >= BACKLOG_BYTES
        self._before = size
        self._waited_seconds = 0.0

    def _note_silence(self, waited_seconds: float, silence_seconds: float) -> None:
        # Only the time spent waiting counts: whoever reads may be held up for minutes by others.
        self._waited_seconds += waited_seconds
        self._gathers = self.backlog = False
        self._before = 0
        if self._waited_seconds >= silence_seconds:
            self.silent = True
            raise FeedInterrupted(
                f"{self._place} fell silent for {self._waited_seconds:.0f} seconds: not a byte, "
                "no heartbeat"
            )

    def _read(self, seconds: float) -> bytes:
        assert self._socket is not None
        self._socket.settimeout(seconds)
        data = self._socket.recv(BLOCK_BYTES)
        if data and isinstance(self._socket, ssl.SSLSocket):
            return _with_rest(self._socket, data)
        return data

    def _ended(self) -> None:
        """The server closed the connection."""
        if not self.response.ends_with_connection:
            raise self._cut("the connection was closed in the middle of a response")
        self.response.complete = True

    def _check(self) -> None:
        response = self.response
        if response.garbled and response.status:
            raise FeedInterrupted(f"{self._place} sent a garbled response: {response.garbled}")
        if response.garbled:
            raise ServerBusy(
                f"{self._place} does not speak HTTP: is it CouchDB? ({response.garbled})"
            )

    def _cut(self, cause: object) -> FeedInterrupted | ServerUnreachable:
        if not self.response.received:
            return self._unreachable(cause)
        return FeedInterrupted(f"{self._place} was cut: {cause}")

    def _unreachable(self, cause: object) -> ServerUnreachable:
        return ServerUnreachable(self._endpoint.host, self._endpoint.port, cause)

    @property
    def _place(self) -> str:
        return f"{self._endpoint.host}:{self._endpoint.port}"


def connect(endpoint: Endpoint, seconds: float = CONNECT_SECONDS) -> socket.socket:
    """A connected socket, with TLS where the endpoint wants it."""
    host, port = endpoint.host, endpoint.port
    try:
        raw = socket.create_connection((host, port), seconds)
    except (OSError, UnicodeError) as error:
        raise ServerUnreachable(host, port, error) from error
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls_context(endpoint).wrap_socket(raw, server_hostname=host) if endpoint.tls else raw
    except ssl.SSLError as error:
        raw.close()
        raise tls_error(endpoint, error) from error
    except OSError as error:
        raw.close()
        raise ServerUnreachable(host, port, error) from error
    except BaseException:
        raw.close()
        raise


def _with_rest(sock: ssl.SSLSocket, data: bytes) -> bytes:
    """All that has come: a read of a TLS socket gives one record, however many are waiting."""
    parts, size = [data], len(data)
    sock.settimeout(0)
    try:
        while size < BLOCK_BYTES and (data := sock.recv(BLOCK_BYTES)):
            parts.append(data)
            size += len(data)
    except OSError:
        pass  # nothing more for now, or an end that the next read will see again
    return b"".join(parts)
