"""Asks servers again that do not answer, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pillowtop.engine.backoff import Backoff
from pillowtop.exceptions import TransientError

T = TypeVar("T")

SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 5.0


class Insistence:
    """Endures what will pass, until it has not passed for a minute."""

    def __init__(self) -> None:
        self._backoff = Backoff(max_seconds=LONGEST_PAUSE_SECONDS)
        self._since: float | None = None

    def endure(self, error: TransientError) -> None:
        """Return when it is time for another attempt; raise the error after a minute of them."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > SECONDS:
            raise error
        time.sleep(self._backoff.next())

    def succeeded(self) -> None:
        self._since = None
        self._backoff.reset()


def insist(attempt: Callable[[], T]) -> T:
    """Call `attempt` until it raises no `TransientError`, for a minute; return its result."""
    insistence = Insistence()
    while True:
        try:
            return attempt()
        except TransientError as error:
            insistence.endure(error)
