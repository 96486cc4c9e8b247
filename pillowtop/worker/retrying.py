"""Tries dead letters again, when they are due."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from pillowtop.engine.fates import Fate
from pillowtop.feeds.couch_values import Loaded
from pillowtop.records import letters
from pillowtop.records.letters import Due
from pillowtop.worker.again import Again

logger = logging.getLogger(__name__)

LETTERS_AT_ONCE = 100


class Retrier:
    """Takes the documents of letters as they are now, never as they were when they failed.

    A letter goes when its document goes through, or is not wanted any more. What CouchDB does
    not know is looked for again until the schedule is at its end, and is taken for deleted then.
    """

    def __init__(
        self, pillow: str, stream: str, again: Again, record: Callable[..., Any], *, filtered: bool
    ) -> None:
        self._pillow = pillow
        self._stream = stream
        self._again = again
        self._record = record
        self._filtered = filtered

    def waiting(self) -> list[Due]:
        """Letters whose time has come."""
        due: list[Due] = self._record(letters.due, self._stream, LETTERS_AT_ONCE)
        return due

    def run(self) -> None:
        """Try what is due by now: another greenlet may have had its turn before."""
        due = self.waiting()
        revs = {one.doc_id: one.rev for one in due}

        def is_what_failed(loaded: Loaded) -> bool:
            # A filter in CouchDB has let that revision pass, and nobody asks it about another:
            # had it passed, the feed would have brought it.
            return loaded.deleted or loaded.rev in ("", revs[loaded.id])

        fates = self._again.take(
            list(revs),
            is_what_failed if self._filtered else lambda _loaded: True,
            removing={one.doc_id for one in due if one.is_last},
        )
        left = [doc_id for doc_id, fate in fates.items() if fate in (Fate.MISSING, Fate.SKIPPED)]
        self._record(letters.put_off, self._stream, left)
        counts = sorted(Counter(fates.values()).items())
        logger.info(
            "%s: tried dead letters again: %s",
            self._pillow,
            ", ".join(f"{count} {fate}" for fate, count in counts),
            extra={"action": "retried", "pillow": self._pillow},
        )
