"""How many different texts there were, by a sketch of datasketches."""

from __future__ import annotations

from collections.abc import Iterable

import datasketches

KIND = datasketches.tgt_hll_type.HLL_8  # the one whose registers are plain maxima


class DistinctSketch:
    """HyperLogLog, so that it is the same whatever the order in which texts come.

    Of the sketches of datasketches, HLL is the smallest that can be taken up again from bytes. Its
    own estimate depends on the order (it is HIP, which adds something up with each change of a
    register). That of a union does not: it is computed from the registers alone, which are maxima.
    Theta sketches would have to be trimmed for the same, are eight times as large, and cannot be
    taken up from bytes; the estimates of CPC depend on the order, too.
    """

    def __init__(self, precision: int, state: bytes | None = None) -> None:
        self._precision = precision
        self._sketch = (
            datasketches.hll_sketch(precision, KIND)
            if state is None
            else datasketches.hll_sketch.deserialize(state)
        )

    def add(self, texts: Iterable[str]) -> None:
        update = self._sketch.update
        for text in texts:
            try:
                update(text)
            except TypeError:  # half a surrogate pair is no UTF-8
                update(text.encode("utf-8", "backslashreplace").decode())

    def estimate(self) -> int:
        union = datasketches.hll_union(self._precision)
        # Given twice, so that it is a union, and has no HIP estimate to go on with.
        union.update(self._sketch)
        union.update(self._sketch)
        estimate: float = union.get_estimate()
        return round(estimate)

    def dump(self) -> bytes:
        state: bytes = self._sketch.serialize_updatable()
        return state
