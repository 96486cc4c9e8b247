"""A TCP connection that knows how much of what it has sent the peer's kernel has acknowledged.

Linux says so of each socket (`SIOCOUTQ`: what is sent or waiting, and not acknowledged). Waits
are those of `time` and `socket`, so that they are cooperative where gevent has patched them.

Source: https://man7.org/linux/man-pages/man7/tcp.7.html
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import ssl
import struct
import sys
import termios
import time

from pillowtop.awaited import Awaited, answer_of
from pillowtop.endpoints import Address
from pillowtop.exceptions import (
    ConfigurationError,
    PillowtopError,
    ServerBusy,
    ServerUnreachable,
    TransientError,
)
from pillowtop.tls import handshake_error, tls_context, tls_error

CONNECT_SECONDS = 10.0
CA_CERTS = "endpoint_ca_certs"

MIN_PAUSE_SECONDS = 0.0005
MAX_PAUSE_SECONDS = 0.02

PART_BYTES = 128 * 1024
"""Sent between two looks: what nobody has looked at when a connection breaks is sent again."""

MAX_RECORD_BYTES = 16 * 1024
"""Of plain text in one record of TLS (RFC 8446). A peer reads none of one that is not whole."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def connect(address: Address, patience_seconds: float) -> AcknowledgedConnection:
    """Raises `ServerUnreachable`, `ServerBusy` (no TLS) or `ConfigurationError`."""
    if sys.platform != "linux":
        raise ConfigurationError(
            f"{address}: only Linux says what a peer has acknowledged, and without that nothing "
            f"would be known to be delivered; this is {sys.platform}"
        )
    try:
        plain = socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS)
    except (OSError, UnicodeError) as error:  # a name that is none, too
        raise ServerUnreachable(address.host, address.port, error) from error
    try:
        return AcknowledgedConnection(_secured(plain, address), address, patience_seconds)
    except BaseException:
        plain.close()
        raise


def _secured(plain: socket.socket, address: Address) -> socket.socket:
    if not address.tls:
        return plain
    context = tls_context(address, CA_CERTS)
    # With 1.3 a client that the peer is about to refuse, for want of a certificate perhaps, has
    # ended its handshake already, and the kernel acknowledges lines that nobody will read.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        return context.wrap_socket(plain, server_hostname=address.host)
    except OSError as error:
        raise _handshake_failed(address, error) from error


def _handshake_failed(address: Address, error: OSError) -> PillowtopError:
    failure = handshake_error(error)
    if isinstance(failure, ssl.SSLCertVerificationError):
        return tls_error(address, CA_CERTS, failure)
    if failure:
        return ServerBusy(f"{address} does not speak TLS: {failure.reason or failure}")
    words = f"TLS broke off ({error}); if the listener is plain, endpoint_tls is wrong"
    return ServerUnreachable(address.host, address.port, words)


class AcknowledgedConnection:
    """One connection. Once a delivery has failed it is good for nothing but `abort`."""

    def __init__(self, sock: socket.socket, address: Address, patience_seconds: float) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._address = address
        self._patience_seconds = patience_seconds
        self._written = 0
        self._peer_has_finished = False
        self.acknowledged = 0
        """How many bytes of the latest delivery the peer's kernel has, at least."""

    def deliver(self, data: bytes) -> None:
        """Send, and return when all of it is acknowledged.

        Raises `ServerUnreachable` where the connection breaks, and `TransientError` where the
        peer takes nothing for `patience_seconds`. `acknowledged` is right in any case.
        """
        with answer_of(f"what listens at {self._address}") as answer:
            self._deliver(data, answer)

    def _deliver(self, data: bytes, answer: Awaited) -> None:
        self._written = self.acknowledged = 0
        left, pause = memoryview(data), MIN_PAUSE_SECONDS
        while self.acknowledged < len(data):
            before = self._written, self.acknowledged
            try:
                left = self._write(left)
                self._look()
            except OSError as error:
                raise ServerUnreachable(self._address.host, self._address.port, error) from error
            if (self._written, self.acknowledged) != before:
                pause = MIN_PAUSE_SECONDS
                answer.came_on()
                continue
            if time.monotonic() - answer.since > self._patience_seconds:
                raise self._stalled(len(data))
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def close(self) -> None:
        """The orderly end: the peer gets all that was sent."""
        self._socket.close()

    def abort(self) -> None:
        """Have the kernel forget what is not acknowledged, or it would go on to send it."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._socket.close()

    @property
    def _is_tls(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)

    def _write(self, left: memoryview) -> memoryview:
        """Hand over what the kernel takes now; what is left."""
        # A record of TLS that did not fit has to be offered again as it was.
        part = left[: MAX_RECORD_BYTES if self._is_tls else PART_BYTES]
        try:
            count = self._socket.send(part) if part else 0
        except NOTHING_NOW:
            count = 0
        self._written += count
        return left[count:]

    def _look(self) -> None:
        """Ask how much is acknowledged. After a reset the figure would mean nothing."""
        queued = self._queued_bytes()
        self._demand_alive()
        if queued and self._is_tls:
            queued += MAX_RECORD_BYTES
        self.acknowledged = max(self.acknowledged, self._written - queued)

    def _queued_bytes(self) -> int:
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        (queued,) = struct.unpack("i", answer)
        return int(queued)

    def _demand_alive(self) -> None:
        """Raise where the connection was reset. A peer may end its own side and still read."""
        if not self._peer_has_finished:
            with contextlib.suppress(*NOTHING_NOW):
                self._peer_has_finished = not self._socket.recv(65536)
        if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))

    def _stalled(self, size: int) -> TransientError:
        return TransientError(
            f"{self._address} has taken nothing for {self._patience_seconds:g} s, with "
            f"{size - self.acknowledged:,} of {size:,} bytes still to go: is what listens there "
            "stuck?"
        )
