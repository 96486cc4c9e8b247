"""Times as clients write them: seconds since 1970, or ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from pillowtop.stats.intervals import from_microseconds
from pillowtop.stats.times import microseconds

SECONDS = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
LOST_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, tzinfo=UTC)
"""A day of the years 1 and 9999 would leave the calendar in some other zone."""

ADVICE = (
    "give seconds since 1970, as in 1438992000.5, or a time in ISO 8601, as in 2015-08-08T00:00:00Z"
)


def parse_time(text: object) -> datetime:
    """A time in UTC. Without a zone it is UTC. Raises `ValueError`."""
    words = str(text).strip()
    try:
        time = _from_seconds(words) if SECONDS.fullmatch(words) else _from_iso(words)
    except (ValueError, ArithmeticError):
        raise ValueError(f"{words[:100]!r} is no time: {ADVICE}") from None
    if not EARLIEST <= time <= LATEST:
        raise ValueError(f"{words[:100]!r} is out of the calendar: {ADVICE}")
    return time


def _from_seconds(words: str) -> datetime:
    return from_microseconds(round(Decimal(words) * 1_000_000))


def _from_iso(words: str) -> datetime:
    # Whoever writes a + into an address without encoding it has sent a space.
    return from_microseconds(microseconds(LOST_PLUS.sub(r"+\1", words)))


def written(time: datetime) -> str:
    """With Z for the zone, as it stands in addresses."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
