"""Follows the `_changes` feed of one CouchDB database."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from pillowtop.changes import Seq
from pillowtop.exceptions import FeedInterrupted
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_following import PAGE_BYTES, PAGE_ROWS, PageSize, SilenceLimit, Suspects
from pillowtop.feeds.couch_lines import LineParser, Lines
from pillowtop.feeds.couch_query import ChangesQueries, Query
from pillowtop.feeds.couch_stream import CouchStream
from pillowtop.feeds.reading import Read, Unreadable

HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 30.0
READ_ROWS = 1000
BETWEEN_WAKE_UPS_SECONDS = 0.05
CURRENT_SECONDS = 2 * HEARTBEAT_SECONDS
"""What is known of a feed is of now for as long as no heartbeat is missing."""


class CouchFeed:
    """The feed of a database: pages up to the present, then one long connection.

    `filter` is a filter of a design document (`design/name`) or one of CouchDB's own
    (`_selector`, `_doc_ids`, `_view`, `_design`), `filter_parameters` what it takes. A filtered
    feed is followed by pages, as a long connection may give no seq for hours; an unfiltered
    request waits for the next change in the meantime.

    What is learnt from failures (page size, patience, unreadable lines) outlives a reading.
    """

    def __init__(
        self,
        database: CouchDatabase,
        *,
        include_docs: bool = True,
        filter: str | None = None,  # noqa: A002 - CouchDB's own name for it
        filter_parameters: Mapping[str, Any] | None = None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
        page_rows: int = PAGE_ROWS,
        page_bytes: int = PAGE_BYTES,
        read_rows: int = READ_ROWS,
        every_seq: bool = False,
        suspects: Suspects | None = None,
    ) -> None:
        self.database = database
        self.stream = database.name
        self._suspects = Suspects() if suspects is None else suspects
        self.anew = partial(
            CouchFeed,
            database,
            filter=filter,
            filter_parameters=filter_parameters,
            heartbeat_seconds=heartbeat_seconds,
            silence_seconds=silence_seconds,
            page_rows=page_rows,
            page_bytes=page_bytes,
            read_rows=read_rows,
            every_seq=every_seq,
            suspects=self._suspects,
        )
        """Makes the same feed with a connection of its own; takes `include_docs`."""

        self.include_docs = include_docs
        self._filter = filter or ""
        self._parameters = {} if filter_parameters is None else filter_parameters
        self._queries = ChangesQueries(
            include_docs=include_docs, filter_name=self._filter, parameters=self._parameters
        )
        self._heartbeat_seconds = heartbeat_seconds
        self._read_rows = read_rows
        self._every_seq = every_seq
        self._page_size = PageSize(page_rows, page_bytes)
        self._silence = SilenceLimit(silence_seconds)
        self._read_bytes = 0

    def __repr__(self) -> str:
        return f"<CouchFeed of {self.database!r}>"

    @property
    def selects(self) -> Hashable:
        """What two feeds have in common that give the same rows."""
        parameters = msgspec.json.encode(self._parameters, order="deterministic")
        return self.database.endpoint, self.database.name, self._filter, parameters

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """What comes after `since` (0 is the beginning): see `Feed.read`."""
        with contextlib.closing(CouchStream(self.database, self._filter)) as stream:
            if self.include_docs:
                self._page_size.fit(self.database.info())
            position = yield from self._catch_up(stream, since)
            if follow and not self._filter:
                yield from self._follow(stream, position)
            while follow:
                started = time.monotonic()
                yield from self._wait_for_news(stream, position)
                _pause(started)
                position = yield from self._catch_up(stream, position)

    def _catch_up(self, stream: CouchStream, since: Seq) -> Generator[Read, None, Seq]:
        """Read pages up to one that is not full, and return where it ended."""
        caught_up = False
        while not caught_up:
            for read in self._page(stream, since):
                yield read
            since, caught_up = read.seq, read.caught_up
        return since

    def _page(self, stream: CouchStream, since: Seq) -> Iterator[Read]:
        """The rows of a page, and behind them a read whose seq vouches for the whole page."""
        limit, rows, end = self._page_size.rows, 0, None
        self._read_bytes = 0
        query = self._queries.page(since, limit, every_seq=self._every_seq)
        for lines in self._shrinking(self._lines(stream, query)):
            rows += len(lines.changes) + len(lines.unreadable)
            end = lines.end or end
            yield from self._reads(lines, stream, more=stream.backlog or bool(lines.changes))
        if end is None or end.last_seq is None:
            self._page_size.shrink()
            raise FeedInterrupted(f"a page of {self.database} ended without its last_seq")
        self._page_size.came_through(rows, self._read_bytes)
        full = rows >= limit
        yield Read(self.stream, seq=end.last_seq, more=full, caught_up=not full, current=not full)

    def _follow(self, stream: CouchStream, since: Seq) -> Iterator[Read]:
        """Read rows as they come, until the connection breaks, which it does in the end."""
        query = self._queries.continuous(since, self._heartbeat_seconds)
        for lines in self._lines(stream, query):
            yield from self._reads(lines, stream, more=stream.backlog, at_end=not stream.backlog)
            if lines.end:
                break
        # What a deleted database, split shards and an operator's timeout look like: the caller
        # finds out, so nothing is made of the seq that came with it.
        raise FeedInterrupted(f"the feed of {self.database} ended")

    def _wait_for_news(self, stream: CouchStream, since: Seq) -> Iterator[Read]:
        """Wait until there is any row behind `since`. What it says is for a page to read."""
        query = self._queries.wake_up(since, self._heartbeat_seconds)
        news = False
        for lines in self._lines(stream, query, passes_over=lambda _line: True):
            news = news or bool(lines.changes or lines.unreadable)
            yield from self._reads(Lines(fault=lines.fault), stream, more=news, at_end=not news)
        if not news:
            raise FeedInterrupted(f"the feed of {self.database} ended")

    def _lines(
        self,
        stream: CouchStream,
        query: Query,
        passes_over: Callable[[Unreadable], bool] | None = None,
    ) -> Iterator[Lines]:
        """What the answer to a query says, block by block; nothing now and then."""
        parser = LineParser(
            self.stream,
            enveloped=query.enveloped,
            passes_over=passes_over or self._suspects.behind(query.since),
        )
        try:
            for block in stream.blocks(query, self._silence.seconds):
                if block:
                    self._silence.reset()
                    self._read_bytes += len(block)
                yield parser.feed(block)
        except FeedInterrupted:
            if stream.silent:
                self._silence.double()
            raise
        yield parser.finish()

    def _shrinking(self, page: Iterator[Lines]) -> Iterator[Lines]:
        try:
            yield from page
        except FeedInterrupted:
            self._page_size.shrink()
            raise

    def _reads(
        self, lines: Lines, stream: CouchStream, *, more: bool, at_end: bool = False
    ) -> Iterator[Read]:
        """Reads of bounded size; then the fault, if there is one, is raised."""
        changes, unreadable = lines.changes, lines.unreadable
        # A filter in CouchDB may take its time for rows that do not pass, and has no heartbeat.
        silent_seconds = stream.silent_seconds if at_end or not self._filter else 0.0
        current = at_end and silent_seconds < CURRENT_SECONDS
        for start in range(0, len(changes) or 1, self._read_rows):
            part = changes[start : start + self._read_rows]
            seq = part[-1].seq if part else None
            # Lines that cannot be read go first: no seq may vouch for them before they are seen.
            yield Read(
                self.stream,
                part,
                seq,
                more,
                unreadable=unreadable,
                current=current,
                silent_seconds=silent_seconds,
            )
            unreadable = []
        if lines.fault:
            raise FeedInterrupted(f"{self.database}: {lines.fault}")


def _pause(started: float) -> None:
    """Let at least 50 ms pass: a busy database wakes a filtered feed all the time."""
    time.sleep(max(0.0, started + BETWEEN_WAKE_UPS_SECONDS - time.monotonic()))
