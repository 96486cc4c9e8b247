"""The feed without anything else: what CouchDB gives."""

from __future__ import annotations

import contextlib

import msgspec

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from pillowtop.changes import Seq
from pillowtop.endpoints import Endpoint
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_query import ChangesQueries
from pillowtop.feeds.couch_stream import CouchStream

SILENCE_SECONDS = 60.0
PAGE_ROWS = 5000
ROW = b"\n{"
TAIL_BYTES = 4096
END = b'"last_seq":'
QUERIES = ChangesQueries(include_docs=True, filter_name="", parameters={})


def read_changes(job: Job) -> Figures:
    """As pillowtop reads it: in pages, each row decoded."""
    feed = CouchFeed(database_of(job))
    with Stopwatch() as watch:
        count = sum(len(read.changes) for read in feed.read("0", follow=False))
    return _checked(job, count, watch)


def read_bytes(job: Job) -> Figures:
    """As cheaply as it can be had: in large pages, of which nobody looks at a row."""
    database = database_of(job)
    with Stopwatch() as watch:
        count = discard_feed(database)
    return _checked(job, count, watch)


def discard_feed(database: CouchDatabase) -> int:
    """Read a whole feed, and return how many rows it had."""
    count, rows, since = 0, PAGE_ROWS, "0"
    with contextlib.closing(CouchStream(database)) as stream:
        while rows >= PAGE_ROWS:
            rows, since = _discard_page(stream, since)
            count += rows
    return count


def _discard_page(stream: CouchStream, since: Seq) -> tuple[int, Seq]:
    """Read a page, and return how many rows it had and its last seq."""
    rows, tail = 0, b""
    for block in stream.blocks(QUERIES.page(since, PAGE_ROWS), SILENCE_SECONDS):
        rows += block.count(ROW) + (tail[-1:] + block[:1] == ROW)
        tail = tail[-TAIL_BYTES:] + block[-TAIL_BYTES:]
    end = tail.rfind(END)
    if end < 0:
        raise WorkNotDone("a page of the feed ended without its last_seq")
    return rows, msgspec.json.decode(b"{" + tail[end:])["last_seq"]


def database_of(job: Job) -> CouchDatabase:
    return CouchDatabase(Endpoint.parse(job.couchdb_url), job.database)


def _checked(job: Job, count: int, watch: Stopwatch) -> Figures:
    if count != job.documents:
        raise WorkNotDone(f"{count} rows were read of {job.documents}")
    return watch.figures(count)
