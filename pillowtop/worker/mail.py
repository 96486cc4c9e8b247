"""Whether anything waits for a pillow in the Django database, asked for all of a process."""

from __future__ import annotations

import time

from gevent.lock import RLock

from pillowtop.awaited import answer_of
from pillowtop.exceptions import TransientError
from pillowtop.records import mail
from pillowtop.worker.bookkeeper import USUAL_SECONDS, Bookkeeper


class Mail:
    """Asks at most once in so many seconds. Who comes while it asks waits for that answer, too:
    the one before may be none at all, and a pillow that is about to end asks no second time."""

    def __init__(self, books: Bookkeeper, seconds: float) -> None:
        self._books = books
        self._seconds = seconds
        self._turn = RLock()
        self._due_at = 0.0
        self._names: set[str] = set()
        self._error: TransientError | None = None

    def waits_for(self, pillow: str) -> bool:
        """Raises `TransientError` while the database does not answer."""
        with answer_of("the Django database", USUAL_SECONDS), self._turn:
            if time.monotonic() >= self._due_at:
                self._fetch()
                self._due_at = time.monotonic() + self._seconds
        if self._error is not None:
            raise self._error
        return pillow in self._names

    def _fetch(self) -> None:
        try:
            self._names = self._books.run(mail.addressees)
        except TransientError as error:
            self._error = error
        else:
            self._error = None
