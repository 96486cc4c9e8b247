"""How many messages there are, and of which categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pillowtop.stats.models import Categorized, Scalar
from pillowtop.stats.plugins import Message, Plugin
from pillowtop.stats.shipped import labels
from pillowtop.stats.shipped.fields import MANY, FieldPlugin, values

OTHER = "(other)"


class Volume(Plugin):
    """How many messages there are."""

    name = "volume"
    summary = "Messages"
    description = "How many messages there were."
    interval = timedelta(minutes=1)
    model = Scalar

    def initialize(self) -> None:
        self.count = 0

    def process(self, message: Message) -> None:
        self.count += 1

    def process_all(self, messages: Sequence[Message]) -> None:
        self.count += len(messages)

    def update(self) -> list[Scalar]:
        return [Scalar(scalar=self.count)]


class CategoriesPlugin(FieldPlugin):
    """Counts messages by categories, of which there are `max_categories` at most.

    Of more categories those with the smallest hashes have rows of their own. These are the same
    in whichever order they come: what has been dropped once is dropped for ever, as the hashes
    that are kept only get smaller, so that the counts of those which stay are complete.
    """

    interval = timedelta(minutes=1)
    model = Categorized

    field = "category"
    name_by_field = "volume, by {field}"
    summary_by_field = "Messages by {field}"
    max_categories: ClassVar[int] = 1000

    @classmethod
    def demand_options(cls) -> None:
        super().demand_options()
        cls.demand_number("max_categories", 1, MANY)

    def initialize(self) -> None:
        self.counts: Counter[str] = Counter()
        self.other = 0

    def found(self, messages: Sequence[Message]) -> Sequence[Any]:
        """The categories of messages, all in one."""
        return values(messages, self.field)

    def process(self, message: Message) -> None:
        self.process_all([message])

    def process_all(self, messages: Sequence[Message]) -> None:
        labels.count(self.counts, self.found(messages))
        if len(self.counts) > 2 * self.max_categories:  # not each time: it takes a while
            self._drop()

    def _drop(self) -> None:
        for label in sorted(self.counts, key=labels.rank)[self.max_categories :]:
            self.other += self.counts.pop(label)

    def update(self) -> list[Categorized]:
        if len(self.counts) > self.max_categories:
            self._drop()
        counts = Counter(self.counts)
        if self.other:
            counts[OTHER] += self.other
        return [Categorized(category=label, scalar=counts[label]) for label in sorted(counts)]


class VolumeByField(CategoriesPlugin):
    """How many messages there are with each value of a field."""

    description = "How many messages there were with each value of a field."

    field = "level"


class VolumeByCategory(CategoriesPlugin):
    """How many messages there are of each category. One may be of several."""

    name = "volume, by category"
    summary = "Messages by category"
    description = "How many messages there were of each category. One may be of several."

    def categories(self, message: Message) -> Any:
        """The categories of a message: a value or several; by default those in `field`."""
        return values([message], self.field)[0]

    def found(self, messages: Sequence[Message]) -> Sequence[Any]:
        if type(self).categories is VolumeByCategory.categories:
            categories = values(messages, self.field)
        else:
            categories = [self.categories(message) for message in messages]
        if labels.DISTINGUISHED.issuperset(map(type, categories)):
            return categories
        return [label for one in categories for label in labels.distinct_labels(one)]
