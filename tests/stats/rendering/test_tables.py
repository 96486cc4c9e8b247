"""JSON, CSV and HTML of rows, whatever they hold."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.stats.models import Categorized, CategorizedLog, ConstrainedCategorizedLog, Scalar
from pillowtop.stats.rendering.as_csv import guarded
from pillowtop.stats.rendering.as_json import to_json

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
texts = st.text(st.characters(codec="utf-8"), max_size=20)


def test_columns():
    assert Scalar.columns() == ["timestamp", "scalar"]
    assert ConstrainedCategorizedLog.columns() == [
        "timestamp", "category", "message", "category_constraint",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e300, "1e+300"),
        (float("nan"), "null"),
        (float("-inf"), "null"),
        (True, "true"),
        (Decimal("1.10"), '"1.10"'),
        (datetime(2026, 5, 4, 14, tzinfo=timezone(timedelta(hours=2))),
         '"2026-05-04T12:00:00+00:00"'),
        (datetime(2026, 5, 4, 12), '"2026-05-04T12:00:00+00:00"'),  # noqa: DTZ001
        ({1: (2.0, {3}), "ä": [float("inf")]}, '{"1":[2,[3]],"ä":[null]}'),
        ("\ud800", '"\\ud800"'),
        ({"a": object}, '{"a":"<class \'object\'>"}'),
    ],
)  # fmt: skip
def test_json_of_anything(value, text):
    assert to_json(value) == text


@given(st.recursive(st.none() | st.floats() | st.text() | st.integers(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_json_is_valid_whatever_it_is_of(value):
    json.loads(to_json(value).encode(), parse_constant=pytest.fail)


@given(st.floats())
def test_a_number_is_the_same_in_json(number):
    read = json.loads(Scalar.to_json([Scalar(timestamp=NOON, scalar=number)]))[0]["scalar"]
    assert read == number or (read is None and not abs(number) < float("inf"))


@pytest.mark.parametrize(
    ("cell", "guard"),
    [
        ("=1+2", "'=1+2"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1+2", "'-1+2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+2", "'＝1+2"),  # noqa: RUF001
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-", "'-"),
        ("-5\n", "'-5\n"),
        ("-5", "-5"),
        ("+1.5e-3", "+1.5e-3"),
        ("-.5", "-.5"),
        ("git", "git"),
        ("a=b", "a=b"),
        ("", ""),
        (-5, -5),
        (-0.5, -0.5),
        (None, None),
    ],
)
def test_cells_are_no_formulas(cell, guard):
    assert guarded(cell) == guard


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_csv_holds_what_the_rows_hold(words):
    rows = [CategorizedLog(timestamp=NOON, category=one, message=two) for one, two in words]
    header, *lines = csv.reader(io.StringIO(CategorizedLog.to_csv(rows), newline=""))
    assert header == ["timestamp", "category", "message"]
    assert lines == [[NOON.isoformat(), *(str(guarded(one)) for one in pair)] for pair in words]


def test_csv_of_no_rows_is_a_header():
    assert Scalar.to_csv([]) == "timestamp,scalar\r\n"
    assert Categorized.to_csv([]) == "timestamp\r\n"


def test_csv_of_what_is_no_number_is_empty():
    assert Scalar.to_csv([Scalar(timestamp=NOON, scalar=float("nan"))]).endswith("+00:00,\r\n")


def test_csv_of_categories_guards_their_names_too():
    rows = [Categorized(timestamp=NOON, category="=1+2", scalar=-5)]
    assert Categorized.to_csv(rows) == f"timestamp,'=1+2\r\n{NOON.isoformat()},-5\r\n"


def test_csv_of_categories_has_the_windows_in_the_order_of_the_rows():
    later = NOON + timedelta(minutes=1)
    rows = [
        Categorized(timestamp=later, category="b", scalar=1),
        Categorized(timestamp=NOON, category="a", scalar=2.5),
    ]
    assert list(csv.reader(io.StringIO(Categorized.to_csv(rows)))) == [
        ["timestamp", "a", "b"],
        [later.isoformat(), "0", "1"],
        [NOON.isoformat(), "2.5", "0"],
    ]


class Cells(HTMLParser):
    """The cells of a page, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.cells = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.cells and self.lasttag == "td":
            self.cells[-1] += data


@given(texts, texts)
def test_html_is_escaped(category, message):
    row = CategorizedLog(timestamp=NOON, category=category, message=message)
    page = CategorizedLog.to_html([row], title=category, description=message)
    assert not Cells(page).tags & {"script", "img", "b", "i", "a"}


def test_html_shows_the_rows():
    row = CategorizedLog(timestamp=NOON, category="<b>x</b>", message="1 < 2 & 3\0")
    found = Cells(CategorizedLog.to_html([row], links={"next": '/?a=1&b="2"'}))
    assert found.cells[:2] == ["2026-05-04T12:00:00+00:00", "<b>x</b>"]
    assert found.cells[2].strip() == "1 < 2 & 3\N{REPLACEMENT CHARACTER}"


def test_html_has_links():
    page = Scalar.to_html([], links={"next": '/?a=1&b="2"'})
    assert '<a href="/?a=1&amp;b=&quot;2&quot;">next</a>' in page


def test_html_loads_nothing():
    page = Categorized.to_html([Categorized(timestamp=NOON, category="a", scalar=1)])
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", page)
