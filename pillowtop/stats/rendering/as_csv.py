"""CSV, also for those who open it in a spreadsheet: no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from pillowtop.stats.rendering.pivot import pivot
from pillowtop.stats.rendering.values import cells_of, columns_of, plain, utc

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""Source: https://owasp.org/www-community/attacks/CSV_Injection"""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def rows_to_csv(model: Any, rows: Iterable[Any]) -> str:
    """A line with the names of the columns, then one for each row."""
    return _table(chain([columns_of(model)], cells_of(model, rows)))


def pivoted_to_csv(rows: Iterable[Any]) -> str:
    """A line for each window, with a column for each category."""
    categories, windows = pivot(rows)
    lines = (
        [utc(end), *(plain(found.get(category, 0)) for category in categories)]
        for end, found in windows.items()
    )
    return _table(chain([["timestamp", *categories]], lines))


def _table(lines: Iterable[Sequence[Any]]) -> str:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerows([guarded(cell) for cell in line] for line in lines)
    return written.getvalue()


def guarded(cell: Any) -> Any:
    """The cell, with a `'` before what a spreadsheet would take for a formula."""
    if cell is None or type(cell) in (int, float):
        return cell
    text = str(cell)
    if text.startswith(FORMULA) and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text
