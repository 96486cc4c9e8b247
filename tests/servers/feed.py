"""Reads feeds byte by byte, as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import urllib3

if TYPE_CHECKING:
    from types import TracebackType

# Also the deadline of everything awaited here: a feed that stays silent for so long fails.
SILENCE_SECONDS = 10


class OpenFeed:
    """A feed that is being received."""

    def __init__(self, url: str) -> None:
        self._pool = urllib3.PoolManager()
        options = {"preload_content": False, "retries": False, "timeout": SILENCE_SECONDS}
        self.reply = self._pool.request("GET", url, **options)
        self._chunks = self.reply.stream()
        self.received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.reply.close()
        self._pool.clear()

    def read_until(self, wanted: bytes) -> bytes:
        """Everything received, which contains what is wanted."""
        while wanted not in self.received:
            self.received += next(self._chunks)
        return self.received

    def read_to_end(self) -> bytes:
        self.received += b"".join(self._chunks)
        return self.received


def rows(body: bytes) -> list[dict[str, Any]]:
    """The JSON lines of a continuous feed, without heartbeats."""
    return [json.loads(line) for line in body.split(b"\n") if line]
