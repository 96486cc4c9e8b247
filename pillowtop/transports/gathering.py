"""Delivers into the Django database what is made of a batch as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pillowtop.changes import Change, Document
from pillowtop.engine.items import Item, Outcome


class GatheringTransport:
    """Gathers what a batch brings, and makes something of it where its transaction ends.

    What runs when: `make_payload` as documents arrive (what it raises becomes a dead letter); in
    the transaction `begin`, `gather` for each document, and `conclude`, which also comes without
    any document once `wants_turn` says so and the feed has nothing more. A transaction may be
    undone, and begin anew with `begin`. Deletions are nothing to it.
    """

    batches_in_flight = 1
    decodes = True
    counts: Mapping[str, int] = {}
    """What it shows of itself, by name: the same object from the beginning to the end."""

    def make_payload(self, change: Change, document: Document) -> Any:
        """What to gather of a document. Raises what the document deserves."""
        raise NotImplementedError

    def begin(self) -> None:
        """Begin a batch: forget what was gathered."""
        raise NotImplementedError

    def gather(self, payload: Any) -> None:
        """Take what `make_payload` has made."""
        raise NotImplementedError

    def conclude(self, *, present: bool, at: float, checked: bool) -> None:
        """Write what has been gathered; `present`: the feed had nothing more behind it, `at` a time
        of the monotonic clock. `checked`: the database has refused it when it was to be committed,
        so it is to be found out what it refuses."""
        raise NotImplementedError

    def wants_turn(self) -> bool:
        """Whether there is something to do though nothing has come."""
        return False

    # What the worker asks for.

    def prepare(self) -> str:
        return ""

    def identity(self) -> str:
        return ""

    def pack(self, change: Change, document: Document, version: int) -> Item:
        payload = self.make_payload(change, document)
        size = len(memoryview(change.doc))
        return Item(change.id, change.id, version, False, payload, size, change.rev, change.seq)

    def pack_bytes(self, change: Change, version: int) -> Item:
        document = change.document
        assert document is not None
        return self.pack(change, document, version)

    def pack_deletion(self, change: Change, version: int) -> Item:
        return Item(change.id, change.id, version, True, None, 0, change.rev, change.seq)

    def write(self, item: Item) -> None:
        if not item.deletion:
            self.gather(item.payload)

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        raise NotImplementedError("it is written in transactions")
