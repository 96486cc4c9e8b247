"""The pillows of a run: one that never decodes a document, one with hooks, one that chooses."""

from __future__ import annotations

from airports.pillows import AirportPillow, FrenchAirportPillow
from pillowtop.listener import AliasedElasticPillow


class Everything(AliasedElasticPillow):
    """The documents as they are: bytes from the feed to the bulk."""

    es_meta = AirportPillow.es_meta
    on_recreated = "resync"


class Made(AirportPillow):
    """All airports, by a hook, which fails on some."""

    on_recreated = "resync"


class French(FrenchAirportPillow):
    """Some airports, whose documents are loaded behind the feed."""

    include_docs = False
    on_recreated = "resync"
