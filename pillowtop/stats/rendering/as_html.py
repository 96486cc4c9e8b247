"""A page for people: the chart, the rows, and where else to go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from pillowtop.stats.rendering.values import cells_of, columns_of, shown

STYLE = mark_safe(
    """
body { font: 16px/1.4 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; }
figure { margin: 1em 0; }
svg { height: auto; width: 100%; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #ddd; padding: 0.2em 1em 0.2em 0; text-align: left; }
td.number { font-variant-numeric: tabular-nums; text-align: right; }
nav a { margin-right: 1em; }
"""
)

NUMBER = mark_safe(' class="number"')
PLAIN = SafeString()


def page(title: str, *parts: SafeString) -> str:
    """A complete page."""
    return format_html(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}\n"
        "</body>\n</html>\n",
        shown(title) or "Statistics",
        STYLE,
        format_html_join("\n", "{}", ((part,) for part in parts)),
    )


def rows_page(
    model: Any,
    rows: Iterable[Any],
    *,
    chart: str,
    title: str = "",
    description: str = "",
    links: Mapping[str, str],
) -> str:
    """The chart and the rows of a statistic. `links` has addresses by what they are called."""
    return page(
        title,
        format_html("<p>{}</p>", shown(description)),
        navigation(links),
        # pygal has escaped what the chart says.
        format_html("<figure>{}</figure>", mark_safe(chart)),  # noqa: S308
        rows_table(model, rows),
    )


def navigation(links: Mapping[str, str]) -> SafeString:
    joined = format_html_join("\n", '<a href="{1}">{0}</a>', links.items())
    return format_html("<nav>{}</nav>", joined)


def rows_table(model: Any, rows: Iterable[Any]) -> SafeString:
    return table(columns_of(model), cells_of(model, rows))


def table(columns: Iterable[str], lines: Iterable[Iterable[Any]]) -> SafeString:
    """Numbers stand to the right; what is safe already is taken as it is."""
    head = format_html_join("", "<th>{}</th>", ((column,) for column in columns))
    body = format_html_join("\n", "<tr>{}</tr>", ((_cells(line),) for line in lines))
    return format_html(
        "<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}\n</tbody>\n</table>", head, body
    )


def _cells(line: Iterable[Any]) -> SafeString:
    return format_html_join("", "<td{}>{}</td>", map(_cell, line))


def _cell(value: Any) -> tuple[SafeString, str]:
    """Its attributes, and what it says."""
    if type(value) in (int, float):
        return NUMBER, shown(value)
    return PLAIN, value if isinstance(value, SafeString) else shown(value)
