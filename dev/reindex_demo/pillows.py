"""The example's pillow in two releases, of which the second one asks for another index."""

from __future__ import annotations

from typing import Any

from airports import pillows

NAME = "pillowtop-demo-moved-airports"


class FirstRelease(pillows.AirportPillow):
    name = "AirportPillow"
    couch_db = NAME
    es_alias = NAME
    default_mapping = {
        "properties": {
            **pillows.AirportPillow.default_mapping["properties"],
            "written": {"type": "long"},
        }
    }


class SecondRelease(FirstRelease):
    """Can sort airports by their names, and knows in which part of the world they are."""

    default_mapping = {
        "properties": {
            **FirstRelease.default_mapping["properties"],
            "name": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
            "region": {"type": "keyword"},
        }
    }

    def change_transform(self, document: dict[str, Any]) -> dict[str, Any]:
        region = document["tz"].partition("/")[0]
        return {**super().change_transform(document), "region": region}
