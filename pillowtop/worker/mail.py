"""Whether anything waits for a pillow in the Django database, asked for all of a process."""

from __future__ import annotations

import time

from pillowtop.exceptions import TransientError
from pillowtop.records import mail
from pillowtop.worker.bookkeeper import Bookkeeper


class Mail:
    """Asks at most once in so many seconds. Until there is an answer, the last one holds."""

    def __init__(self, books: Bookkeeper, seconds: float) -> None:
        self._books = books
        self._seconds = seconds
        self._due_at = 0.0
        self._names: set[str] = set()
        self._error: TransientError | None = None

    def waits_for(self, pillow: str) -> bool:
        """Raises `TransientError` while the database does not answer."""
        now = time.monotonic()
        if now >= self._due_at:
            self._due_at = now + self._seconds
            self._fetch()
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
