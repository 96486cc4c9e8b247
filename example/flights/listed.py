"""The statistics of the example: one of its own, and some that are shipped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

SHIPPED = "pillowtop.stats.shipped"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

PLUGINS: list[str | dict[str, Any]] = [
    "flights.stats.LateDepartures",
    {"class": f"{SHIPPED}.Volume", "options": {"interval": HOUR, "public": True}},
    {
        "class": f"{SHIPPED}.VolumeByField",
        "options": {"name": "departures by carrier", "field": "flight.carrier", "interval": HOUR},
    },
    {
        "class": f"{SHIPPED}.Quantiles",
        "options": {"name": "delays", "field": "delay_minutes", "interval": HOUR},
    },
    {
        "class": f"{SHIPPED}.DistinctCount",
        "options": {"name": "aircraft", "field": "aircraft", "interval": DAY},
    },
    {
        "class": f"{SHIPPED}.TopK",
        "options": {"name": "destinations", "field": "destination", "interval": DAY},
    },
    {
        "class": f"{SHIPPED}.LatestByCategory",
        "options": {"name": "latest departures", "field": "origin", "text_field": "_id"},
    },
]
