"""Delivers a batch to a target that answers for each document, until nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pillowtop.changes import Seq
from pillowtop.engine import letters
from pillowtop.engine.batches import Batch
from pillowtop.engine.items import DELIVERED, Item, Transport, Verdict
from pillowtop.engine.letters import Letter
from pillowtop.engine.portions import Portions
from pillowtop.exceptions import AnswerLate, ServerBusy, TransientError
from pillowtop.worker.patience import Patience

Settle = Callable[[list[Item], list[Letter]], None]
Landed = Callable[[int, int, int], None]


class Repeating:
    """Repeats what is to be tried again, with the same versions.

    `settle` is called with what was delivered and the letters of what was not, `landed` with how
    many were delivered, were deletions among these, and have become letters.
    """

    def __init__(
        self,
        transport: Transport,
        patience: Callable[[], Patience],
        demand_lease: Callable[[], None],
        settle: Settle,
        landed: Landed = lambda *_counts: None,
    ) -> None:
        self._transport = transport
        self._patience = patience
        self._demand_lease = demand_lease
        self._settle = settle
        self._landed = landed
        self._portions = Portions()

    def __call__(self, batch: Batch, _seqs: Mapping[str, Seq]) -> None:
        patience = self._patience()
        written = list(batch.letters.values())
        left, delivered = list(batch.items.values()), []
        while left:
            try:
                self._demand_lease()
                now, later = self._portions.cut(left)
                outcomes = self._transport.deliver(now)
            except TransientError as error:
                if isinstance(error, AnswerLate):
                    self._portions.late(len(now))
                patience.endure(error)
                continue
            delivered += [one.item for one in outcomes if one.verdict is DELIVERED]
            rest = [one for one in outcomes if one.verdict is not DELIVERED]
            again = [one for one in rest if one.verdict is Verdict.AGAIN]
            refused = [one for one in rest if one.verdict is Verdict.REJECTED]
            written += map(letters.from_outcome, refused)
            self._portions.answered(len(now))
            left = [*(one.item for one in again), *later]
            if again:
                one, others = again[0], f" (and {len(again) - 1} more)" if again[1:] else ""
                patience.endure(
                    ServerBusy(
                        f"document {one.item.doc_id!r}{others} is put off: "
                        f"{one.error_type}: {one.reason}"
                    )
                )
        patience.succeeded()
        self._settle(delivered, written)
        self._landed(len(delivered), sum(item.deletion for item in delivered), len(written))
