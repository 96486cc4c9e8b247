"""Delivers through the hooks of a pillow, one document at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pillowtop.changes import Change, Document
from pillowtop.engine.items import Item, Outcome, Verdict, failed
from pillowtop.engine.transience import demand_about_document, is_transient
from pillowtop.exceptions import Halted


class HookTransport:
    """Calls `transport(document)` and `delete(change)` for each item, in order.

    An error that is transient has the document tried again; any other rejects it.
    """

    batches_in_flight = 1
    decodes = True

    def __init__(
        self,
        transport: Callable[[Any], None],
        delete: Callable[[Change], None],
        prepare: Callable[[], str] = lambda: "",
        identity: Callable[[], str] = lambda: "",
    ) -> None:
        self._transport = transport
        self._delete = delete
        self.calls = 0
        """How many documents have been taken to the hooks."""

        self.prepare = prepare
        self.identity = identity

    def pack(self, change: Change, document: Document, version: int) -> Item:
        size = len(memoryview(change.doc))
        return Item(change.id, change.id, version, False, document, size, change.rev, change.seq)

    def pack_bytes(self, change: Change, version: int) -> Item:
        document = change.document
        assert document is not None
        return self.pack(change, document, version)

    def pack_deletion(self, change: Change, version: int) -> Item:
        return Item(change.id, change.id, version, True, change, 0, change.rev, change.seq)

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        return [self._outcome(item) for item in items]

    def _outcome(self, item: Item) -> Outcome:
        self.calls += 1
        try:
            self._write(item)
        except Halted:
            raise
        except BaseException as error:  # noqa: BLE001  (a hook may raise anything)
            demand_about_document(error)
            verdict = Verdict.AGAIN if is_transient(error) else Verdict.REJECTED
            return failed(item, verdict, error)
        return Outcome(item, Verdict.DELIVERED)

    def _write(self, item: Item) -> None:
        (self._delete if item.deletion else self._transport)(item.payload)
