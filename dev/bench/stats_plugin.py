"""The statistic whose rows are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from pillowtop.stats.models import Categorized
from pillowtop.stats.plugins import Message, Plugin


class Volume(Plugin):
    name = "volume, by category"
    summary = "Messages of each category"
    description = "How many messages each category has in a minute."
    interval = timedelta(minutes=1)
    model = Categorized

    def handle(self, messages: Sequence[Message]) -> Iterable[Any]:
        return [Categorized(category="all", scalar=len(messages))]
