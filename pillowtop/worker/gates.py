"""While a server refuses connections, one probe tries it for all who wait (rule 12)."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 2.0


def accepts(host: str, port: int) -> bool:
    """Whether a connection to a server succeeds."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except (OSError, UnicodeError):  # a name that is none, too
        return False
    return True


class Gate(Event):  # type: ignore[misc]
    """Opens when a connection succeeds; `was_shut` says whether one had failed before."""

    def __init__(self) -> None:
        super().__init__()
        self.was_shut = False


class Gates:
    """One gate a server, which opens when a connection succeeds."""

    def __init__(self, probe_seconds: float, probe: Callable[[str, int], bool] = accepts) -> None:
        self._probe_seconds = probe_seconds
        self._accepts = probe
        self._gates: dict[tuple[str, int], Gate] = {}

    def wait(self, host: str, port: int) -> bool:
        """Return when the server takes connections: False where it does at the first look."""
        gate = self._gates.get((host, port))
        if gate is None:
            gate = self._gates[host, port] = Gate()
            gevent.spawn(self._probe, host, port, gate)
        gate.wait()
        return gate.was_shut

    def _probe(self, host: str, port: int, gate: Gate) -> None:
        since = time.monotonic()
        while not self._accepts(host, port):
            gate.was_shut = True
            gevent.sleep(self._probe_seconds)
        del self._gates[host, port]
        gate.set()
        if gate.was_shut:
            logger.info(
                "%s:%s takes connections again after %.1f s",
                host,
                port,
                time.monotonic() - since,
                extra={"action": "server_back", "host": host, "port": port},
            )
