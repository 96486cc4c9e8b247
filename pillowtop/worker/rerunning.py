"""Runs single documents again, as operators ask for them (rule 8)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from pillowtop.records import reruns
from pillowtop.records.reruns import Asked
from pillowtop.worker.again import Again

logger = logging.getLogger(__name__)

DOCUMENTS_AT_ONCE = 100


class Rerunner:
    """Takes documents from the queue, and notes what became of them."""

    def __init__(self, pillow: str, again: Again, record: Callable[..., Any]) -> None:
        self._pillow = pillow
        self._again = again
        self._record = record

    def waiting(self) -> list[Asked]:
        """What is to be run next."""
        asked: list[Asked] = self._record(reruns.waiting, DOCUMENTS_AT_ONCE)
        return asked

    def run(self) -> None:
        """Run what waits by now: another greenlet may have had its turn before."""
        asked = self.waiting()
        fates = self._again.take([one.doc_id for one in asked])
        self._record(reruns.done, {one.number: fates[one.doc_id] for one in asked})
        counts = sorted(Counter(fates.values()).items())
        logger.info(
            "%s: ran documents again as was asked for: %s",
            self._pillow,
            ", ".join(f"{count} {fate}" for fate, count in counts),
            extra={"action": "rerun", "pillow": self._pillow},
        )
