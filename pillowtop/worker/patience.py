"""Enduring what will pass: waiting for servers, and saying so once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import gevent

from pillowtop.engine.backoff import Backoff
from pillowtop.exceptions import ServerUnreachable, TransientError
from pillowtop.records.connecting import close_what_is_over
from pillowtop.worker.figures import Figures
from pillowtop.worker.gates import Gates

logger = logging.getLogger(__name__)

T = TypeVar("T")
REPEAT_SECONDS = 60.0


class Patience:
    """Waits between the attempts of one thing that a pillow does, without limit.

    The first failure and each new kind of it are logged, the same one once a minute; until it
    works they stand in the pillow's figures.
    """

    def __init__(
        self, pillow: str, gates: Gates, max_seconds: float, figures: Figures | None = None
    ) -> None:
        self._pillow = pillow
        self._gates = gates
        self._figures = figures or Figures(pillow)
        self._backoff = Backoff(max_seconds=max_seconds)
        self._said = ""
        self._said_at = 0.0
        self._since = 0.0

    def endure(self, error: TransientError) -> None:
        """Return when it is time for the next attempt, with connections to Django's database that
        work: a hook's own may be what is broken."""
        self._say(str(error))
        self._figures.retries += 1
        self._figures.failed(self, self._said, self._since)
        if isinstance(error, ServerUnreachable) and self._gates.wait(error.host, error.port):
            self._backoff.reset()
        else:
            gevent.sleep(self._backoff.next())
        close_what_is_over()

    def succeeded(self) -> None:
        """Say that the last attempt worked."""
        if self._said:
            logger.info(
                "%s: goes on after %.1f s",
                self._pillow,
                time.monotonic() - self._since,
                extra={"action": "recovered", "pillow": self._pillow},
            )
        self.give_up()

    def give_up(self) -> None:
        """Forget the attempts: there will be no other."""
        if self._said:
            self._figures.recovered(self)
        self._said = ""
        self._backoff.reset()

    def until_done(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it raises no `TransientError`; return what it returns."""
        while True:
            try:
                result = attempt()
            except TransientError as error:
                self.endure(error)
            else:
                self.succeeded()
                return result

    def _say(self, words: str) -> None:
        now = time.monotonic()
        if not self._said:
            self._since = now
        if words != self._said or now - self._said_at > REPEAT_SECONDS:
            logger.warning(
                "%s: %s (tried again until it works)",
                self._pillow,
                words,
                extra={"action": "waiting", "pillow": self._pillow},
            )
            self._said, self._said_at = words, now
