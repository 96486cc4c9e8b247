"""Windows of time: aligned to an epoch, half open, and labelled by their end.

Times are whole microseconds since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UNITS = (
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
)


def to_microseconds(time: datetime) -> int:
    """Of an aware time."""
    return (time - UNIX_EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """An aware time in UTC. Raises `OverflowError` outside of the years 1 to 9999."""
    return UNIX_EPOCH + timedelta(microseconds=microseconds)


def window_start(time: int, length: int, epoch: int = 0) -> int:
    """The start of the window of `length` that holds a time.

    What happens exactly on a boundary belongs to the window that starts there.
    """
    return time - (time - epoch) % length


def shown(interval: timedelta) -> str:
    """As in `1d12h`, `5m`, `250ms`: parts that are zero are left out."""
    rest, parts = interval // MICROSECOND, []
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
