"""What becomes of a document that is run again."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    DELIVERED = "delivered"
    DELETED = "deleted"
    LETTER = "dead letter"
    MISSING = "missing"
    """CouchDB does not know it: purged, or a replica is behind. Nothing was done."""

    IGNORED = "ignored"
    """It failed, and the pillow's `on_error` is "ignore"."""

    SKIPPED = "skipped"
