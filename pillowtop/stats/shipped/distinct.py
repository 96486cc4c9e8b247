"""How many different values there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pillowtop.stats.models import Scalar
from pillowtop.stats.plugins import Message
from pillowtop.stats.shipped import labels
from pillowtop.stats.shipped.fields import FieldPlugin, values


class DistinctCount(FieldPlugin):
    """How many different values a field has: an estimate by HyperLogLog."""

    summary_by_field = "Distinct values of {field}"
    description = "How many different values a field had; an estimate where there are many."
    interval = timedelta(minutes=1)
    model = Scalar

    field = "user"
    name_by_field = "distinct {field}"
    precision: ClassVar[int] = 12
    """It takes 2 to this power bytes, and has a standard error of 1.04 / 2 ** (precision / 2)."""

    @classmethod
    def demand_options(cls) -> None:
        super().demand_options()
        cls.demand_number("precision", 7, 21)

    def initialize(self) -> None:
        self._begin(None)

    def _begin(self, state: bytes | None) -> None:
        from pillowtop.stats.shipped.sketches import DistinctSketch  # noqa: PLC0415  (numpy)

        self.sketch = DistinctSketch(self.precision, state)

    def process(self, message: Message) -> None:
        self.process_all([message])

    def process_all(self, messages: Sequence[Message]) -> None:
        self.sketch.add(_distinct(values(messages, self.field)))

    def update(self) -> list[Scalar]:
        return [Scalar(scalar=self.sketch.estimate())]

    def dump(self) -> bytes:
        return self.sketch.dump()

    def load(self, state: bytes) -> None:
        self._begin(state)


def _distinct(found: Sequence[Any]) -> set[str]:
    """Their texts, but for what is missing."""
    if labels.DISTINGUISHED.issuperset(map(type, found)):
        texts = set(map(labels.text_of, set(found)))
    else:
        found = [one for value in found for one in (value if labels.is_list(value) else [value])]
        texts = set(map(labels.text_of, found))
    texts.discard(labels.NONE)
    return texts
