"""Numbers in buckets, by bits: the same on every machine, however many come at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST, LARGEST = 2.0**-40, 2.0**64
"""Numbers closer to zero are zero here, and those further from it are as far as this."""

STEPS_LOG2 = 7
"""From each power of 2 to the next there are 2 to this power buckets."""

SHIFT = 52 - STEPS_LOG2
NUMBERS = frozenset((int, float))

Numbers = NDArray[np.float64]
Buckets = NDArray[np.int64]


def buckets_of(found: list[Any]) -> list[int]:
    """Of those that are numbers: 0 for zero, from 1 on for numbers above, from -1 for those below.

    Neither true is a number, nor a text that looks like one.
    """
    numbers = _numbers(found)
    numbers = numbers[~np.isnan(numbers)]
    sizes = np.minimum(np.abs(numbers), LARGEST)
    buckets = np.maximum(_bits(sizes) - FIRST + 1, 0)
    numbered: list[int] = np.where(numbers < 0, -buckets, buckets).tolist()
    return numbered


def number_of(bucket: int) -> float:
    """The end of a bucket that is nearer to zero."""
    if bucket == 0:
        return 0.0
    size = np.array([(abs(bucket) - 1 + FIRST) << SHIFT]).view(np.float64)[0]
    return float(size) if bucket > 0 else -float(size)


def _bits(numbers: Numbers) -> Buckets:
    """The exponent, and the first bits of the mantissa."""
    bits: Buckets = numbers.view(np.int64) >> SHIFT
    return bits


FIRST = int(_bits(np.array([SMALLEST]))[0])


def _numbers(found: list[Any]) -> Numbers:
    if not NUMBERS.issuperset(map(type, found)):
        found = [one for one in found if type(one) in NUMBERS]
    try:
        return np.array(found, np.float64)
    except OverflowError:  # a whole number that is larger than any float
        return np.array([_within_floats(one) for one in found])


def _within_floats(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return LARGEST if number > 0 else -LARGEST
