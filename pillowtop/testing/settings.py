"""The settings of a project whose servers are fakes."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def pointing_at(elasticsearch_url: str) -> dict[str, Any]:
    """`PILLOWTOP` as it is, but for where Elasticsearch is and how to get in."""
    given = getattr(settings, "PILLOWTOP", {})
    kept = {key: value for key, value in given.items() if not key.startswith("ELASTICSEARCH_")}
    return {**kept, "ELASTICSEARCH_URL": elasticsearch_url}
