"""Runs single documents again, as operators ask for them (rule 8)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from pillowtop.changes import Change, Revision
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Way
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_values import Loaded
from pillowtop.feeds.reading import Read
from pillowtop.records import letters, reruns
from pillowtop.records.reruns import Asked
from pillowtop.worker.intake import Intake
from pillowtop.worker.patience import Patience

logger = logging.getLogger(__name__)

DOCUMENTS_AT_ONCE = 100


class Rerunner:
    """Takes documents from the queue, as they are now, through the pillow's whole way.

    Nothing else may be under way meanwhile, or be taken: then what is read here is as new as
    anything before, and the feed brings what is newer afterwards.
    """

    def __init__(
        self,
        pillow: str,
        way: Way,
        database: CouchDatabase,
        stream: str,
        versions: Versions,
        intake: Intake,
        record: Callable[..., Any],
        patience: Callable[[], Patience],
    ) -> None:
        self._pillow = pillow
        self._way = way
        self._database = database
        self._stream = stream
        self._versions = versions
        self._intake = intake
        self._record = record
        self._patience = patience

    def waiting(self) -> list[Asked]:
        """What is to be run next."""
        asked: list[Asked] = self._record(reruns.waiting, DOCUMENTS_AT_ONCE)
        return asked

    def run(self, asked: list[Asked]) -> None:
        """Run documents again, and note what became of them."""
        doc_ids = list({one.doc_id for one in asked})
        # Before the documents are read: what the feed brings meanwhile is at least as new (rule 2).
        version = self._versions.draw(len(doc_ids))
        loaded = self._patience().until_done(lambda: self._database.load(doc_ids))
        became = {doc_id: _fate(one) for doc_id, one in loaded.items()}
        changes = [self._change(one) for one in loaded.values() if became[one.id] != reruns.MISSING]
        wanted = self._way.wanted(changes)
        became.update({one.id: reruns.SKIPPED for one in changes if one not in wanted})
        self._intake.take(Read(self._stream, wanted), version)
        self._intake.finish()
        failed = self._record(letters.among, self._stream, [one.id for one in wanted])
        became.update(dict.fromkeys(failed, reruns.LETTER))
        self._record(reruns.done, {one.number: became[one.doc_id] for one in asked})
        self._tell(became)

    def _tell(self, became: dict[str, str]) -> None:
        counts = sorted(Counter(became.values()).items())
        logger.info(
            "%s: ran documents again as was asked for: %s",
            self._pillow,
            ", ".join(f"{count} {outcome}" for outcome, count in counts),
            extra={"action": "rerun", "pillow": self._pillow},
        )

    def _change(self, loaded: Loaded) -> Change:
        change = Change(
            loaded.id,
            changes=[Revision(loaded.rev)],
            deleted=loaded.deleted,
            database=self._database.name,
        )
        if loaded.doc is not None:
            change.doc = loaded.doc
        return change


def _fate(loaded: Loaded) -> str:
    """What becomes of a document unless it fails."""
    if loaded.deleted:
        return reruns.DELETED
    return reruns.MISSING if loaded.doc is None else reruns.DELIVERED
