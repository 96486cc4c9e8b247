"""Batches under way: some at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import gevent
from gevent.event import Event

from pillowtop.changes import Seq
from pillowtop.engine.batches import Batch


class Delivery:
    """Keeps up to `at_once` batches under way, each in a greenlet of its own.

    A document is in one batch under way at most: a batch that shares one waits. `deliver` is
    given a batch, and the seqs up to which it and all before it are everything, by stream; it
    returns when the batch is delivered, or its letters are written.
    """

    def __init__(
        self,
        deliver: Callable[[Batch, Mapping[str, Seq]], None],
        at_once: int,
        spawn: Callable[..., gevent.Greenlet],
    ) -> None:
        self._deliver = deliver
        self._at_once = at_once
        self._spawn = spawn
        self.flying: dict[Batch, float] = {}
        """Batches under way, and since when."""

        self._landed = Event()

    @property
    def in_flight(self) -> int:
        return len(self.flying)

    def can_take(self, batch: Batch) -> bool:
        """Whether `send` would not have to wait."""
        return len(self.flying) < self._at_once and not any(
            map(batch.shares_a_document_with, self.flying)
        )

    def send(self, batch: Batch, seqs: Mapping[str, Seq], done: Callable[[], None]) -> None:
        """Start to deliver a batch, as soon as there is room and no other holds its documents."""
        while not self.can_take(batch):
            self._landed.clear()
            self._landed.wait()
        self.flying[batch] = time.monotonic()
        self._spawn(self._fly, batch, seqs, done)

    def wait_until_idle(self) -> None:
        while self.flying:
            self._landed.clear()
            self._landed.wait()

    def _fly(self, batch: Batch, seqs: Mapping[str, Seq], done: Callable[[], None]) -> None:
        self._deliver(batch, seqs)
        # From here to the end of `done` no other greenlet runs: who asks for the position finds
        # the one that a transaction has just written.
        del self.flying[batch]
        self._landed.set()
        done()
