"""Tells systemd that the process is up, lives and stops, where systemd asks for it.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import gevent

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def tell_systemd(state: str) -> None:
    """Does nothing where no `NOTIFY_SOCKET` is in the environment."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket: an environment has no NUL
        address = "\0" + address[1:]
    with (
        suppress(OSError),  # nothing of ours depends on it
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.sendto(state.encode(), address)


@contextmanager
def notifying_systemd() -> Iterator[None]:
    """Say that the process is up; and within the block, as often as systemd wants it twice over,
    that its hub turns."""
    tell_systemd(READY)
    keeper = gevent.spawn(_keep_telling)
    try:
        yield
    finally:
        keeper.kill()


def _keep_telling() -> None:
    seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000 / 2
    while seconds:
        tell_systemd(ALIVE)
        gevent.sleep(seconds)
