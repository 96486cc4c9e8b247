"""Signals that end a command, as KeyboardInterrupt: so that all that was started is stopped.

An exception that a signal's handler raises may be lost, where it comes while something is being
freed. So it is remembered, too, and loops ask for it.
Source: https://docs.python.org/3/library/signal.html#handlers-and-exceptions
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_came = threading.Event()


def heed_signals() -> None:
    """From now on SIGTERM and SIGHUP raise KeyboardInterrupt."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def demand_uninterrupted() -> None:
    """Raise KeyboardInterrupt where a signal has come."""
    if _came.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    _came.set()
    raise KeyboardInterrupt
