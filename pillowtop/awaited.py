"""Answers of servers that are waited for, kept where somebody else can see them.

Whoever asks a server says so with `answer_of`; the worker shows which answers a pillow waits for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

USUAL_SECONDS = 3.0
BULK_SECONDS = 5.0
"""What is asked for many documents at once is worth a word where it takes longer than that."""


class Awaited:
    """An answer that has not come yet: `since` is monotonic, and moves where some of it came.

    Nobody need wonder where it takes `usual_seconds`.
    """

    def __init__(self, server: str, usual_seconds: float) -> None:
        self.server = server
        self.usual_seconds = usual_seconds
        self.since = time.monotonic()

    def came_on(self) -> None:
        """Say that something has happened: the wait begins anew."""
        self.since = time.monotonic()


class Answers:
    """The answers that some greenlets wait for now, and how many have come, or failed to."""

    def __init__(self) -> None:
        self.awaited: set[Awaited] = set()
        self.came = 0


_kept_in: ContextVar[Answers | None] = ContextVar("pillowtop_awaited", default=None)


def keep_in(answers: Answers) -> None:
    """Keep there what is waited for in this context (a greenlet has its own) from now on."""
    _kept_in.set(answers)


@contextmanager
def answer_of(server: str, usual_seconds: float = USUAL_SECONDS) -> Iterator[Awaited]:
    """Wait for the answer of a server within the block; `server` is what people call it."""
    answers, awaited = _kept_in.get(), Awaited(server, usual_seconds)
    if answers is None:
        yield awaited
        return
    answers.awaited.add(awaited)
    try:
        yield awaited
    finally:
        answers.awaited.discard(awaited)
        answers.came += 1
