"""Removes what else stands in a target of documents that were just taken again."""

from __future__ import annotations

from collections.abc import Sequence

from pillowtop.engine.items import Listing
from pillowtop.engine.versions import Versions
from pillowtop.worker.sweeping import remove


class Clearing:
    """For repairs: such documents stand under an id that they have no more, or are not to be
    there and were taken by no hook's leave.

    Removed is what has an older version than one drawn before the documents were read; so nothing
    that was written then, or comes from the feed afterwards.
    """

    def __init__(self, transport: Listing, database: str, versions: Versions) -> None:
        self._transport = transport
        self._database = database
        self._versions = versions

    def begin(self) -> int:
        """Draw the version, before the documents are taken."""
        return self._versions.draw()

    def clear(self, doc_ids: Sequence[str], version: int) -> None:
        """Raises `TransientError` where it has to be repeated."""
        self._transport.holdings.refresh()
        held = self._transport.holdings.of(self._database, doc_ids)
        old = [one for one in held if one.version < version]
        remove(self._transport, [self._transport.pack_removal(one, version) for one in old])
