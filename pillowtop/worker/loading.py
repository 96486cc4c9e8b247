"""Loads the documents that the feed does not carry, many at once."""

from __future__ import annotations

from collections.abc import Iterator

from pillowtop.changes import Change, Revision
from pillowtop.engine.way import HookError, Way
from pillowtop.feeds.couch_database import CouchDatabase

CHUNK_DOCUMENTS = 250
CHUNK_BYTES = 2 * 1024 * 1024


class Loader:
    """Fills in the documents of changes by `_bulk_get`: their newest revision (rule 5).

    What cannot be loaded stays as it is, and the pillow's own trigger looks for it again.
    """

    def __init__(self, way: Way, database: CouchDatabase) -> None:
        self._way = way
        self._database = database
        self._size = 1

    def chunks(self, changes: list[Change]) -> Iterator[list[Change]]:
        """Changes in parts whose documents have about 2 MiB."""
        for start in range(0, len(changes), self._size):
            yield changes[start : start + self._size]

    def load(self, changes: list[Change]) -> None:
        lacking = [change for change in self._way.wanted(changes) if self._lacks(change)]
        if lacking:
            self._fill(lacking)

    def measure(self) -> None:
        """Learn from the database how many documents make a chunk."""
        info = self._database.info()
        document_bytes = info.external_bytes / max(info.doc_count, 1) + 1
        self._size = max(1, min(CHUNK_DOCUMENTS, int(CHUNK_BYTES / document_bytes)))

    def _lacks(self, change: Change) -> bool:
        if change.deleted or change.has_document:
            return False
        try:
            return not self._way.refuses(change)
        except HookError:
            return False

    def _fill(self, changes: list[Change]) -> None:
        loaded = self._database.load([change.id for change in changes])
        for change in changes:
            found = loaded.get(change.id)
            if found is None:
                continue
            if found.deleted:
                change.deleted = True
            elif found.doc is not None:
                change.doc = found.doc
                change.changes = [Revision(found.rev)]
