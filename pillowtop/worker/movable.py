"""Whether a pillow can be moved to another index at all."""

from __future__ import annotations

from pillowtop import registry
from pillowtop.engine.items import Listing
from pillowtop.exceptions import ConfigurationError
from pillowtop.listener import AliasedElasticPillow


def demand_movable(pillow: AliasedElasticPillow) -> None:
    """Raise `ConfigurationError` where a new index would lack something, or nobody could say so."""
    others = [name for name in registry.writers_of(pillow.es_alias) if name != pillow.name]
    if others:
        # Built is what one of them makes: the documents of the others would be missing.
        raise ConfigurationError(
            f"{', '.join(others)} writes to alias {pillow.es_alias!r}, too, and an index that "
            f"several pillows write cannot be moved for {pillow.name} alone: give it an alias of "
            "its own, with the index_id that it has, and move the readers"
        )
    if not isinstance(pillow.get_transport(), Listing):
        raise ConfigurationError(
            f"{pillow.name} has a change_transport or change_delete of its own, so that its new "
            "index could not be compared with the database: change documents in change_transform, "
            "or have a second pillow with another es_alias fill a new index, and move the readers"
        )
