"""What should stand in a pillow's target, as its hooks say now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pillowtop.changes import Change
from pillowtop.engine.comparing import Standing
from pillowtop.engine.items import Listing
from pillowtop.engine.transience import is_transient
from pillowtop.engine.way import HookError, Packer, Way
from pillowtop.exceptions import Halted, TransientError
from pillowtop.listener import BasicPillow
from pillowtop.verification.insisting import insist

VERSION = 1
"""Of what is packed to be looked at, and never sent."""


class Expectations:
    """Judges live documents. Without hooks their ids and revisions say all.

    `design_documents` counts those that the pillow skips.
    """

    def __init__(self, pillow: BasicPillow, transport: Listing) -> None:
        self._way = Way(pillow, BasicPillow)
        self._packer = Packer(self._way, transport)
        self.needs_documents = self._way.runs_hooks or transport.renames
        self.design_documents = 0

    def of(self, changes: Iterable[Change]) -> Iterator[Standing]:
        """What should stand there of them, in their order; nothing of what is refused.

        What a hook fails on should be there: it is a dead letter, or is missing. Raises `Halted`
        where a hook does, and `TransientError` where one cannot be asked for a minute.
        """
        changes = list(changes)
        wanted = self._way.wanted(changes)
        self.design_documents += len(changes) - len(wanted)
        if not self.needs_documents:
            return (Standing(one.id, one.rev, one.id) for one in wanted)
        return (standing for one in wanted if (standing := self._judged(one)))

    def _judged(self, change: Change) -> Standing | None:
        try:
            return self._judged_now(change)
        except TransientError:  # seldom: so nothing is made for each document
            return insist(lambda: self._judged_now(change))

    def _judged_now(self, change: Change) -> Standing | None:
        try:
            item = self._packer.item(change, VERSION)
        except HookError as error:
            if isinstance(error.cause, Halted):
                raise error.cause from error
            change.forget_decoded()
            if is_transient(error.cause):
                raise TransientError(f"document {change.id!r} at {error.stage}: {error}") from error
            return Standing(change.id, change.rev, None)
        if item is None or item.deletion:
            return None
        return Standing(change.id, change.rev, item.id, item.place)
