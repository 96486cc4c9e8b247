"""When so much fails that it is not the documents (a storm)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Storm:
    """Judges batches by how many of the last `window` documents failed.

    It rages from `share * window` failures on. From then on each batch is judged by itself, and
    the first of which less than `share` fails ends it. Nothing is counted `apart`: what is tried
    again there has failed before.
    """

    def __init__(self, window: int, share: float) -> None:
        self._window = window
        self._share = share
        self._batches: deque[tuple[int, int]] = deque()
        self._documents = self._failures = 0
        self.is_apart = False
        """What is tried again has failed before: it is not counted."""

        self.ignored_apart: set[str] = set()
        """The documents that failed there and were ignored, as the pillow wants."""

        self.rages = False

    def would_rage(self, delivered: int, failed: int) -> bool:
        """Whether there is a storm, if a batch goes out like that."""
        if not failed or self.is_apart:
            return False
        if self.rages:
            return failed >= self._share * (delivered + failed)
        return self._failures + failed >= self._share * self._window

    def begin(self) -> None:
        self.rages = True
        self._batches.clear()
        self._documents = self._failures = 0

    def note(self, delivered: int, failed: int) -> None:
        """Count a batch whose letters are written, and forget what is beyond the window."""
        if self.is_apart:
            return
        self.rages = False
        self._batches.append((delivered + failed, failed))
        self._documents += delivered + failed
        self._failures += failed
        while self._documents - self._batches[0][0] >= self._window:
            documents, failures = self._batches.popleft()
            self._documents -= documents
            self._failures -= failures

    @contextmanager
    def apart(self) -> Iterator[None]:
        self.is_apart = True
        self.ignored_apart.clear()
        try:
            yield
        finally:
            self.is_apart = False
