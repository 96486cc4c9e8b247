"""A feed out of a file: the lines of a continuous feed, as `curl` saves them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

from pillowtop.changes import Seq
from pillowtop.feeds.couch_lines import LineParser
from pillowtop.feeds.reading import Read

READ_BYTES = 64 * 1024
TICK_SECONDS = 1.0


class RecordedFeed:
    """The rows of a file, for benchmarks and tests.

    The seq of a read is the number of the file's lines up to there; rows keep those that were
    recorded. Lines that cannot be read are passed on as such at once.

        curl 'http://localhost:5984/orders/_changes?feed=continuous&include_docs=true' > orders
        RecordedFeed("orders").read(0, follow=False)
    """

    def __init__(self, path: str | Path, stream: str = "", *, read_bytes: int = READ_BYTES) -> None:
        self._path = Path(path)
        self._read_bytes = read_bytes
        self.stream = stream or self._path.stem

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """What comes after line `since`: see `Feed.read`. The file is not expected to grow."""
        position = int(since or 0)
        with self._path.open("rb") as file:
            for _ in islice(file, position):
                pass
            # A block and the rest of its last line: the parser finds the lines, once.
            while block := file.read(self._read_bytes) + file.readline():
                position += block.count(b"\n") + (not block.endswith(b"\n"))
                yield self._read(block, position)
        yield Read(self.stream, seq=position, caught_up=True, current=True)
        while follow:
            time.sleep(TICK_SECONDS)
            yield Read(self.stream, current=True)

    def _read(self, block: bytes, position: int) -> Read:
        read = Read(self.stream, [], position, more=True, unreadable=[])
        if not self._add(block, read):
            # One recording may follow another: each has an end, and nothing is read behind one.
            read = Read(self.stream, [], position, more=True, unreadable=[])
            for line in BytesIO(block):
                self._add(line, read)
        return read

    def _add(self, block: bytes, read: Read) -> bool:
        """Read some lines. False where there may be more behind an end."""
        parser = LineParser(self.stream, passes_over=lambda _line: True)
        lines, last = parser.feed(block), parser.finish()
        read.changes += lines.changes + last.changes
        read.unreadable += lines.unreadable
        return not (lines.end or lines.fault)
