"""Delivers a batch into the Django database, in one transaction with letters and position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from django.db import DatabaseError

from pillowtop.changes import Seq
from pillowtop.engine.batches import Batch
from pillowtop.engine.items import Gathering, Transactional
from pillowtop.engine.letters import Letter
from pillowtop.engine.transience import demand_about_document
from pillowtop.exceptions import PillowtopError, TransientError
from pillowtop.records import batches
from pillowtop.records.batches import Manner
from pillowtop.worker.judging import Judge
from pillowtop.worker.memory import Memory
from pillowtop.worker.patience import Patience
from pillowtop.worker.repeating import Landed


class Transactions:
    """Has each batch written whole, or not at all (rule 9).

    A document that fails undoes the transaction; in the next each stands by itself, and what
    fails becomes a letter there.
    """

    def __init__(
        self,
        pillow: str,
        stream: str,
        transport: Transactional,
        memory: Memory,
        patience: Callable[[], Patience],
        judge: Judge,
        tell: Callable[[list[Letter]], None],
        landed: Landed = lambda *_counts: None,
    ) -> None:
        self._pillow = pillow
        self._stream = stream
        self._transport = transport
        self._memory = memory
        self._patience = patience
        self._judge = judge
        self._tell = tell
        self._landed = landed

    def __call__(self, batch: Batch, seqs: Mapping[str, Seq]) -> None:
        patience, manner = self._patience(), Manner.TOGETHER
        while True:
            try:
                written = self._commit(batch, seqs.get(self._stream), manner)
                break
            except TransientError as error:
                patience.endure(error)
            except PillowtopError:
                raise
            except BaseException as error:
                demand_about_document(error)
                if manner is not Manner.TOGETHER:
                    raise
                # What the database refuses, it may refuse at the end only.
                manner = Manner.CHECKED if isinstance(error, DatabaseError) else Manner.APART
        patience.succeeded()
        self._tell(written)
        delivered = len(batch.items) - sum(one.stage == "transport" for one in written)
        self._judge.note(delivered, len(written))
        deletions = sum(item.deletion for item in batch.items.values())
        failed = sum(one.deletion for one in written if one.stage == "transport")
        self._landed(delivered, deletions - failed, len(written))

    def _commit(self, batch: Batch, seq: Seq | None, manner: Manner) -> list[Letter]:
        transport, more = self._transport, {}
        if isinstance(transport, Gathering):
            transport.begin()
            conclude = partial(
                transport.conclude,
                present=batch.present,
                at=batch.opened_at,
                checked=manner is Manner.CHECKED,
            )
            more = {"conclude": conclude}
        deliver = partial(
            batches.deliver,
            self._pillow,
            self._stream,
            list(batch.items.values()),
            list(batch.letters.values()),
            transport.write,
            self._judge.admitted,
            manner,
            **more,
        )
        return self._memory.commit(seq, deliver)
