"""Delivers messages into statistics: within the transaction that moves the position."""

from __future__ import annotations

import time
from collections.abc import Callable

from pillowtop.changes import Change, Document
from pillowtop.stats.plugins import Message
from pillowtop.stats.records.store import on_commit
from pillowtop.stats.tally import Tally
from pillowtop.transports.gathering import GatheringTransport


class StatsTransport(GatheringTransport):
    """`make_tally` takes up what is remembered, and is told whether it is to look at constraints
    that databases look at on commit; `make_message` says when a document happened."""

    def __init__(
        self,
        make_tally: Callable[[bool], Tally],
        make_message: Callable[[Change, Document], Message],
    ) -> None:
        self.counts: dict[str, int] = {}
        self._make_tally = make_tally
        self._make_message = make_message
        self._tally: Tally | None = None
        self._messages: list[Message] = []
        self._heard_at = time.monotonic()

    def make_payload(self, change: Change, document: Document) -> Message:
        return self._make_message(change, document)

    def begin(self) -> None:
        self._messages = []

    def gather(self, payload: Message) -> None:
        self._messages.append(payload)

    def conclude(self, *, present: bool, at: float, checked: bool) -> None:
        # Another one may have been made by `wants_turn` meanwhile, which is not to check anything.
        tally = self._make_tally(True) if checked else self._tally or self._make_tally(False)
        # One that was in a transaction which was undone knows what did not happen.
        self._tally = None
        if self._messages or not present:
            self._heard_at = time.monotonic()
        tally.take(self._messages, present=present, idle=self._idle(at))
        on_commit(lambda: self._keep(tally, again=not checked))  # to check takes long

    def wants_turn(self) -> bool:
        if self._tally is None:
            self._keep(self._make_tally(False))
        assert self._tally is not None
        return self._tally.wants_turn(self._idle(time.monotonic()))

    def _idle(self, at: float) -> int:
        """For how long there had been nothing by then, in microseconds."""
        return int(max(0.0, at - self._heard_at) * 1_000_000)

    def _keep(self, tally: Tally, *, again: bool = True) -> None:
        self._tally = tally if again else None
        self.counts.update(tally.progress.counts)
