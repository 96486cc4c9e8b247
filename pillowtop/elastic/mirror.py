"""A second index that gets all that the first one takes, so that it can take its place again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pillowtop.elastic.naming import own_alias
from pillowtop.elastic.replies import AllRefused
from pillowtop.engine.items import Item, Outcome, Verdict
from pillowtop.exceptions import Halted, StandBy, WrittenByLaterLife

logger = logging.getLogger(__name__)

BLOCKED = "cluster_block_exception"


class Mirror:
    """Writes items to another index, and gives up where that cannot go well.

    What it does not take is said in the log: nobody reads that index, unless it takes the place
    of the first one again, and then its own release of the pillow writes all of it once more.
    """

    def __init__(
        self, pillow: str, index: str, send: Callable[[Sequence[Item], str], list[Outcome]]
    ) -> None:
        self.index = index
        self.lost = ""
        """Why it is written to no more."""

        self._pillow = pillow
        self._send = send

    def deliver(self, items: Sequence[Item]) -> dict[str, Outcome]:
        """Write items. Returns those that are to be tried again, by their id in the index.

        Raises `TransientError`.
        """
        if self.lost or not items:
            return {}
        try:
            outcomes = self._sent(items)
        except WrittenByLaterLife:
            # To write over it would undo the work of whoever builds this index anew.
            self._lose("another process writes to it (ptop_reindex run, to have it serve again?)")
            return {}
        except (Halted, StandBy) as error:
            self._lose(str(error))
            return {}
        again = {one.item.id: one for one in outcomes if one.verdict is Verdict.AGAIN}
        if blocked := [one for one in again.values() if one.error_type == BLOCKED]:
            # The first index was writable a moment ago: it is this one alone.
            self._lose(blocked[0].reason)
            return {}
        self._complain([one for one in outcomes if one.verdict is Verdict.REJECTED])
        return again

    def _sent(self, items: Sequence[Item]) -> list[Outcome]:
        try:
            return self._send(items, own_alias(self.index))
        except AllRefused as refusal:
            # A mapping that a new release has left may refuse all that this one makes.
            if len(refusal.outcomes) != len(items):
                raise
            return list(refusal.outcomes)

    def _lose(self, why: str) -> None:
        self.lost = why
        logger.error(
            "%s: index %s is not kept in step any more, so that there is no way back to it: %s",
            self._pillow, self.index, why,
            extra={"action": "mirror_lost", "pillow": self._pillow, "index": self.index},
        )  # fmt: skip

    def _complain(self, refused: list[Outcome]) -> None:
        for one in refused[:1]:
            logger.warning(
                "%s: index %s, which is kept for the way back, does not take %r (and %d others): "
                "%s: %s",
                self._pillow, self.index, one.item.doc_id, len(refused) - 1,
                one.error_type, one.reason,
                extra={"action": "mirror_refused", "pillow": self._pillow, "index": self.index},
            )  # fmt: skip
