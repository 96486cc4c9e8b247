"""What a follower of a feed remembers from one attempt to the next. No I/O."""

from __future__ import annotations

from collections.abc import Callable

from pillowtop.changes import Seq
from pillowtop.feeds.couch_values import DatabaseInfo, encode_seq
from pillowtop.feeds.reading import Unreadable

PAGE_ROWS = 10_000
PAGE_BYTES = 5 * 1024 * 1024
FEWEST_ROWS = 20
ROW_BYTES = 500
"""What a row takes besides its document."""

SILENCE_AT_MOST_SECONDS = 600.0
READINGS_OF_A_LINE = 3
SUSPECTS_AT_MOST = 1000


class PageSize:
    """How many rows a page has: about 5 MiB of documents, fewer for a while after a failure.

    The database's figures are a first guess, which attachments and tombstones spoil; what came
    through knows better.
    """

    def __init__(self, most_rows: int = PAGE_ROWS, page_bytes: int = PAGE_BYTES) -> None:
        self._most_rows = most_rows
        self._page_bytes = page_bytes
        self._aim = most_rows
        self.rows = most_rows
        self._shrunk = False

    def fit(self, info: DatabaseInfo) -> None:
        """Aim at pages for a database whose documents are sent along."""
        self._aim_at(info.external_bytes / max(info.doc_count, 1) + ROW_BYTES)
        self.rows = min(self.rows, self._aim) if self._shrunk else self._aim

    def shrink(self) -> None:
        """A page was cut, or fell silent: a smaller one may come through."""
        self.rows = max(self.rows // 2, 1)
        self._shrunk = True

    def came_through(self, rows: int, size: int) -> None:
        """A page of so many rows and bytes was read to its end."""
        if rows:
            self._aim_at(size / rows)
        growth = self.rows // 4 + 1 if self._shrunk else self.rows
        self.rows = min(self.rows + growth, self._aim)
        self._shrunk = self._shrunk and self.rows < self._aim

    def _aim_at(self, row_bytes: float) -> None:
        fitting = int(self._page_bytes / row_bytes)
        self._aim = min(max(fitting, FEWEST_ROWS), self._most_rows)


class SilenceLimit:
    """For how long a feed may be silent: longer each time it was for too long."""

    def __init__(self, seconds: float) -> None:
        self._first = seconds
        self.seconds = seconds

    def double(self) -> None:
        most = max(SILENCE_AT_MOST_SECONDS, self._first)
        self.seconds = min(self.seconds * 2, most)

    def reset(self) -> None:
        self.seconds = self._first


class Suspects:
    """Lines that could not be read: garbled on the way perhaps, so read again before they count.

    A line is known by its digest and by the seq behind which it was asked for. Of all that read
    one database, each learns from the others.
    """

    def __init__(self) -> None:
        self._readings: dict[tuple[str, str], int] = {}

    def behind(self, since: Seq) -> Callable[[Unreadable], bool]:
        """For a request that goes out: says of a line whether it was read often enough to be
        believed."""
        key = encode_seq(since)

        def passes_over(line: Unreadable) -> bool:
            place = key, line.digest
            # The latest stand last: so the oldest are forgotten first.
            readings = self._readings.pop(place, 0) + 1
            self._readings[place] = readings
            if len(self._readings) > SUSPECTS_AT_MOST:
                del self._readings[next(iter(self._readings))]
            return readings >= READINGS_OF_A_LINE

        return passes_over
