"""A CouchDB database in memory, and the feed of what happens to it."""

from __future__ import annotations

import random
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pillowtop.changes import Document, Seq
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import FeedInterrupted, SequenceRefused
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_lines import LineParser
from pillowtop.feeds.couch_values import DatabaseInfo, Loaded
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.testing.couch_faults import FeedFault, Plan, Vector
from pillowtop.testing.couch_revisions import Leaf, Revisions

BEGINNING = (None, 0, "0", "")
READ_ROWS = 1000
TICK_SECONDS = 0.01

_encode = msgspec.json.Encoder().encode


class FakeDatabase(CouchDatabase):
    """A database in which a test says what happens.

        database = FakeDatabase("orders")
        database.put({"_id": "a", "price": 5})
        database.delete("a")
        for read in database.feed().read(0, follow=False):
            print(read.changes)

    It has shards, as a real one has: the order of rows differs from reading to reading, and so do
    the seqs of one change. All of that follows from `seed`, and is the same in each run.
    """

    def __init__(self, name: str = "fake", *, shards: int = 2, seed: int = 0) -> None:
        super().__init__(Endpoint.parse("http://fake.invalid:5984"), name)
        self._shards = shards
        self._random = random.Random(seed)  # noqa: S311  (to be repeated, not to be secret)
        self._vectors: dict[str, Vector] = {}
        self._faults: deque[tuple[FeedFault, ...]] = deque()
        self._born = 0
        self.recreate()

    # What happens to it.

    def put(self, document: Mapping[str, Any]) -> str:
        """Create or update a document, as `PUT` does, whatever `_rev` it has. Returns the new one.

        The same documents in the same order get the same revisions in every database.
        """
        return self._tree(_id_of(document)).edit(_body(document)).rev

    def delete(self, doc_id: str, **fields: Any) -> str:
        """Delete the winning revision; the tombstone keeps `fields`. Returns its revision.

        Where the document has a conflict, the other branch wins then, and it is there again.
        """
        return self._tree(doc_id).edit(fields, deleted=True).rev

    def conflict(self, document: Mapping[str, Any], generation: int = 1) -> str:
        """Add another branch of a document, as a replication does. Returns its revision.

        It wins where it has more generations than the others.
        """
        return self._tree(_id_of(document)).branch(_body(document), generation).rev

    def purge(self, doc_id: str) -> None:
        """Remove a document without a trace: the feed says nothing of it."""
        self._given.pop(doc_id, None)
        del self._documents[doc_id]
        del self._positions[doc_id]

    def put_row(self, row: Mapping[str, Any]) -> None:
        """Have the feed give a row as it stands, but for its seq, until the document changes."""
        self._tree(row["id"])
        self._given[row["id"]] = _encode({key: row[key] for key in row if key != "seq"})

    def garble(self, doc_id: str) -> None:
        """Have the row of a document come as half a line, until the document changes."""
        whole = self._row(doc_id, include_docs=True)
        self._tree(doc_id)
        self._given[doc_id] = whole[: len(whole) // 2]

    def recreate(self) -> None:
        """Delete the database and make it again: empty, while old seqs start it from 0."""
        self._documents: dict[str, Revisions] = {}
        self._positions: dict[str, int] = {}
        self._given: dict[str, bytes] = {}
        self._locals: dict[str, Document] = {}
        self._counts = [0] * self._shards
        self._vectors = dict.fromkeys(self._vectors, (0,) * self._shards)
        self._born += 1

    def fail_next(self, *faults: FeedFault) -> None:
        """Have the next reading suffer all of these; called again, the one after it."""
        for fault in faults:
            if not isinstance(fault, FeedFault):
                raise TypeError(f"{fault!r} is no fault of a feed, such as interrupted()")
        self._faults.append(faults)

    def follow_with(self, pillow: BasicPillow) -> None:
        """Have a pillow follow this database in place of its own. No `couch_filter` is applied."""
        found = {"get_database": lambda: self, "get_feed": lambda: self.feed(pillow.include_docs)}
        vars(pillow).update(found)

    def feed(self, include_docs: bool = True, *, read_rows: int = READ_ROWS) -> FakeFeed:
        """A feed of the database, which gives up to `read_rows` rows at once."""
        return FakeFeed(self, include_docs=include_docs, read_rows=read_rows)

    # What pillowtop asks of a database.

    def info(self) -> DatabaseInfo:
        bodies = [_encode(leaf.body) for leaf in self._winners().values() if not leaf.deleted]
        return DatabaseInfo(
            doc_count=len(bodies),
            external_bytes=sum(map(len, bodies)),
            update_seq=self.seq_of(tuple(self._counts)),
            instance_start_time=str(1_700_000_000 + self._born),
        )

    def pending(self, since: Seq) -> int:
        return len(self.rows_behind(self.vector_of(since)))

    def get(self, doc_id: str) -> Document | None:
        leaf = self._winners().get(doc_id)
        return None if leaf is None or leaf.deleted else _document(doc_id, leaf)

    def get_local(self, local_id: str) -> Document | None:
        return self._locals.get(local_id)

    def put_local(self, local_id: str, document: Mapping[str, Any]) -> None:
        self._locals[local_id] = dict(document)

    def load(self, doc_ids: Iterable[str], at_most: int | None = None) -> dict[str, Loaded]:
        loaded: dict[str, Loaded] = {}
        size = 0
        for doc_id in doc_ids:
            one = self._load_one(doc_id)
            size += 0 if one.doc is None else len(memoryview(one.doc))
            if loaded and at_most is not None and size > at_most:
                break
            loaded[doc_id] = one
        return loaded

    def gone(self, doc_ids: Sequence[str]) -> set[str]:
        return {doc_id for doc_id in doc_ids if self.get(doc_id) is None}

    def ids_with_prefix(self, prefix: str) -> list[str]:
        return sorted(
            doc_id
            for doc_id, leaf in self._winners().items()
            if doc_id.startswith(prefix) and not leaf.deleted
        )

    # What its feeds ask of it.

    def vector_of(self, since: Seq) -> Vector:
        """Raises `SequenceRefused` for what this database never gave."""
        if since in BEGINNING:
            return (0,) * self._shards
        if not isinstance(since, str) or since not in self._vectors:
            raise SequenceRefused(f"{self.name}: Malformed sequence supplied in 'since': {since!r}")
        return self._vectors[since]

    def seq_of(self, vector: Vector) -> str:
        """A new seq for a position: it differs each time."""
        seq = f"{sum(vector)}-g1AAAA{self._random.getrandbits(128):032x}"
        self._vectors[seq] = vector
        return seq

    def rows_behind(self, vector: Vector) -> list[tuple[str, Vector]]:
        """Ids of changed documents, and the position behind each; shards in any order."""
        queues = [
            deque(sorted((at, doc_id) for doc_id, at in self._in_shard(shard) if at > seen))
            for shard, seen in enumerate(vector)
        ]
        rows, position = [], list(vector)
        while left := [shard for shard, queue in enumerate(queues) if queue]:
            shard = self._random.choice(left)
            position[shard], doc_id = queues[shard].popleft()
            rows.append((doc_id, tuple(position)))
        return rows

    def plan(self, since: Seq) -> Plan:
        """The next reading, with the faults that were asked for."""
        plan = Plan(self.vector_of(since))
        for fault in self._faults.popleft() if self._faults else ():
            fault.suffer(plan)
        return plan

    def line(self, doc_id: str, seq: str | None, *, include_docs: bool) -> bytes:
        """The line of a continuous feed."""
        given = self._given.get(doc_id) or self._row(doc_id, include_docs=include_docs)
        return b'{"seq":%b,%b\n' % (_encode(seq), given[1:])

    # Helping.

    def _tree(self, doc_id: str) -> Revisions:
        """The revisions of a document that is about to change."""
        shard = self._shard_of(doc_id)
        self._counts[shard] += 1
        self._positions[doc_id] = self._counts[shard]
        self._given.pop(doc_id, None)
        return self._documents.setdefault(doc_id, Revisions())

    def _shard_of(self, doc_id: str) -> int:
        return zlib.crc32(doc_id.encode("utf-8", "surrogatepass")) % self._shards

    def _in_shard(self, shard: int) -> Iterator[tuple[str, int]]:
        return (item for item in self._positions.items() if self._shard_of(item[0]) == shard)

    def _winners(self) -> dict[str, Leaf]:
        trees = self._documents.items()
        return {doc_id: tree.winner for doc_id, tree in trees if tree.winner is not None}

    def _load_one(self, doc_id: str) -> Loaded:
        leaf = self._winners().get(doc_id)
        if leaf is None:
            return Loaded(doc_id, reason="missing")
        if leaf.deleted:
            return Loaded(doc_id, leaf.rev, deleted=True, reason="deleted")
        return Loaded(doc_id, leaf.rev, doc=msgspec.Raw(_encode(_document(doc_id, leaf))))

    def _row(self, doc_id: str, *, include_docs: bool) -> bytes:
        leaf = self._winners()[doc_id]
        row: dict[str, Any] = {"id": doc_id, "changes": [{"rev": leaf.rev}]}
        if leaf.deleted:
            row["deleted"] = True
        if include_docs:
            row["doc"] = _document(doc_id, leaf)
        return _encode(row)


class FakeFeed:
    """The feed of a `FakeDatabase`: see `pillowtop.feeds.reading.Feed`.

    Following, it looks for news all the time and yields an empty read where there are none.
    """

    def __init__(self, database: FakeDatabase, *, include_docs: bool, read_rows: int) -> None:
        self.database = database
        self.stream = database.name
        self._include_docs = include_docs
        self._read_rows = read_rows

    def read(self, since: Seq, follow: bool) -> Iterator[Read]:
        """Raises `FeedInterrupted` where that is wanted, `SequenceRefused` for a foreign seq."""
        while True:
            for read in self._page(since):
                since = since if read.seq is None else read.seq
                yield read
            if not follow:
                return
            while not self.database.pending(since):
                time.sleep(TICK_SECONDS)
                yield Read(self.stream)

    def _page(self, since: Seq) -> Iterator[Read]:
        plan = self.database.plan(since)
        start = self.database.vector_of(0) if plan.since is None else plan.since
        rows = [row for row in self.database.rows_behind(start) for _ in range(plan.times)]
        last = rows[-1][1] if rows else start
        reads = [self._read(part, plan) for part in self._parts(rows[: plan.ends_after])]
        for action in plan.meanwhile:
            action()
        yield from reads
        if plan.ends_after is not None:
            raise FeedInterrupted(f"the feed of {self.stream} ended")
        yield Read(self.stream, seq=self.database.seq_of(last), caught_up=True)

    def _parts(self, rows: list[tuple[str, Vector]]) -> Iterator[list[tuple[str, Vector]]]:
        for start in range(0, len(rows), self._read_rows):
            yield rows[start : start + self._read_rows]

    def _read(self, rows: list[tuple[str, Vector]], plan: Plan) -> Read:
        parser = LineParser(self.stream, passes_over=lambda _line: True)
        seqs = [self.database.seq_of(vector) if plan.has_seqs else None for _, vector in rows]
        block = b"".join(
            self.database.line(doc_id, seq, include_docs=self._include_docs)
            for (doc_id, _), seq in zip(rows, seqs, strict=True)
        )
        lines = parser.feed(block)
        return Read(self.stream, lines.changes, seqs[-1], True, unreadable=lines.unreadable)


def _id_of(document: Mapping[str, Any]) -> str:
    doc_id = document.get("_id")
    if not isinstance(doc_id, str):
        raise TypeError(f"give the document an `_id`, a string: it has {sorted(document)}")
    return doc_id


def _body(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("_id", "_rev")}


def _document(doc_id: str, leaf: Leaf) -> Document:
    """As CouchDB sends it: what is its own comes first."""
    head: Document = {"_id": doc_id, "_rev": leaf.rev}
    return {**head, **({"_deleted": True} if leaf.deleted else {}), **leaf.body}
