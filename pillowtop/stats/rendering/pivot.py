"""Rows of categories, turned: a line for each window, a column for each category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Pivot(NamedTuple):
    """`windows` has them in the order in which their first rows came."""

    categories: list[str]
    windows: Mapping[datetime, Mapping[str, float]]


def pivot(rows: Iterable[Any]) -> Pivot:
    """What a window does not have of a category counts as 0."""
    windows: dict[datetime, dict[str, float]] = {}
    for row in rows:
        window = windows.setdefault(row.timestamp, defaultdict(float))
        window[row.category] += row.scalar
    return Pivot(sorted({category for one in windows.values() for category in one}), windows)
