"""The documents of a database in the order of their ids, and some of them by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pillowtop.changes import Change, Revision
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_errors import AnswerTooLarge
from pillowtop.feeds.couch_following import PageSize
from pillowtop.feeds.couch_values import ListedRow

PAGE_ROWS = 3000
PAGE_BYTES = 2 * 1024 * 1024
"""Several pages are in memory at a time."""

PAGE_BYTES_AT_MOST = 2 * PAGE_BYTES
"""Averages promise half of that. What has more, as some documents are large, comes in fewer."""


class DocumentListing:
    """Live documents as changes: their winning revisions, with `include_docs` their JSON too.

    Raises what `CouchDatabase` does.
    Source: https://docs.couchdb.org/en/stable/api/database/bulk-api.html#db-all-docs
    """

    def __init__(self, database: CouchDatabase, *, include_docs: bool) -> None:
        self._database = database
        self._include_docs = include_docs
        self._page_size = PageSize(PAGE_ROWS, PAGE_BYTES)

    def measure(self) -> int:
        """Learn how many documents make a page. Returns how many the database has."""
        info = self._database.info()
        if self._include_docs:
            self._page_size.fit(info)
        return info.doc_count

    def page(self, after: str, upto: str = "", at_most: int = PAGE_ROWS) -> list[Change]:
        """The documents behind an id, to `upto` if given; none at the end."""
        limit = min(self._page_size.rows, at_most)
        while True:
            try:
                rows = self._rows(after, upto, limit)
            except AnswerTooLarge:
                limit = max(limit // 4, 1)
            else:
                return [self._change(row) for row in rows]

    def of(self, doc_ids: Sequence[str]) -> Iterator[Change]:
        """Those of the documents that live; their JSON is in memory for some at a time."""
        there = [self._change(row) for row in self._database.rows_of(doc_ids) if row.is_there]
        return self._loaded(there) if self._include_docs else iter(there)

    def _loaded(self, changes: list[Change]) -> Iterator[Change]:
        """The same with their documents, as these are by now."""
        while changes:
            loaded = self._database.load([one.id for one in changes], PAGE_BYTES)
            for change in changes[: len(loaded)]:
                found = loaded[change.id]
                if found.doc is not None:
                    change.changes, change.doc = [Revision(found.rev)], found.doc
                yield change
            changes = changes[len(loaded) :]

    def _rows(self, after: str, upto: str, limit: int) -> list[ListedRow]:
        """Raises `AnswerTooLarge`, but for a single document."""
        rows = self._database.rows(
            after,
            upto,
            # From the id itself, as the document behind it may be gone by the time of the request.
            limit + 1,
            include_docs=self._include_docs,
            at_most=PAGE_BYTES_AT_MOST if limit > 1 else None,
        )
        if rows and rows[0].id == after:
            rows = rows[1:]
        return rows[:limit]

    def _change(self, row: ListedRow) -> Change:
        rev = row.value.rev if row.value else ""
        change = Change(row.id, changes=[Revision(rev)], database=self._database.name)
        change.doc = row.doc
        return change
