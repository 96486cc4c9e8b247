"""Runs single documents again, as operators ask for them (rule 8)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from pillowtop.engine.fates import Fate
from pillowtop.records import reruns
from pillowtop.records.reruns import Asked
from pillowtop.worker.again import Again
from pillowtop.worker.clearing import Clearing
from pillowtop.worker.patience import Patience

logger = logging.getLogger(__name__)

DOCUMENTS_AT_ONCE = 500

SETTLED = (Fate.DELIVERED, Fate.DELETED, Fate.SKIPPED)
"""What became of a document of which nothing but what was just written is to be there."""


class Rerunner:
    """Takes documents from the queue, and notes what became of them."""

    def __init__(
        self,
        pillow: str,
        again: Again,
        record: Callable[..., Any],
        clearing: Clearing | None,
        patience: Callable[[], Patience],
    ) -> None:
        self._pillow = pillow
        self._again = again
        self._record = record
        self._clearing = clearing
        self._patience = patience

    def waiting(self) -> list[Asked]:
        """What is to be run next."""
        asked: list[Asked] = self._record(reruns.waiting, DOCUMENTS_AT_ONCE)
        return asked

    def run(self) -> None:
        """Run what waits by now: another greenlet may have had its turn before."""
        asked = self.waiting()
        fates = self._taken([one.doc_id for one in asked if not one.clears])
        fates |= self._cleared([one.doc_id for one in asked if one.clears])
        self._record(reruns.done, {one.number: fates[one.doc_id] for one in asked})
        counts = sorted(Counter(fates.values()).items())
        logger.info(
            "%s: ran documents again as was asked for: %s",
            self._pillow,
            ", ".join(f"{count} {fate}" for fate, count in counts),
            extra={"action": "rerun", "pillow": self._pillow},
        )

    def _taken(self, doc_ids: list[str]) -> dict[str, Fate]:
        return self._again.take(doc_ids) if doc_ids else {}

    def _cleared(self, doc_ids: list[str]) -> dict[str, Fate]:
        """Take documents, and have nothing else of them be in the target."""
        if not doc_ids:
            return {}
        clearing = self._clearing
        version = clearing.begin() if clearing else 0
        fates = self._again.take(doc_ids, removing=doc_ids)
        settled = [doc_id for doc_id in doc_ids if fates[doc_id] in SETTLED]
        if clearing and settled:
            self._patience().until_done(lambda: clearing.clear(settled, version))
        return fates
