"""The whole way of changes through a pillow, at once and in the calling thread.

Its hooks, the real packing and its transport, without the worker: no greenlets, no checkpoint,
no Django database but the one that the pillow writes to itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pillowtop.changes import Change, Seq
from pillowtop.engine.batches import Batch, Limits
from pillowtop.engine.items import Item, Verdict
from pillowtop.engine.resuming import START
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import HookError, Packer, Way
from pillowtop.exceptions import TransientError
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.testing.couch import FakeDatabase

ATTEMPTS = 5

_tokens = itertools.count(1)


class NotDelivered(AssertionError):
    """A document became a dead letter, or would wait for ever."""


class Rehearsal:
    """One life of a pillow, which may follow one fake database after the other."""

    def __init__(self, pillow: BasicPillow) -> None:
        self.pillow = pillow
        self._way = Way(pillow, BasicPillow)
        self._transport = pillow.get_transport()
        self._packer = Packer(self._way, self._transport)
        self._versions = Versions(next(_tokens))
        self._transport.prepare()

    def follow(self, database: FakeDatabase, since: Seq = START) -> Seq:
        """Take all that comes after `since`, and return how far that was."""
        for read in self._reads(database, since):
            self._take(read)
            since = since if read.seq is None else read.seq
        return since

    def remove(self, doc_ids: Iterable[str]) -> None:
        """Take the deletions of documents."""
        database = FakeDatabase()
        for doc_id in doc_ids:
            database.delete(doc_id)
        self.follow(database)

    def results(self, documents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
        """What the hooks make of documents in their order, by id; None where they are refused."""
        database = FakeDatabase(shards=1)
        for document in documents:
            database.put(document)
        for read in self._reads(database, START):
            for change in self._way.wanted(read.changes):
                yield change.id, self._result(change)

    def close(self) -> None:
        close = getattr(self._transport, "close", None)
        if close:
            close()

    def _reads(self, database: FakeDatabase, since: Seq) -> Iterator[Read]:
        database.follow_with(self.pillow)
        return self.pillow.get_feed().read(since, follow=False)

    def _result(self, change: Change) -> Any:
        try:
            return None if self._way.refuses(change) else self._way.document(change)
        except HookError as error:
            raise _not_delivered(error) from error.cause

    def _take(self, read: Read) -> None:
        batch = Batch(0.0, Limits())
        for change in self._way.wanted(read.changes):
            try:
                item = self._packer.item(change, self._versions.draw())
            except HookError as error:
                raise _not_delivered(error) from error.cause
            if item is not None:
                batch.add(item)
        if batch.items:
            self._deliver(list(batch.items.values()))

    def _deliver(self, items: Sequence[Item]) -> None:
        said = ""
        for _ in range(ATTEMPTS):
            try:
                outcomes = self._transport.deliver(items)
            except TransientError as error:
                said = str(error)
                continue
            for outcome in outcomes:
                said = f"{outcome.error_type}: {outcome.reason}"
                if outcome.verdict is Verdict.REJECTED:
                    text = f"\n{outcome.traceback}" if outcome.traceback else ""
                    raise NotDelivered(
                        f"document {outcome.item.doc_id!r} would become a dead letter: {said}{text}"
                    )
            items = [one.item for one in outcomes if one.verdict is Verdict.AGAIN]
            if not items:
                return
        raise NotDelivered(
            f"document {items[0].doc_id!r} is tried again and again: {said}. In a test nothing "
            "passes by itself: have what the hook asks answer, or replace it"
        )


def _not_delivered(error: HookError) -> NotDelivered:
    cause = error.cause
    return NotDelivered(
        f"document {error.change.id!r} fails at {error.stage}: {type(cause).__name__}: {cause}"
    )
