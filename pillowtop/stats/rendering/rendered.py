"""What the models know of their looks. Override any of it in a model of your own.

These are abstract models themselves: a migration would name bases that are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.db import models

from pillowtop.stats.rendering import as_csv, as_html, as_json
from pillowtop.stats.rendering.values import columns_of


class Rendered(models.Model):
    """Rows as JSON, CSV, HTML and SVG: of any columns."""

    needs_whole_windows: ClassVar[frozenset[str]] = frozenset()
    """The formats in which the rows of a window belong together, so that no page may part them."""

    class Meta:
        abstract = True

    @classmethod
    def columns(cls) -> list[str]:
        """What is shown of a row: all but `id` and `statistic`, the timestamp first."""
        return columns_of(cls)

    @classmethod
    def to_json(cls, rows: Iterable[Any]) -> str:
        """A list of objects. Times are UTC with their offset; what is no number is null."""
        return as_json.rows_to_json(cls, rows)

    @classmethod
    def to_csv(cls, rows: Iterable[Any]) -> str:
        """A line with the names of the columns, then one for each row. No cell is a formula."""
        return as_csv.rows_to_csv(cls, rows)

    @classmethod
    def to_html(
        cls,
        rows: Iterable[Any],
        *,
        title: str = "",
        description: str = "",
        links: Mapping[str, str] | None = None,
    ) -> str:
        """A complete page with the chart and the rows. `links` are addresses by their names."""
        rows = list(rows)
        return as_html.rows_page(
            cls,
            rows,
            chart=cls.to_svg(rows),
            title=title,
            description=description,
            links=links or {},
        )

    @classmethod
    def to_svg(cls, rows: Iterable[Any], *, title: str = "") -> str:
        """A chart of all columns that are numbers, over time."""
        return str(charts().columns_to_svg(cls, rows, title))


class ByCategory(Rendered):
    """Rows with `category` and `scalar`."""

    needs_whole_windows = frozenset({"csv", "html", "svg"})

    class Meta:
        abstract = True

    @classmethod
    def to_csv(cls, rows: Iterable[Any]) -> str:
        """A line for each window and a column for each category; 0 where a window has none."""
        return as_csv.pivoted_to_csv(rows)

    @classmethod
    def to_svg(cls, rows: Iterable[Any], *, title: str = "") -> str:
        """A line for each category over time, or for the largest of them and one for the others."""
        return str(charts().categories_to_svg(rows, title))


class Messages(Rendered):
    """Rows with `category` and words."""

    class Meta:
        abstract = True

    @classmethod
    def to_svg(cls, rows: Iterable[Any], *, title: str = "") -> str:
        """How many messages each category has."""
        return str(charts().messages_to_svg(rows, title))


def charts() -> Any:
    """The module that draws: only whoever wants a chart needs pygal."""
    from pillowtop.stats.rendering import as_svg  # noqa: PLC0415

    return as_svg
