"""Documents that several pillows want, fetched once for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from gevent.event import Event

from pillowtop.awaited import BULK_SECONDS, answer_of
from pillowtop.changes import Change, Revision
from pillowtop.engine.chains import ROW_BYTES
from pillowtop.feeds.couch_values import Loaded

Load = Callable[[list[str]], Mapping[str, Loaded]]

KEPT_SECONDS = 5.0
"""For how long what was fetched is given to others: a feed says of a document that was purged, or
that its filter hides by now, nothing more."""


class Flight:
    """One request for documents, made at `asked_at` (monotonic); nothing is found if it failed."""

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.found: Mapping[Change, Change] = {}
        self.is_over = Event()


class Fetcher:
    """Fetches the documents of changes, once for those who want them at about the same time.

    Who asks for one that is being fetched waits for it, and who asks soon after gets what has
    come: of that so many bytes are kept, the latest. Changes are told apart as objects, never by
    what they say: so what is fetched was asked for once the change had been read, and is not older.
    """

    def __init__(self, kept_bytes: int) -> None:
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._kept: dict[Change, tuple[Change, float]] = {}
        self._coming: dict[Change, Flight] = {}

    def fetch(
        self, changes: Sequence[Change], load: Load, asked_since: float = 0.0
    ) -> dict[Change, Change]:
        """Each change with its document, which is shared with whoever asks for it, too.

        Nothing serves that was asked for before `asked_since` (monotonic). Where `load` leaves a
        document out, or says that it cannot be read, the change stays as it is. Raises what `load`
        raises: who waited for that then asks himself.
        """
        since = max(asked_since, time.monotonic() - KEPT_SECONDS)
        found = self._kept_since(since, changes)
        awaited = self._coming_since(asked_since, [one for one in changes if one not in found])
        free = [one for one in changes if not (one in found or one in awaited)]
        found |= self._fetched(free, load)
        for flight in dict.fromkeys(awaited.values()):
            with answer_of("CouchDB, asked by another pillow", BULK_SECONDS):
                flight.is_over.wait()
            mine = [one for one, its in awaited.items() if its is flight]
            found |= {one: flight.found[one] for one in mine if one in flight.found}
        return found | self._fetched([one for one in changes if one not in found], load)

    def _kept_since(self, since: float, changes: Sequence[Change]) -> dict[Change, Change]:
        kept = {one: self._kept[one] for one in changes if one in self._kept}
        return {one: filled for one, (filled, asked_at) in kept.items() if asked_at >= since}

    def _coming_since(self, since: float, changes: Sequence[Change]) -> dict[Change, Flight]:
        coming = {one: self._coming[one] for one in changes if one in self._coming}
        return {one: flight for one, flight in coming.items() if flight.asked_at >= since}

    def _fetched(self, changes: Sequence[Change], load: Load) -> dict[Change, Change]:
        if not changes:
            return {}
        flight = Flight()
        self._coming |= dict.fromkeys(changes, flight)
        try:
            loaded = load([one.id for one in changes])
            flight.found = {one: _filled(one, loaded.get(one.id)) for one in changes}
            self._keep(flight)
        finally:
            for one in changes:
                if self._coming.get(one) is flight:
                    del self._coming[one]
            flight.is_over.set()
        return dict(flight.found)

    def _keep(self, flight: Flight) -> None:
        for change, filled in flight.found.items():
            size = _size_of(filled)
            if filled is change or size > self._kept_bytes:
                continue
            self._drop(change)
            self._kept[change] = filled, flight.asked_at
            self._bytes += size
        while self._bytes > self._kept_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, change: Change) -> None:
        if change in self._kept:
            filled, _ = self._kept.pop(change)
            self._bytes -= _size_of(filled)


def _size_of(filled: Change) -> int:
    return 2 * ROW_BYTES + len(memoryview(filled.doc))


def _filled(change: Change, loaded: Loaded | None) -> Change:
    filled = change.copy()
    if loaded and loaded.deleted:
        filled.deleted = True
    elif loaded and loaded.doc is not None:
        filled.doc = loaded.doc
        filled.changes = [Revision(loaded.rev)]
    else:
        return change
    return filled
