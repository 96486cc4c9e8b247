"""JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pillowtop.stats.rendering.values import cells_of, columns_of, plain


def to_json(value: Any) -> str:
    """Valid JSON of anything; what JSON does not know becomes text, or null."""
    return _written(plain(value))


def rows_to_json(model: Any, rows: Iterable[Any]) -> str:
    """A list of objects."""
    columns = columns_of(model)
    return _written([dict(zip(columns, cells, strict=True)) for cells in cells_of(model, rows)])


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # What is left of half a surrogate pair is an escape, as JSON writes it.
    return text.encode("utf-8", "backslashreplace").decode()
