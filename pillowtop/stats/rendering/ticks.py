"""Where a time axis has its marks, and what they say. All times are UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

MOST = 8
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
STEPS = (
    *(size * unit for unit in (0.001, 0.01, 0.1) for size in (1, 2, 5)),
    *(float(size) for size in (1, 2, 5, 10, 15, 30)),
    *(size * MINUTE for size in (1, 2, 5, 10, 15, 30)),
    *(size * HOUR for size in (1, 2, 3, 6, 12)),
    *(size * DAY for size in (1, 2, 7, 14, 28, 91, 182, 364)),
)


class Axis(NamedTuple):
    """`marks` are seconds since 1970."""

    marks: list[float]
    label: Callable[[float], str]
    title: str


def time_axis(first: float, last: float) -> Axis:
    """Marks at round times between two times in seconds since 1970."""
    step = _step(last - first)
    start = -(-first // step) * step
    count = int((last - start) // step) + 1
    marks = [start + step * number for number in range(count)] or [first]
    day = f"{_at(first):%Y-%m-%d}"
    if step >= DAY:
        return Axis(marks, lambda x: f"{_at(x):%Y-%m-%d}", "UTC")
    of_day = _of_day(step)
    if day == f"{_at(last):%Y-%m-%d}":
        return Axis(marks, of_day, f"{day}, UTC")
    return Axis(marks, lambda x: f"{_at(x):%m-%d} {of_day(x)}", f"from {day}, UTC")


def _step(span: float) -> float:
    fitting = (step for step in STEPS if span / step < MOST)
    return next(fitting, max(STEPS[-1], span // MOST))


def _of_day(step: float) -> Callable[[float], str]:
    if step >= MINUTE:
        return lambda x: f"{_at(x):%H:%M}"
    if step >= 1:
        return lambda x: f"{_at(x):%H:%M:%S}"
    return lambda x: _at(x).isoformat(timespec="milliseconds")[11:23]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
