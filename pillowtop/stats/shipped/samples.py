"""Some of very many messages, drawn so that it depends on nothing but the messages which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pillowtop.stats.shipped import labels

LARGEST_HASH = 2**64 - 1
SEPARATOR = "\0"  # which no label has

Hashes = NDArray[np.uint64]


class Sample:
    """The labels of the `size` messages whose identities have the smallest hashes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._labels: list[str] = []
        self._limit = LARGEST_HASH  # of the hashes that are still looked at

    def draw(self, identities: Sequence[int], values: Sequence[Any]) -> None:
        """Take some of these: identities of messages, and what they have."""
        hashes = _mixed(identities)
        chosen = hashes <= np.uint64(self._limit)
        self._labels += labels.labels(list(compress(values, chosen.tolist())))
        self._hashes = np.concatenate([self._hashes, hashes[chosen]])
        if len(self._labels) > 2 * self.size:  # not each time: it takes a while
            self._drop()

    def _drop(self) -> None:
        pairs = nsmallest(self.size, zip(self._hashes.tolist(), self._labels, strict=True))
        self._hashes = np.array([one for one, _ in pairs], np.uint64)
        self._labels = [label for _, label in pairs]
        self._limit = pairs[-1][0]

    def estimates(self, total: int) -> dict[str, int]:
        """How many of `total` have each label, by their shares in the sample."""
        if len(self._labels) > self.size:
            self._drop()
        share = total / max(1, len(self._labels))
        return {label: round(count * share) for label, count in Counter(self._labels).items()}

    def dump(self) -> tuple[int, bytes, str]:
        return self._limit, self._hashes.astype("<u8").tobytes(), SEPARATOR.join(self._labels)

    def load(self, state: tuple[int, bytes, str]) -> None:
        self._limit, hashes, joined = state
        self._hashes = np.frombuffer(hashes, "<u8").astype(np.uint64)
        self._labels = joined.split(SEPARATOR) if hashes else []


def _mixed(identities: Sequence[int]) -> Hashes:
    """Hashes by the steps of SplitMix64, as there may be an order in identities."""
    found = np.fromiter(identities, np.uint64, len(identities))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    mixed: Hashes = found ^ (found >> np.uint64(31))
    return mixed
