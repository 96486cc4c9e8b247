"""A real TCP server that answers HTTP requests the way a test tells it to, faults included."""

from __future__ import annotations

import contextlib
import http
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pillowtop.testing.threads import KEPT


class Request:
    """One request as it came in: `query` has the last value of each parameter.

    `target` is path and query as they were sent.
    """

    def __init__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        parts = urlsplit(target)
        self.method = method
        self.target = target
        self.path = unquote(parts.path)
        self.query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """The server's side of one connection: whole replies, or their parts, or their absence."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.open = True

    def reply(self, status: int, body: object = b"", headers: Mapping[str, str] = {}) -> None:
        """A whole reply. What is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(self._head(status, {**headers, "Content-Length": str(len(content))}) + content)

    def start(self, status: int = 200, headers: Mapping[str, str] = {}) -> None:
        """The head of a chunked reply; `chunk` and `finish` follow."""
        self.send(self._head(status, {**headers, "Transfer-Encoding": "chunked"}))

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def finish(self) -> None:
        self.send(b"0\r\n\r\n")

    def send(self, data: bytes) -> None:
        """Bytes as they are: for what is not HTTP."""
        self._socket.sendall(data)

    def close(self) -> None:
        """A clean end of the connection, wherever the reply is."""
        self.open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """RST: what the peer sees when a server dies."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False
        self._socket.close()

    @staticmethod
    def _head(status: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
        if "content-type" not in map(str.lower, headers):
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


Answer = Callable[[Request, Connection], None]


class ScriptedServer:
    """Answers each request by calling `answer(request, connection)` in a thread of its own.

        with ScriptedServer(lambda request, connection: connection.reply(200, {})) as server:
            urlopen(server.url)
        server.requests[0].path

    `requests` is everything that came in, in order. `stopping` is set when the server stops: an
    answer that is to hang waits for it.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._server = _ThreadingServer(("127.0.0.1", 0), self._handler_class())

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        KEPT.run(partial(self._server.serve_forever, 0.02))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler_class(self) -> type[socketserver.StreamRequestHandler]:
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                connection = Connection(self.connection)
                with contextlib.suppress(OSError):
                    while connection.open and (request := _read_request(self.rfile)):
                        owner.requests.append(request)
                        owner.answer(request, connection)

        return Handler


class _ThreadingServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def process_request(self, request: Any, client_address: Any) -> None:
        KEPT.run(partial(self.process_request_thread, request, client_address))


def _read_request(stream: Any) -> Request | None:
    try:
        method, target, _version = stream.readline().decode("latin-1").split()
    except ValueError:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)
