"""Batches under way: some at once, each repeated until nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent.event import Event

from pillowtop.engine import letters
from pillowtop.engine.batches import Batch
from pillowtop.engine.items import Item, Transport, Verdict
from pillowtop.engine.letters import Letter
from pillowtop.exceptions import ServerBusy, TransientError
from pillowtop.worker.patience import Patience

Settle = Callable[[list[Item], list[Letter]], None]


class Delivery:
    """Delivers batches, `transport.batches_in_flight` of them at once.

    A document is in one batch under way at most: a batch that shares one waits. `settle` is
    called with what was delivered and the letters of what was not, before `done`.
    """

    def __init__(
        self,
        transport: Transport,
        patience: Callable[[], Patience],
        settle: Settle,
        spawn: Callable[..., gevent.Greenlet],
    ) -> None:
        self._transport = transport
        self._patience = patience
        self._settle = settle
        self._spawn = spawn
        self._flying: list[Batch] = []
        self._landed = Event()

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    def can_take(self, batch: Batch) -> bool:
        """Whether `send` would not have to wait."""
        return len(self._flying) < self._transport.batches_in_flight and not any(
            map(batch.shares_a_document_with, self._flying)
        )

    def send(self, batch: Batch, done: Callable[[], None]) -> None:
        """Start to deliver a batch, as soon as there is room and no other holds its documents."""
        while not self.can_take(batch):
            self._landed.clear()
            self._landed.wait()
        self._flying.append(batch)
        self._spawn(self._fly, batch, done)

    def wait_until_idle(self) -> None:
        while self._flying:
            self._landed.clear()
            self._landed.wait()

    def _fly(self, batch: Batch, done: Callable[[], None]) -> None:
        self._deliver(batch)
        self._flying.remove(batch)
        self._landed.set()
        done()

    def _deliver(self, batch: Batch) -> None:
        patience = self._patience()
        written = list(batch.letters.values())
        left, delivered = list(batch.items.values()), []
        while left:
            try:
                outcomes = self._transport.deliver(left)
            except TransientError as error:
                patience.endure(error)
                continue
            delivered += [one.item for one in outcomes if one.verdict is Verdict.DELIVERED]
            others = [one for one in outcomes if one.verdict is not Verdict.DELIVERED]
            again = [one for one in others if one.verdict is Verdict.AGAIN]
            refused = [one for one in others if one.verdict is Verdict.REJECTED]
            written += map(letters.from_outcome, refused)
            left = [one.item for one in again]
            if again:
                count, one = len(again), again[0]
                patience.endure(
                    ServerBusy(
                        f"document {one.item.doc_id!r} and {count - 1} others are put off: "
                        f"{one.error_type}: {one.reason}"
                    )
                )
        patience.succeeded()
        self._settle(delivered, written)
