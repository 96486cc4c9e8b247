"""Documents that several pillows want, fetched once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gevent.event import Event

from pillowtop.awaited import BULK_SECONDS, answer_of
from pillowtop.changes import Change, Revision
from pillowtop.engine.chains import ROW_BYTES
from pillowtop.feeds.couch_values import Loaded

Load = Callable[[list[str]], Mapping[str, Loaded]]


class Fetcher:
    """Fetches the documents of changes, each once for all who have the very same change.

    Who asks for one that is being fetched waits for it, and who asks soon after gets what has come:
    of that so many bytes are kept, the latest. Changes are told apart as objects, never by what
    they say: so what is fetched was asked for once the change had been read, and is not older.
    """

    def __init__(self, kept_bytes: int) -> None:
        self._kept_bytes = kept_bytes
        self._kept: dict[Change, Change] = {}
        self._bytes = 0
        self._coming: dict[Change, Event] = {}

    def fetch(self, changes: Sequence[Change], load: Load) -> dict[Change, Change]:
        """Each change with its document, which is shared with whoever asks for it, too.

        Where `load` leaves a document out, or says that it cannot be read, the change stays as it
        is. Raises what `load` raises: who waited for that then asks himself.
        """
        found: dict[Change, Change] = {}
        while lacking := [one for one in changes if one not in found]:
            kept = {one: self._kept[one] for one in lacking if one in self._kept}
            free = [one for one in lacking if one not in kept and one not in self._coming]
            found |= kept
            if free:
                found |= self._fetched(free, load)
            elif not kept:
                with answer_of("CouchDB, asked by another pillow", BULK_SECONDS):
                    self._coming[lacking[0]].wait()
        return found

    def _fetched(self, changes: Sequence[Change], load: Load) -> dict[Change, Change]:
        came = Event()
        self._coming |= dict.fromkeys(changes, came)
        try:
            loaded = load([one.id for one in changes])
            found = {one: _filled(one, loaded.get(one.id)) for one in changes}
            self._keep(found)
        finally:
            for one in changes:
                del self._coming[one]
            came.set()
        return found

    def _keep(self, found: Mapping[Change, Change]) -> None:
        for change, filled in found.items():
            if filled is not change:
                self._kept[change] = filled
                self._bytes += _size_of(filled)
        while self._bytes > self._kept_bytes:
            oldest = next(iter(self._kept))
            self._bytes -= _size_of(self._kept.pop(oldest))


def _size_of(filled: Change) -> int:
    return 2 * ROW_BYTES + len(memoryview(filled.doc))


def _filled(change: Change, loaded: Loaded | None) -> Change:
    if loaded is None or not (loaded.deleted or loaded.doc is not None):
        return change
    filled = change.copy()
    if loaded.doc is None or loaded.deleted:
        filled.deleted = True
    else:
        filled.doc = loaded.doc
        filled.changes = [Revision(loaded.rev)]
    return filled
