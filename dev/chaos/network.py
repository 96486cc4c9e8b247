"""Proxies between the worker and the servers, on which spells lie, and harmed connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import urllib3

from dev.proxy import Proxy
from pillowtop.testing.scripted import Connection, Request

Forward = Callable[[Request, Connection], None]
Spell = Callable[[Request, Connection, Forward], None]
Bite = Callable[[], None]
"""Is called whenever a spell does harm."""

SLOW_BYTES_PER_SECOND = 1000
SLOW_STEP_SECONDS = 0.05


class ChaosProxy(Proxy):
    """`spells` lie on every request; the last one comes first. Without them it only forwards."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.answer = self._answer
        self.spells: list[Spell] = []
        self.held: set[Request] = set()
        """Those that wait here to be applied later."""
        self._connections: set[Connection] = set()

    def refuse(self) -> None:
        """Take no connections, and end those there are: as where a server does not run any more."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            connection.close()
        self._connections.clear()

    def accept(self) -> None:
        address = self._server.server_address
        self._server = type(self._server)(address, self._server.RequestHandlerClass)
        self.__enter__()

    def _answer(self, request: Request, connection: Connection) -> None:
        self._connections.add(connection)
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

    def __init__(self, inner: Connection, after: int, bite: Bite) -> None:
        super().__init__(inner)
        self._left = after
        self._bite = bite

    def send(self, data: bytes) -> None:
        if not self._inner.open:
            raise ConnectionResetError
        super().send(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            self._bite()
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
