"""The example's project with twelve pillows on its database: they share one feed."""

from __future__ import annotations

from project import settings
from project.settings import *  # noqa: F403

COUNTRIES = ("AU", "BR", "CA", "CN", "DE", "GB", "ID", "IN", "RU", "US")

OF_COUNTRIES: list[dict[str, object]] = [
    {
        "class": "airports.pillows.CountryPillow",
        "name": f"AirportsOf{country}",
        "options": {
            "country": country,
            "es_alias": f"pillowtop-demo-airports-{country.lower()}",
        },
    }
    for country in COUNTRIES
]

PILLOWTOPS = [*settings.PILLOWTOPS, *OF_COUNTRIES]
