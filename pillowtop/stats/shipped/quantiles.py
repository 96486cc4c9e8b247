"""The median of a field, and other quantiles."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import accumulate
from typing import ClassVar

from pillowtop.stats.models import Categorized
from pillowtop.stats.plugins import Message
from pillowtop.stats.shipped.fields import FieldPlugin, values


def _exactly(quantile: float) -> Fraction:
    """0.07 of 100 are 7, which floats do not know."""
    return Fraction(str(quantile))


def _name(quantile: float) -> str:
    return f"p{float(_exactly(quantile) * 100):g}"


class Quantiles(FieldPlugin):
    """Quantiles of a field, each at most 0.8 % too close to zero.

    Numbers are counted in buckets of their exponent and the first bits of their mantissa, and a
    quantile is the end of its bucket that is nearer to zero. Counts know no order; the sketches of
    datasketches do (KLL and REQ toss coins, t-digest merges what came together), and a logarithm
    (DDSketch) may differ in its last bit between a processor's ways to compute it. Bits do not.
    """

    summary_by_field = "Quantiles of {field}"
    description = "The median of a field, and other quantiles, at most 0.8 % too close to zero."
    interval = timedelta(minutes=1)
    model = Categorized

    field = "duration"
    name_by_field = "quantiles of {field}"
    quantiles: ClassVar[Sequence[float]] = (0.5, 0.95, 0.99)

    @classmethod
    def demand_options(cls) -> None:
        super().demand_options()
        fits = isinstance(cls.quantiles, (list, tuple)) and all(
            type(one) in (int, float) and 0 <= one <= 1 for one in cls.quantiles
        )
        several = fits and 0 < len(cls.quantiles) == len(set(map(_name, cls.quantiles)))
        cls.demand("quantiles", "a list of different numbers from 0 to 1", several)

    def initialize(self) -> None:
        self.counts: Counter[int] = Counter()

    def process(self, message: Message) -> None:
        self.process_all([message])

    def process_all(self, messages: Sequence[Message]) -> None:
        from pillowtop.stats.shipped.buckets import buckets_of  # noqa: PLC0415  (numpy)

        self.counts.update(buckets_of(values(messages, self.field)))

    def update(self) -> list[Categorized]:
        return [
            Categorized(category=_name(quantile), scalar=number)
            for quantile, number in zip(self.quantiles, self._found(), strict=False)
        ]

    def _found(self) -> Iterator[float]:
        """The number at each quantile; none at all where there are no numbers."""
        from pillowtop.stats.shipped.buckets import number_of  # noqa: PLC0415  (numpy)

        buckets = sorted(self.counts)
        upto = list(accumulate(self.counts[bucket] for bucket in buckets))
        for quantile in self.quantiles if buckets else ():
            place = max(1, math.ceil(_exactly(quantile) * upto[-1]))
            yield number_of(buckets[bisect_left(upto, place)])
