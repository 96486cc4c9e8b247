"""Takes single documents through a pillow's whole way once more, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from pillowtop.changes import Change, Revision
from pillowtop.engine.fates import Fate
from pillowtop.engine.storms import Storm
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Way
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_values import Loaded
from pillowtop.feeds.reading import Read
from pillowtop.records import letters
from pillowtop.worker.intake import Intake
from pillowtop.worker.loading import CHUNK_BYTES_AT_MOST
from pillowtop.worker.patience import Patience


class Again:
    """Nothing else of the pillow may be under way meanwhile, or be taken.

    Then what is read here is as new as anything before, and the feed brings what is newer
    afterwards.
    """

    def __init__(
        self,
        way: Way,
        database: CouchDatabase,
        stream: str,
        versions: Versions,
        intake: Intake,
        record: Callable[..., Any],
        patience: Callable[[], Patience],
        storm: Storm,
        verify: Callable[[], None],
    ) -> None:
        self._way = way
        self._database = database
        self._stream = stream
        self._versions = versions
        self._intake = intake
        self._record = record
        self._patience = patience
        self._storm = storm
        self._verify = verify

    def take(
        self,
        doc_ids: Sequence[str],
        takes: Callable[[Loaded], bool] = lambda _loaded: True,
        removing: Collection[str] = (),
    ) -> dict[str, Fate]:
        """Documents, and what became of each. One that `takes` refuses is skipped.

        One that CouchDB does not know is left alone, but for those in `removing`: where CouchDB
        says a second time that they are gone, they are taken for deleted (rule 5).
        """
        fates: dict[str, Fate] = {}
        left = list(dict.fromkeys(doc_ids))
        while left:
            # Before the documents are read: what the feed brings meanwhile is as new (rule 2).
            version = self._versions.draw(len(left))
            load = partial(self._database.load, left, CHUNK_BYTES_AT_MOST)
            loaded = self._patience().until_done(load)
            gone = self._gone([one for one in loaded.values() if one.id in removing])
            with self._storm.apart():
                fates |= self._take([one for one in loaded.values() if takes(one)], version, gone)
            fates |= dict.fromkeys(loaded.keys() - fates.keys(), Fate.SKIPPED)
            left = left[len(loaded) :]
        return fates

    def _gone(self, candidates: list[Loaded]) -> set[str]:
        missing = [one.id for one in candidates if _fate(one) is Fate.MISSING]
        if not missing:
            return set()
        gone = self._patience().until_done(lambda: self._database.gone(missing))
        # Behind the answer: a database that was made anew has nothing, and deletes nothing.
        self._patience().until_done(self._verify)
        return gone

    def _take(self, loaded: list[Loaded], version: int, gone: set[str]) -> dict[str, Fate]:
        fates = {one.id: Fate.DELETED if one.id in gone else _fate(one) for one in loaded}
        changes = [
            self._change(one, deleted=fates[one.id] is Fate.DELETED)
            for one in loaded
            if fates[one.id] is not Fate.MISSING
        ]
        wanted = self._way.wanted(changes)
        doc_ids = [one.id for one in wanted]
        before = self._record(letters.attempts, self._stream, doc_ids)
        self._intake.take(Read(self._stream, wanted, version=version))
        self._intake.finish()
        after = self._record(letters.attempts, self._stream, doc_ids)
        fates |= dict.fromkeys(set(fates) - set(doc_ids) - _missing(fates), Fate.SKIPPED)
        fates |= dict.fromkeys(self._storm.ignored_apart, Fate.IGNORED)
        for doc_id, attempts in after.items():
            if attempts > before.get(doc_id, 0):
                fates[doc_id] = Fate.LETTER
        # Neither written nor failed: nothing of it is to be in the target any more.
        settled = [doc_id for doc_id in after if fates[doc_id] is not Fate.LETTER]
        self._record(letters.clear, self._stream, settled)
        return fates

    def _change(self, loaded: Loaded, *, deleted: bool) -> Change:
        change = Change(
            loaded.id,
            changes=[Revision(loaded.rev)],
            deleted=deleted,
            database=self._database.name,
        )
        if loaded.doc is not None:
            change.doc = loaded.doc
        return change


def _missing(fates: dict[str, Fate]) -> set[str]:
    return {doc_id for doc_id, fate in fates.items() if fate is Fate.MISSING}


def _fate(loaded: Loaded) -> Fate:
    """What becomes of a document unless it fails."""
    if loaded.deleted:
        return Fate.DELETED
    return Fate.MISSING if loaded.doc is None else Fate.DELIVERED
