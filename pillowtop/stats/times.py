"""When a message happened, from what it says of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pillowtop.stats.intervals import to_microseconds

FIRST, LAST = -62_135_596_800, 253_402_300_800
"""The first seconds of the years 1 and 10000, in UTC."""


def microseconds(value: Any) -> int:
    """Since 1970. Takes an aware datetime, ISO 8601 text (in UTC where it names no zone), or
    seconds since 1970. Raises `ValueError` or `TypeError` for anything else."""
    if isinstance(value, datetime):
        time = to_microseconds(value if value.tzinfo else value.replace(tzinfo=UTC))
        if not FIRST * 1_000_000 <= time < LAST * 1_000_000:
            raise ValueError(f"{value} is not within the years 1 to 9999, in UTC")
        return time
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no time as ISO 8601 writes it") from None
        return microseconds(parsed)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no time: text as ISO 8601 writes it, or seconds since 1970")
    if not FIRST <= value < LAST:  # so neither is what is no number
        raise ValueError(f"{value!r} is no time in seconds since 1970: are these milliseconds?")
    return round(value * 1_000_000)
