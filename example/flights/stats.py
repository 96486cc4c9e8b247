"""A statistic of the project's own."""

from __future__ import annotations

from datetime import timedelta

from pillowtop.stats.models import Scalar
from pillowtop.stats.plugins import Message, Plugin

LATE_MINUTES = 15


class LateDepartures(Plugin):
    """The share of departures that were late."""

    name = "late departures"
    summary = "Late departures, in percent"
    description = "How many of a hundred aircraft left more than a quarter of an hour late."
    interval = timedelta(hours=1)
    model = Scalar

    def initialize(self) -> None:
        self.departures = self.late = 0

    def process(self, message: Message) -> None:
        if message["delay_minutes"] is not None:
            self.departures += 1
            self.late += message["delay_minutes"] > LATE_MINUTES

    def update(self) -> list[Scalar]:
        return [Scalar(scalar=100 * self.late / self.departures)] if self.departures else []
