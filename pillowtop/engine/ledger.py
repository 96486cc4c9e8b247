"""How far everything is done, while batches are still under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from pillowtop.changes import Seq


class Entry:
    """Something of the feed that is not done yet: a batch on its way."""

    __slots__ = ("number", "open", "seqs")

    def __init__(self, number: int) -> None:
        self.number = number
        self.open = True
        self.seqs: dict[str, Seq] = {}


class Ledger:
    """Knows the highest seq of each stream up to which everything is done.

    Entries stand in the order of the feed. A seq is noted behind what stands before it, and
    becomes a position once all entries up to there are closed. So a batch that is delivered
    before its predecessor does not move the position, and a page without a single document
    does. Seqs are never compared: their order is the order in which they were noted.

        entry = ledger.open()
        ledger.note("orders", "7-g1AAAA")
        ledger.close(entry)
        ledger.positions            # {"orders": "7-g1AAAA"}
    """

    def __init__(self, positions: Mapping[str, Seq] | None = None) -> None:
        self.positions: dict[str, Seq] = dict(positions or {})
        self._entries: deque[Entry] = deque()
        self.opened = 0
        """How many entries there have been."""

    @property
    def done(self) -> int:
        """How many of the entries are closed, up to the first that is not."""
        return self._entries[0].number - 1 if self._entries else self.opened

    def open(self) -> Entry:
        """Put an entry behind all that was opened and noted before."""
        self.opened += 1
        entry = Entry(self.opened)
        self._entries.append(entry)
        return entry

    def note(self, stream: str, seq: Seq) -> None:
        """Say that `seq` vouches for everything read from `stream` up to now."""
        if self._entries:
            self._entries[-1].seqs[stream] = seq
        else:
            self.positions[stream] = seq

    def close(self, entry: Entry) -> None:
        """Say that all of an entry is delivered, filtered out, or safe in the dead letters."""
        entry.open = False
        while self._entries and not self._entries[0].open:
            self.positions.update(self._entries.popleft().seqs)
        self._merge()

    def _merge(self) -> None:
        """Make one of closed entries that stand side by side.

        However long the first one stays open, there are at most twice as many as are open.
        """
        merged: deque[Entry] = deque()
        for entry in self._entries:
            if merged and not (merged[-1].open or entry.open):
                merged[-1].seqs.update(entry.seqs)
            else:
                merged.append(entry)
        self._entries = merged
