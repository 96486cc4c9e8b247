"""Reads ahead, so that two servers work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")

PAGES_AHEAD = 2
LOOK_SECONDS = 0.5


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(pages: Iterator[T]) -> Iterator[T]:
    """The same pages, read in a thread of their own, up to two before they are wanted."""
    queue: Queue[T | _End] = Queue(PAGES_AHEAD)
    is_over = threading.Event()
    threading.Thread(target=_read, args=(pages, queue, is_over), daemon=True).start()
    try:
        while not isinstance(page := queue.get(), _End):
            yield page
        if page.error:
            raise page.error
    finally:
        is_over.set()


def _read(pages: Iterator[T], queue: Queue[T | _End], is_over: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for page in pages:
            if not _put(queue, page, is_over):
                return
    except BaseException as raised:  # noqa: BLE001  (raised where the pages are wanted)
        error = raised
    _put(queue, _End(error), is_over)


def _put(queue: Queue[T | _End], page: T | _End, is_over: threading.Event) -> bool:
    """Wait for room. False where nobody wants any more."""
    while not is_over.is_set():
        with suppress(Full):
            queue.put(page, timeout=LOOK_SECONDS)
            return True
    return False
