"""The columns of rows, and their values as JSON knows them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

EXACT = 2.0**53
"""Up to here every whole number is a float."""

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, nor HTML."""

NEITHER = frozenset({"statistic", "timestamp"})


def columns_of(model: Any) -> list[str]:
    """The columns of a model but `id` and `statistic`; the timestamp is the first."""
    fields = model._meta.concrete_fields  # noqa: SLF001  (Django's documented API)
    names = [one.attname for one in fields if not one.primary_key]
    return ["timestamp", *(name for name in names if name not in NEITHER)]


def utc(time: datetime) -> str:
    """As in `2015-08-08T00:00:05+00:00`. A time without a zone is taken for UTC."""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC).isoformat()
    return time.astimezone(UTC).isoformat()


def plain(value: Any) -> Any:
    """The value as JSON knows it: whole floats as whole numbers, and null for what is no number."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return str(value)


def _plain_float(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) <= EXACT else value


def cells_of(model: Any, rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The values of each row's columns, as JSON knows them."""
    columns = columns_of(model)
    return ([plain(getattr(row, column)) for column in columns] for row in rows)


def shown(value: Any) -> str:
    """As people read it: on a page, or in a chart."""
    if type(value) in (int, float):
        return f"{value:,.12g}"
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", "" if value is None else str(value))
