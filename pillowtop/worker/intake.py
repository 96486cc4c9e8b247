"""From changes to batches under way: the busy part of a lane."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from pillowtop.changes import Change
from pillowtop.engine.batches import Batch, Limits
from pillowtop.engine.items import Item
from pillowtop.engine.ledger import Entry, Ledger
from pillowtop.engine.letters import Letter, from_error, from_unreadable
from pillowtop.engine.transience import demand_about_document, is_transient
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import HookError, Packer, Way
from pillowtop.exceptions import DocumentMissing, Halted, TransientError
from pillowtop.feeds.reading import Read
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.patience import Patience

MISSING_ATTEMPTS = 5
"""How often a document that the feed named is looked for before it becomes a letter (rule 5)."""


class Intake:
    """Makes items of changes, gathers them in a batch, and sends it when it is due.

    `ledger.positions` says at any time how far everything is delivered. A new batch fills while
    others are under way; `take` blocks while there is no room for a full one. With `whole_reads`
    a batch ends where a seq vouches for all of it, however full it is by then.
    """

    def __init__(
        self,
        way: Way,
        packer: Packer,
        versions: Versions,
        delivery: Delivery,
        ledger: Ledger,
        limits: Limits,
        patience: Callable[[], Patience],
        *,
        whole_reads: bool = False,
    ) -> None:
        self._way = way
        self._packer = packer
        self._versions = versions
        self._delivery = delivery
        self._ledger = ledger
        self._limits = limits
        self._patience = patience
        self._batch: Batch | None = None
        self._entry: Entry | None = None
        self._more = False
        self._whole_reads = whole_reads
        self._may_send = True
        self._is_present = self._has_concluded = False

    def take(self, read: Read) -> None:
        """Take what a feed gave. A seq is noted once all before it is in a batch, or refused."""
        self._more, self._is_present = read.more, False
        if self._whole_reads and (read.changes or read.unreadable):
            self._may_send = False
        self._take_changes(self._way.wanted_of(read), read.version)
        for line in read.unreadable:
            self._add_letter(from_unreadable(line))
        if read.seq is not None:
            self._ledger.note(read.stream, read.seq)
            self._may_send = True
        self._is_present = read.caught_up or read.current
        self._send_if_full()
        self.pump()

    def pump(self) -> None:
        """Send the batch if it is due and can go at once. Never blocks."""
        batch = self._batch
        if (
            batch
            and self._may_send
            and batch.is_due(
                in_flight=self._delivery.in_flight, more=self._more, now=time.monotonic()
            )
            and self._delivery.can_take(batch)  # asked last: it compares all ids
        ):
            self._send()

    def finish(self) -> None:
        """Deliver all that was taken; but of a whole read that is cut short, nothing."""
        if self._batch and self._may_send:
            self._send()
        self._delivery.wait_until_idle()

    def take_turn(self) -> bool:
        """Send a batch, though it be empty, where the feed has nothing more. Returns whether it has
        been delivered."""
        if not (self._is_present and self._may_send):
            return False
        if self._batch is None:
            self._open()
        self.finish()
        return True

    def lose_sight(self) -> None:
        """The feed was interrupted: whether it has anything more is not known until it is read
        again."""
        self._is_present = False

    @property
    def owes_turn(self) -> bool:
        """Whether the feed had nothing more behind a batch that was gone by then."""
        return self._is_present and not (self._has_concluded or self._batch)

    def _take_changes(self, changes: list[Change], drawn: int | None) -> None:
        # The way of each document: what is said once before the loop is not said again in it.
        wanted, accepted = self._chosen(changes)
        make = self._packer.item
        version = self._versions.draw(len(wanted)) if drawn is None else drawn
        for change in wanted:
            try:
                item = make(change, version, accepted)
            except HookError as error:
                item = self._item_at_last(change, version, error)
            if item is not None and (self._batch or self._open()).add(item):
                self._send_if_full()
            version += 1

    def _chosen(self, changes: list[Change]) -> tuple[list[Change], bool]:
        """Those for which there is something to do, and whether filters have been asked."""
        if not self._way.leaves_out:
            return changes, False
        try:
            return self._way.accepted(changes), True
        except BaseException as error:  # noqa: BLE001
            # Asked of one change at a time they will say it again, and of which.
            demand_about_document(error)
            return changes, False

    def _item_at_last(self, change: Change, version: int, error: HookError) -> Item | None:
        """Try again what will pass, and make a letter of what will not."""
        patience = self._patience()
        for attempt in itertools.count(1):
            cause = error.cause
            if isinstance(cause, Halted):
                raise cause
            given_up = isinstance(cause, DocumentMissing) and attempt >= MISSING_ATTEMPTS
            if given_up or not is_transient(cause):
                patience.give_up()
                self._add_letter(from_error(change, error.stage, cause, str(error)))
                return None
            # What came before need not wait for this one.
            self._more = False
            self.pump()
            patience.endure(_waiting_for(change, error))
            change.forget_decoded()
            try:
                item = self._packer.item(change, version)
            except HookError as again:
                error = again
            else:
                patience.succeeded()
                return item
        return None

    def _add_letter(self, letter: Letter) -> None:
        if (self._batch or self._open()).add_letter(letter):
            self._send_if_full()

    def _send_if_full(self) -> None:
        if self._may_send and self._batch and self._batch.is_full:
            self._send()

    def _open(self) -> Batch:
        self._batch = Batch(time.monotonic(), self._limits)
        self._entry = self._ledger.open()
        return self._batch

    def _send(self) -> None:
        """Hand the batch over; while that waits for room, nothing else is taken."""
        batch, entry = self._batch, self._entry
        assert batch is not None
        assert entry is not None
        batch.present = self._has_concluded = self._is_present and not self._more
        # Out of sight first: while `send` waits, `pump` must not send it a second time.
        self._batch = self._entry = None
        try:
            self._delivery.send(batch, entry.seqs, done=lambda: self._landed(entry))
        except BaseException:
            # The reader is being stopped: a drain still wants to deliver the batch.
            self._batch, self._entry = batch, entry
            raise

    def _landed(self, entry: Entry) -> None:
        self._ledger.close(entry)
        self.pump()


def _waiting_for(change: Change, error: HookError) -> TransientError:
    cause = error.cause
    if isinstance(cause, TransientError):
        return cause
    return TransientError(
        f"document {change.id!r} at {error.stage}: {type(cause).__name__}: {cause}"
    )
