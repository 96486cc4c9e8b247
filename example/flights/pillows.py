"""A pillow whose documents are messages: it counts them."""

from __future__ import annotations

from pillowtop.stats.pillows import StatsPillow


class DeparturePillow(StatsPillow):
    """Departures, in the time at which they happened."""

    couch_db = "pillowtop-demo-departures"
