"""Removes from a target what a replay of the whole database did not write again (rule 7)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pillowtop.engine.items import Held, Item, Listing, Transport, Verdict
from pillowtop.engine.versions import Versions, token_of
from pillowtop.exceptions import ServerBusy
from pillowtop.feeds.couch_database import CouchDatabase

logger = logging.getLogger(__name__)


class Sweeper:
    """Looks at each document that stands in the target from before a replay.

    Removed is what the database says is gone, what stands under an id that it does not have any
    more, and, for a pillow with a filter in CouchDB, what the filter did not show again; but
    nothing that has a dead letter. `verify` raises where the database is not the one that was
    replayed.
    """

    def __init__(
        self,
        pillow: str,
        database: CouchDatabase,
        *,
        filtered: bool,
        verify: Callable[[], None],
        have_letters: Callable[[list[str]], set[str]],
    ) -> None:
        self._pillow = pillow
        self._database = database
        self._filtered = filtered
        self._verify = verify
        self._have_letters = have_letters

    def sweep(self, transport: Transport, versions: Versions, replayed_by: int) -> None:
        """Sweep what was written under tokens below that of the life that began the replay.

        Raises `TransientError` where it has to begin again.
        """
        if not isinstance(transport, Listing):
            logger.warning(
                "%s: what the database does not hold any more cannot be removed from this kind "
                "of target: look for it by hand",
                self._pillow,
                extra={"action": "sweep_impossible", "pillow": self._pillow},
            )
            return
        removed, after = 0, ""
        transport.holdings.refresh()
        while held := transport.holdings.page(self._database.name, after):
            removed += self._sweep_some(transport, held, versions, replayed_by)
            after = held[-1].doc_id
        logger.log(
            logging.WARNING if removed else logging.INFO,
            "%s: %d documents that the database does not hold any more were removed",
            self._pillow,
            removed,
            extra={"action": "swept", "pillow": self._pillow},
        )

    def _sweep_some(
        self, transport: Listing, held: list[Held], versions: Versions, replayed_by: int
    ) -> int:
        old, written = _parted(held, replayed_by)
        if not old:
            return 0
        # Drawn before the look at the database: what is made again meanwhile has a higher one.
        version = versions.draw(len(old))
        doomed = self._doomed(old, written)
        self._verify()
        remove(
            transport,
            [transport.pack_removal(one, version + number) for number, one in enumerate(doomed)],
        )
        return len(doomed)

    def _doomed(self, old: list[Held], written: set[str]) -> list[Held]:
        doc_ids = [one.doc_id for one in old]
        gone = self._database.gone(doc_ids)
        kept = self._have_letters(doc_ids)
        return [
            one
            for one in old
            if one.doc_id in gone
            or (one.doc_id not in kept and (self._filtered or one.doc_id in written))
        ]


def _parted(held: list[Held], replayed_by: int) -> tuple[list[Held], set[str]]:
    """What the replay did not write, and the ids in CouchDB of what it did."""
    old = [one for one in held if token_of(one.version) < replayed_by]
    return old, {one.doc_id for one in held if token_of(one.version) >= replayed_by}


def remove(transport: Transport, items: list[Item]) -> None:
    """Deliver removals. Raises `ServerBusy` unless all of them go through."""
    if not items:
        return
    for outcome in transport.deliver(items):
        if outcome.verdict is not Verdict.DELIVERED:
            raise ServerBusy(f"{outcome.item.doc_id!r} could not be removed: {outcome.reason}")
