"""What is measured with: a database full of documents, its feed in a file, and prebuilt bulks."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from dev.bench.documents import orders
from dev.bench.jobs import WorkNotDone
from pillowtop.changes import Change
from pillowtop.elastic import bulk
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.engine.versions import Versions
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.recorded import RecordedFeed

Progress = Callable[[int], None]

LOAD_DOCUMENTS = 1000
BULK_DOCUMENTS = 1000
BULK_BYTES = 5 * 1024 * 1024

FEED = "feed.jsonl"
BODIES = "bodies"
LENGTHS = "bodies.json"


def fill(database: CouchDatabase, count: int, progress: Progress) -> None:
    """Write the documents into a database that does not exist yet."""
    server, path = database.server, database.path
    answer = server.request("PUT", path)
    if answer.status != 201:
        raise WorkNotDone(f"PUT {path} was answered with {answer.status}: {answer.body[:200]!r}")
    documents = orders(count)
    while batch := list(islice(documents, LOAD_DOCUMENTS)):
        answer = server.request("POST", f"{path}/_bulk_docs", body={"docs": batch})
        written = [row for row in answer.json() or [] if row.get("ok")]
        if answer.status != 201 or len(written) != len(batch):
            raise WorkNotDone(
                f"_bulk_docs was answered with {answer.status}: {answer.body[:200]!r}"
            )
        progress(len(batch))


def record(database: CouchDatabase, path: Path, progress: Progress) -> None:
    """Save the feed of a database, as a `RecordedFeed` reads it."""
    with path.open("wb") as file:
        for read in CouchFeed(database).read("0", follow=False):
            file.writelines(map(_line, read.changes))
            progress(len(read.changes))


def build_bodies(feed: RecordedFeed, folder: Path, transport: ElasticTransport) -> int:
    """Save the bulks that pillowtop itself would send for a feed, and return how many documents
    are in them."""
    versions = Versions(1)
    lengths, count = [], 0
    with (folder / BODIES).open("wb") as file:
        for payloads in _bulks(_payloads(feed, transport, versions)):
            lengths.append(file.write(b"".join(payloads)))
            count += len(payloads)
    (folder / LENGTHS).write_bytes(msgspec.json.encode(lengths))
    return count


class Bodies:
    """The prebuilt bulks of a folder, mapped into memory rather than read into it."""

    def __init__(self, folder: Path) -> None:
        self._lengths = msgspec.json.decode((folder / LENGTHS).read_bytes(), type=list[int])
        with (folder / BODIES).open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __iter__(self) -> Iterator[memoryview]:
        start = 0
        for length in self._lengths:
            yield self._bytes[start : start + length]
            start += length


def _line(change: Change) -> bytes:
    row: dict[str, Any] = {
        "seq": change.seq,
        "id": change.id,
        "changes": [{"rev": change.rev}],
        "doc": change.doc,
    }
    return msgspec.json.encode(row) + b"\n"


def _payloads(
    feed: RecordedFeed, transport: ElasticTransport, versions: Versions
) -> Iterator[bytes]:
    for read in feed.read(0, follow=False):
        for change in read.changes:
            yield bulk.body([transport.pack_bytes(change, versions.draw())])


def _bulks(payloads: Iterator[bytes]) -> Iterator[list[bytes]]:
    bulk: list[bytes] = []
    size = 0
    for payload in payloads:
        bulk.append(payload)
        size += len(payload)
        if len(bulk) >= BULK_DOCUMENTS or size >= BULK_BYTES:
            yield bulk
            bulk, size = [], 0
    if bulk:
        yield bulk
