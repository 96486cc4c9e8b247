"""The most frequent values of a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from heapq import nsmallest
from typing import Any, ClassVar
from zlib import crc32

from pillowtop.stats.models import Categorized
from pillowtop.stats.plugins import Message
from pillowtop.stats.shipped import labels
from pillowtop.stats.shipped.fields import MANY, FieldPlugin, values


class TopK(FieldPlugin):
    """The `k` most frequent values of a field.

    Counted exactly while there are no more than `max_values` of them in a window. Of more, their
    shares are those among `max_sampled` messages: the ones whose identities have the smallest
    hashes, whatever the order in which they come. Sketches for frequent items, such as those of
    datasketches, keep at any time what is frequent until then: that depends on what came first.
    """

    summary_by_field = "The most frequent values of {field}"
    description = "The most frequent values of a field; estimates where there are many."
    interval = timedelta(minutes=1)
    model = Categorized

    field = "user"
    name_by_field = "top {field}"
    k: ClassVar[int] = 10
    max_values: ClassVar[int] = 2000
    max_sampled: ClassVar[int] = 2000

    @classmethod
    def demand_options(cls) -> None:
        super().demand_options()
        for option in ("k", "max_values", "max_sampled"):
            cls.demand_number(option, 1, MANY)

    def initialize(self) -> None:
        from pillowtop.stats.shipped.samples import Sample  # noqa: PLC0415  (numpy)

        self.total = 0
        self.counts: Counter[str] | None = Counter()
        """None where there were too many values to count them."""
        self.sample = Sample(self.max_sampled)

    def process(self, message: Message) -> None:
        self.process_all([message])

    def process_all(self, messages: Sequence[Message]) -> None:
        found = values(messages, self.field)
        identities = [message.identity for message in messages]
        if not labels.DISTINGUISHED.issuperset(map(type, found)):
            found, identities = _spread(found, identities)
        self.total += len(found)
        self.sample.draw(identities, found)
        if self.counts is not None:
            labels.count(self.counts, found)
            if len(self.counts) > self.max_values:
                self.counts = None

    def update(self) -> list[Categorized]:
        counts: Mapping[str, int]
        counts = self.sample.estimates(self.total) if self.counts is None else self.counts
        known = [label for label in counts if label != labels.NONE]
        most = nsmallest(self.k, known, key=lambda label: (-counts[label], label))
        return [Categorized(category=label, scalar=counts[label]) for label in most]

    def dump(self) -> list[Any]:
        return [self.total, self.counts, self.sample.dump()]

    def load(self, state: list[Any]) -> None:
        self.total, counts, sample = state
        self.counts = None if counts is None else Counter(counts)
        self.sample.load(sample)


def _spread(found: Iterable[Any], identities: Iterable[int]) -> tuple[list[str], list[int]]:
    """Of a list each of its values once, each with an identity of its own."""
    pairs = [
        (label, identity ^ crc32(label.encode()) if labels.is_list(value) else identity)
        for value, identity in zip(found, identities, strict=True)
        for label in labels.distinct_labels(value)
    ]
    return [label for label, _ in pairs], [identity for _, identity in pairs]
