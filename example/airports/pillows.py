"""Two pillows on one database: all airports, and those of one country."""

from __future__ import annotations

from typing import Any

from pillowtop.listener import AliasedElasticPillow, PythonPillow

METRES_PER_FOOT = 0.3048


class AirportPillow(AliasedElasticPillow):
    """Every airport, with a location that can be searched and an elevation in metres."""

    couch_db = "pillowtop-demo-airports"
    es_alias = "pillowtop-demo-airports"
    default_mapping = {
        "properties": {
            "iata": {"type": "keyword"},
            "icao": {"type": "keyword"},
            "name": {"type": "text"},
            "city": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
            "country": {"type": "keyword"},
            "elevation_m": {"type": "integer"},
            "location": {"type": "geo_point"},
        }
    }
    es_meta = {"number_of_shards": 1, "number_of_replicas": 0}

    def change_transform(self, document: dict[str, Any]) -> dict[str, Any]:
        """CouchDB has feet and two numbers; the index gets metres and a point."""
        feet = document.pop("elevation")
        location = {"lat": document.pop("lat"), "lon": document.pop("lon")}
        return {**document, "location": location, "elevation_m": round(feet * METRES_PER_FOOT)}


class CountryPillow(PythonPillow, AirportPillow):
    """The airports of a country. One that leaves it is deleted here, as if it were gone."""

    country = ""

    def python_filter(self, document: dict[str, Any]) -> bool:
        return bool(document["country"] == self.country)


class FrenchAirportPillow(CountryPillow):
    country = "FR"
    es_alias = "pillowtop-demo-french-airports"
