"""Tables as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their column's names, aligned; None is shown as nothing."""
    lines = [list(columns)] + [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
