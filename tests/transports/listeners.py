"""What listens at a TCP port, reads as Logstash's codec `json_lines` does, and misbehaves."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.projects import wait_until

SMALL_BUFFER = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Reader:
    """The listener's side of one connection. `lines` are the objects that came whole.

    `cut` is what came after the last of them: Logstash makes an event of it, with the tag
    `_jsonparsefailure`. Anything that is not a line of JSON fails the test that joins.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lines: list[Any] = []
        self.cut = b""
        self.has_ended = False

    def read(self, count: float = float("inf"), size: int = 65536) -> None:
        """Read until so many lines have come, or to the end."""
        while len(self.lines) < count:
            data = self.sock.recv(size)
            if not data:
                return
            *whole, self.cut = (self.cut + data).split(b"\n")
            self.lines += map(_object, whole)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.sock.close()


def _object(line: bytes) -> Any:
    decoded = json.loads(line.decode("utf-8"))
    assert line.startswith(b"{"), line
    assert isinstance(decoded, dict), line
    return decoded


Serve = Callable[[Reader], None]


class Listener:
    """Serves each connection in a thread, by the next function of `serve`; the last one for ever.

    `release` is for those that wait: it is set when the listener ends, at the latest.
    """

    def __init__(
        self,
        *serve: Serve,
        port: int = 0,
        buffer: int | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._serve = itertools.chain(serve, itertools.repeat(serve[-1]))
        self._certificate = certificate
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self.port = self._socket.getsockname()[1]
        self.readers: list[Reader] = []
        self.release = threading.Event()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for reader in self.readers:
            with contextlib.suppress(OSError):
                reader.sock.shutdown(socket.SHUT_RD)
        for thread in self._threads:
            thread.join(10)
        assert not self._errors

    @property
    def lines(self) -> list[Any]:
        """What came whole over all connections."""
        return [line for reader in self.readers for line in reader.lines]

    def wait_for(self, condition: Callable[[], Any]) -> None:
        wait_until(condition, 20, lambda: f"{len(self.lines)} lines; {self._errors}")

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        context = None
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
        while True:
            try:
                sock, _ = self._socket.accept()
                if context:
                    sock = context.wrap_socket(sock, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            reader = Reader(sock)
            self.readers.append(reader)
            self._start(self._run, next(self._serve), reader)

    def _run(self, serve: Serve, reader: Reader) -> None:
        with contextlib.suppress(OSError), reader.sock:
            try:
                serve(reader)
            except (AssertionError, ValueError) as error:
                self._errors.append(error)
        reader.has_ended = True


def reading(reader: Reader) -> None:
    reader.read()


def half_closing(reader: Reader) -> None:
    """Says at once that it will never say anything, and reads."""
    reader.sock.shutdown(socket.SHUT_WR)
    reader.read()


def closing_after(count: int) -> Serve:
    """Closes once so many lines have come."""
    return lambda reader: reader.read(count)


def resetting_after(count: int) -> Serve:
    """Dies once so many lines have come."""

    def serve(reader: Reader) -> None:
        reader.read(count, size=1000)
        reader.reset()

    return serve
