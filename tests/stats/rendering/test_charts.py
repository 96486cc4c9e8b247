"""Charts: what they show, and that anything can be drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.db import models
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.stats.models import Categorized, CategorizedLog, Scalar, StatisticModel
from pillowtop.stats.rendering.ticks import MOST, time_axis

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


class Spread(StatisticModel):
    """A model of somebody else's."""

    least = models.FloatField()
    most = models.IntegerField()

    class Meta(StatisticModel.Meta):
        app_label = "tests"
        managed = False


class Words(StatisticModel):
    """One without numbers."""

    said = models.TextField()

    class Meta(StatisticModel.Meta):
        app_label = "tests"
        managed = False


def minutes(count):
    return [NOON + timedelta(minutes=number) for number in range(count)]


def words(svg):
    """All texts of a chart."""
    return [
        (one.text or "").strip() for one in ET.fromstring(svg).iter() if one.tag == f"{SVG}text"
    ]


def lines(svg):
    return [one for one in ET.fromstring(svg).iter() if "line reactive" in one.get("class", "")]


def test_a_number_over_time():
    rows = [Scalar(timestamp=time, scalar=5) for time in minutes(90)]
    svg = Scalar.to_svg(rows, title="Orders & <more>")
    assert len(lines(svg)) == 1
    assert {"Orders & <more>", "2026-05-04, UTC", "12:00", "12:30", "13:00"} <= set(words(svg))


def test_the_order_of_rows_is_nothing_to_a_chart():
    rows = [Scalar(timestamp=time, scalar=time.minute) for time in minutes(9)]
    assert points(Scalar.to_svg(rows)) == points(Scalar.to_svg(rows[::-1]))


def points(svg):
    return [one.get("d") for one in lines(svg)]


def test_no_line_is_drawn_over_windows_that_there_are_none_of():
    times = minutes(200)
    rows = [Scalar(timestamp=time, scalar=5) for time in [*times[:90], times[95], *times[100:]]]
    svg = Scalar.to_svg(rows)
    assert len(points(svg)) == 2
    assert "<circle" in svg  # one by itself is no line
    whole = Scalar.to_svg([Scalar(timestamp=time, scalar=5) for time in times])
    assert len(points(whole)) == 1
    assert "<circle" not in whole


def test_points_are_marked_where_a_chart_has_few():
    def circles(windows, categories):
        rows = [Categorized(timestamp=time, category=str(number), scalar=1)
                for time in minutes(windows) for number in range(categories)]  # fmt: skip
        return Categorized.to_svg(rows).count("<circle")

    assert circles(30, 3) == 90
    assert circles(50, 3) == 0


def test_only_the_line_with_a_lone_point_is_marked_among_many():
    times = minutes(200)
    rows = [Spread(timestamp=time, least=1, most=5) for time in [*times[:90], times[95]]]
    assert Spread.to_svg(rows).count("<circle") == 2 * 91
    parted = [Categorized(timestamp=time, category="git", scalar=1) for time in times[::2]]
    assert Categorized.to_svg(parted).count("<circle") == 100


def test_each_category_has_a_line():
    rows = [Categorized(timestamp=time, category=category, scalar=1)
            for time in minutes(3) for category in ("git", "wiki")]  # fmt: skip
    svg = Categorized.to_svg(rows)
    assert len(lines(svg)) == 2
    assert {"git", "wiki"} <= set(words(svg))
    assert "(others)" not in words(svg)


def test_small_categories_share_a_line():
    rows = [Categorized(timestamp=time, category=f"c{number:02}", scalar=number)
            for time in minutes(3) for number in range(50)]  # fmt: skip
    svg = Categorized.to_svg(rows)
    assert len(lines(svg)) == 11
    assert {"c49", "c40", "(others)"} <= set(words(svg))
    assert "c39" not in words(svg)


def test_messages_are_counted():
    rows = [CategorizedLog(timestamp=NOON, category=category, message="")
            for category in ("git", "wiki", "git")]  # fmt: skip
    assert {"git", "wiki", "2", "1"} <= set(words(CategorizedLog.to_svg(rows)))


def test_small_categories_of_messages_share_a_bar():
    rows = [CategorizedLog(timestamp=NOON, category=f"c{number}", message="")
            for number in range(30)]  # fmt: skip
    assert {"(others)", "20"} <= set(words(CategorizedLog.to_svg(rows)))


def test_each_column_of_numbers_has_a_line():
    rows = [Spread(timestamp=time, least=1.5, most=3) for time in minutes(3)]
    svg = Spread.to_svg(rows)
    assert len(lines(svg)) == 2
    assert {"least", "most"} <= set(words(svg))


def test_without_numbers_rows_are_counted():
    assert len(lines(Words.to_svg([Words(timestamp=time, said="x") for time in minutes(3)]))) == 1


@pytest.mark.parametrize("model", [Scalar, Categorized, CategorizedLog, Spread, Words])
def test_a_chart_of_nothing_says_so(model):
    assert "no rows" in words(model.to_svg([]))


def test_a_chart_needs_nobody_else():
    rows = [Categorized(timestamp=NOON, category="a", scalar=1)]
    svg = Categorized.to_svg(rows, title="t")
    assert not any(word in svg for word in ("<script", "@import", "url(", "href", "<animate"))


categories = st.text(max_size=5)
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.tuples(times, categories, st.floats()), max_size=20), st.text(max_size=5))
@settings(max_examples=60, deadline=None)
def test_anything_can_be_drawn(measured, title):
    rows = [Categorized(timestamp=time, category=category, scalar=scalar)
            for time, category, scalar in measured]  # fmt: skip
    assert ET.fromstring(Categorized.to_svg(rows, title=title)).tag == f"{SVG}svg"
    assert ET.fromstring(Scalar.to_svg(rows, title=title)).tag == f"{SVG}svg"
    logs = [CategorizedLog(timestamp=time, category=category, message="") for time, category, _
            in measured]  # fmt: skip
    assert ET.fromstring(CategorizedLog.to_svg(logs, title=title)).tag == f"{SVG}svg"


@given(times, times)
def test_a_time_axis_has_some_marks_within_it(one, two):
    first, last = sorted((one.timestamp(), two.timestamp()))
    axis = time_axis(first, last)
    assert 1 <= len(axis.marks) <= MOST + 1
    assert all(first <= mark <= last for mark in axis.marks)
    assert all(axis.label(mark) for mark in axis.marks)


@pytest.mark.parametrize(
    ("span", "labels", "title"),
    [
        (timedelta(0), ["12:00:00.000"], "2026-05-04, UTC"),
        (timedelta(milliseconds=4), ["12:00:00.000", "12:00:00.001"], "2026-05-04, UTC"),
        (timedelta(seconds=30), ["12:00:00", "12:00:05"], "2026-05-04, UTC"),
        (timedelta(minutes=30), ["12:00", "12:05"], "2026-05-04, UTC"),
        (timedelta(hours=20), ["05-04 12:00", "05-04 15:00"], "from 2026-05-04, UTC"),
        (timedelta(days=5), ["2026-05-05", "2026-05-06"], "UTC"),
        (timedelta(days=900), ["2026-10-22"], "UTC"),
    ],
)
def test_marks_say_as_much_as_is_needed(span, labels, title):
    axis = time_axis(NOON.timestamp(), (NOON + span).timestamp())
    assert [axis.label(mark) for mark in axis.marks][: len(labels)] == labels
    assert axis.title == title
