"""Charts, drawn by pygal: without scripts, and without anything from other hosts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pygal
from pygal.style import Style

from pillowtop.stats.rendering.pivot import pivot
from pillowtop.stats.rendering.ticks import time_axis
from pillowtop.stats.rendering.values import columns_of, shown

CATEGORIES = 10
"""So many get a line of their own, those with the most; the others share one."""

DOTS = 100
"""Where a chart has more points, they are not marked."""

LARGEST = 1e15
"""What is larger is drawn there: so that one wild value leaves a chart, and pygal can draw it."""

Points = Sequence[tuple[float, float]]

LOOK = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    transition="none",
    opacity="1",
    title_font_size=18,
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    no_data_font_size=30,
    guide_stroke_color="#ddd",
    major_guide_stroke_color="#ddd",
    stroke_width="1.5",
    colors=(
        "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b",
        "#e377c2", "#bcbd22", "#17becf", "#393b79", "#7f7f7f",
    ),
)  # fmt: skip


def columns_to_svg(model: Any, rows: Iterable[Any], title: str) -> str:
    """A line for each column of numbers; where there is none, for how many rows a window has."""
    rows = list(rows)
    lines = {}
    for column in columns_of(model):
        points = [(_seconds(row), getattr(row, column)) for row in rows]
        if points and all(type(value) in (int, float) for _, value in points):
            lines[column] = points
    counted = Counter(_seconds(row) for row in rows)
    return line_chart(title, lines or {"rows": list(counted.items())})


def categories_to_svg(rows: Iterable[Any], title: str) -> str:
    """A line for each category."""
    categories, windows = pivot(rows)
    totals = {
        category: math.fsum(abs(_drawable(one.get(category, 0))) for one in windows.values())
        for category in categories
    }
    named = _largest(totals)
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for end, found in windows.items():
        for category in named:
            lines[category].append((_moment(end), found.get(category, 0)))
        if len(named) < len(categories):
            others = math.fsum(_drawable(found[one]) for one in found if one not in named)
            lines["(others)"].append((_moment(end), others))
    return line_chart(title, lines)


def messages_to_svg(rows: Iterable[Any], title: str) -> str:
    """A bar for each category: how many messages it has."""
    counted = Counter(row.category for row in rows)
    bars = {category: counted[category] for category in _largest(counted)}
    if len(bars) < len(counted):
        bars["(others)"] = counted.total() - sum(bars.values())
    return bar_chart(title, bars)


def line_chart(title: str, lines: Mapping[str, Points]) -> str:
    """Lines over time; x are seconds since 1970. They end where there is no window, and go on
    behind that."""
    drawn = {name: sorted(_finite(points)) for name, points in lines.items()}
    times = sorted({x for points in drawn.values() for x, _ in points})
    apart = min((after - before for before, after in pairwise(times)), default=0)
    parted = {name: list(_parted(points, apart)) for name, points in drawn.items()}
    few = sum(map(len, drawn.values())) <= DOTS
    several = len(drawn) > 1
    values = [y for points in drawn.values() for _, y in points] or [0]
    # From zero on, where that leaves something to see.
    zero = min(values) <= max(values) / 2
    chart = pygal.XY(
        **_settings(title),
        show_legend=several,
        include_x_axis=zero,
        allow_interruptions=True,
    )
    if times:
        axis = time_axis(times[0], times[-1])
        chart.config(x_labels=axis.marks, x_value_formatter=axis.label, x_title=axis.title)
    for name, points in parted.items():
        # One by itself is no line.
        chart.add(shown(name), points, show_dots=few or _has_single(points))
    return _drawn(chart)


def _parted(points: Points, apart: float) -> Iterator[tuple[float, float] | None]:
    """With nothing between those that are further apart than windows are."""
    before = -math.inf
    for point in points:
        if before > -math.inf and point[0] - before > apart * 1.5:
            yield None
        yield point
        before = point[0]


def _has_single(points: Sequence[object]) -> bool:
    around = [None, *points, None]
    return any(
        one and not (before or after)
        for before, one, after in zip(around, around[1:], around[2:], strict=False)
    )


def bar_chart(title: str, bars: Mapping[str, int]) -> str:
    """The first bar is the topmost."""
    chart = pygal.HorizontalBar(
        **_settings(title), show_legend=False, print_values=True, include_x_axis=True
    )
    upwards = list(bars.items())[::-1]
    chart.config(x_labels=[shown(name) for name, _ in upwards], truncate_label=30)
    chart.add("messages", [count for _, count in upwards])
    return _drawn(chart)


def _settings(title: str) -> dict[str, Any]:
    return {
        "title": shown(title) or None,
        "style": LOOK,
        "js": (),
        "height": 420,
        "truncate_legend": 24,
        "max_scale": 8,
        "value_formatter": shown,
        "no_data_text": "no rows",
    }


def _drawn(chart: Any) -> str:
    chart.add_xml_filter(_without_scripts)
    text: str = chart.render(is_unicode=True, disable_xml_declaration=True)
    return text


def _without_scripts(root: Any) -> Any:
    """pygal writes its settings down for a script that is not there."""
    for parent in list(root.iter()):
        for child in list(parent):
            if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == "script":
                parent.remove(child)
    return root


def _largest(totals: Mapping[str, float]) -> list[str]:
    """The categories that get something of their own, the largest first."""
    return sorted(totals, key=lambda one: (-totals[one], one))[:CATEGORIES]


def _finite(points: Points) -> Points:
    return [(x, _drawable(y)) for x, y in points if math.isfinite(y)]


def _drawable(value: float) -> float:
    return max(-LARGEST, min(LARGEST, value)) if math.isfinite(value) else 0.0


def _seconds(row: Any) -> float:
    return _moment(row.timestamp)


def _moment(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
