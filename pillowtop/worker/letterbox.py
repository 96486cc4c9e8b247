"""Dead letters: written before the checkpoint passes them, cleared when a document goes through."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pillowtop.engine.items import Item
from pillowtop.engine.letters import Letter
from pillowtop.worker.judging import Judge

logger = logging.getLogger(__name__)

SHOWN = 20
"""How many letters of a batch are logged one by one."""


class LetterBox:
    """Writes the letters of one pillow, and clears those of documents that went through."""

    def __init__(
        self,
        pillow: str,
        write: Callable[[list[Letter]], None],
        clear: Callable[[list[str]], int],
        judge: Judge,
        *,
        holds_any: bool,
    ) -> None:
        self._pillow = pillow
        self._write = write
        self._clear = clear
        self._judge = judge
        self._holds_any = holds_any

    def settle(self, delivered: list[Item], failed: list[Letter]) -> None:
        """Raises as `Judge.admitted`, and has written nothing then."""
        written = self._judge.admitted(len(delivered), failed)
        if self._holds_any and delivered:
            self._clear([item.doc_id for item in delivered])
        if written:
            self._holds_any = True
            self._write(written)
            self.tell(written)
        self._judge.note(len(delivered), len(written))

    def tell(self, written: list[Letter]) -> None:
        """Log what was written."""
        for letter in written[:SHOWN]:
            logger.error(
                "%s: document %r failed at %s and is now a dead letter: %s: %s",
                self._pillow,
                letter.doc_id,
                letter.stage,
                letter.error_type,
                letter.reason,
                extra={
                    "action": "dead_letter",
                    "pillow": self._pillow,
                    "doc_id": letter.doc_id,
                },
            )
        if len(written) > SHOWN:
            logger.error(
                "%s: and %d more documents of this batch are dead letters",
                self._pillow,
                len(written) - SHOWN,
                extra={"action": "dead_letters", "pillow": self._pillow},
            )
