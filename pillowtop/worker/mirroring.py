"""Keeps the index from which a pillow has moved in step, as long as there is to be a way back."""

from __future__ import annotations

import logging

from django.utils import timezone

from pillowtop.engine.items import Movable
from pillowtop.engine.moves import Move
from pillowtop.records import moves
from pillowtop.worker.parts import Ground

logger = logging.getLogger(__name__)


class Mirroring:
    """Of one life of a pillow. The other index gets whatever the first one takes."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._transport = ground.transport if isinstance(ground.transport, Movable) else None
        self._move: Move | None = None

    def begin(self) -> None:
        """Have both written to, where the time for a way back is not over."""
        if self._transport is None:
            return
        self._ground.record(moves.settle, self._transport.index)
        self._move = self._ground.record(moves.kept, self._transport.index)
        self._transport.write_to_both(self._move.old if self._move else "")
        if self._move:
            self._log(logging.INFO, "mirror", f"keeps {self._move.old} in step, too")

    def disturb(self) -> None:
        """Say that documents are about to be written again that have not changed."""
        if self._move is not None:
            self._ground.record(moves.disturb, self._move.new)

    def look(self) -> None:
        """End where the time is over, or where it went wrong."""
        if self._transport is None or self._move is None:
            return
        if self._transport.lost:
            self._ground.record(moves.lose, self._move.new, self._transport.lost)
        elif self._ground.record(moves.kept, self._move.new) is not None:
            return
        elif self._ground.record(moves.is_undone, self._move.new):
            self._log(
                logging.INFO, "mirror_ended",
                f"does not write to {self._move.old} any more: a rollback has put the alias there",
            )  # fmt: skip
        elif self._move.may_return(timezone.now()):
            self._log(
                logging.WARNING, "mirror_ended",
                f"does not keep {self._move.old} in step any more: ptop_reindex run fills it anew",
            )  # fmt: skip
        else:
            self._log(
                logging.INFO, "mirror_ended",
                f"does not keep {self._move.old} in step any more: the time for a rollback is "
                "over (manage.py ptop_reindex cleanup removes it)",
            )  # fmt: skip
        self._transport.write_to_both("")
        self._move = None

    def _log(self, level: int, action: str, words: str) -> None:
        name = self._ground.pillow.name
        logger.log(level, "%s: %s", name, words, extra={"action": action, "pillow": name})
