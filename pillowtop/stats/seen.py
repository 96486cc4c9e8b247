"""Which messages have been counted: 64 bits for each, as long as it may come again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Identities = NDArray[np.uint64]
Mask = NDArray[np.bool_]

SLOT_LENGTH = 600_000_000
"""In microseconds. Slots are saved by their number, so that no setting may change it."""


def first_slot(cut: int) -> int:
    """The first slot that may hold messages from `cut` on."""
    return cut // SLOT_LENGTH


class Shelf:
    """Sorted arrays, each at least twice as long as the next: so few are looked through."""

    def __init__(self) -> None:
        self._arrays: list[Identities] = []

    def __len__(self) -> int:
        return sum(map(len, self._arrays))

    @property
    def identities(self) -> Identities:
        return np.concatenate(self._arrays) if self._arrays else np.empty(0, np.uint64)

    def has(self, identities: Identities) -> Mask:
        found = np.zeros(len(identities), np.bool_)
        for array in self._arrays:
            places = np.searchsorted(array, identities)
            places[places == len(array)] = 0
            found |= array[places] == identities
        return found

    def add(self, identities: Identities) -> None:
        arrays, new = self._arrays, np.sort(identities)
        while arrays and len(arrays[-1]) < 2 * len(new):
            new = np.concatenate([arrays.pop(), new])
            new.sort(kind="stable")
        if len(new):
            arrays.append(new)


class Seen:
    """Identities by the time of their messages, in slots of equal length.

    A message that comes again comes with the same time, so it is looked for in one slot.
    `added` are those that were not saved yet.
    """

    def __init__(self) -> None:
        self.added: dict[int, list[Identities]] = {}
        self._shelves: dict[int, Shelf] = {}

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def load(self, parts: Iterable[tuple[int, bytes]]) -> None:
        """Take up what was saved: slots, and identities as their bytes."""
        together: dict[int, list[Identities]] = {}
        for slot, body in parts:
            together.setdefault(slot, []).append(np.frombuffer(body, "<u8"))
        for slot, arrays in together.items():
            self._shelf(slot).add(np.concatenate(arrays))

    def add(self, times: Times, identities: Identities, candidates: Mask) -> Mask:
        """Take note of the candidates. Returns which of them were not known."""
        fresh = np.zeros(len(times), np.bool_)
        chosen = np.flatnonzero(candidates)
        # Of those that are the same the first one counts.
        _, first = np.unique(identities[chosen], return_index=True)
        chosen = chosen[np.sort(first)]
        slots = times[chosen] // SLOT_LENGTH
        for slot in np.unique(slots).tolist():
            here = chosen[slots == slot]
            shelf = self._shelf(slot)
            new = here[~shelf.has(identities[here])]
            if len(new):
                shelf.add(identities[new])
                self.added.setdefault(slot, []).append(identities[new])
                fresh[new] = True
        return fresh

    def taken(self) -> Iterator[tuple[int, bytes]]:
        """What `load` takes up, of all that was added since the last time."""
        added, self.added = self.added, {}
        for slot, arrays in added.items():
            yield slot, np.concatenate(arrays).astype("<u8").tobytes()

    def forget(self, cut: int) -> None:
        """Forget slots that end before `cut`."""
        first = first_slot(cut)
        for slot in [one for one in self._shelves if one < first]:
            del self._shelves[slot]

    def _shelf(self, slot: int) -> Shelf:
        shelf = self._shelves.get(slot)
        if shelf is None:
            shelf = self._shelves[slot] = Shelf()
        return shelf
