from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.models import ConstrainedCategorizedLog
from pillowtop.stats.shipped import LatestByCategory
from pillowtop.stats.shipped.labels import label
from pillowtop.stats.states import begun
from tests.stats.shipped.messages import derived, message, messages, rows_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Latest = derived(LatestByCategory, field="f", text_field="says")
Parts = derived(LatestByCategory, field="f", constraint_field="g", text_field="says")


def found_in(rows):
    return {(row["category"], row["category_constraint"]): row["message"] for row in rows}


def test_the_latest_of_each_category_is_kept():
    found = [
        message(3, f="a", says="third"),
        message(1, f="a", says="first"),
        message(2, f="b", says="second"),
    ]
    assert found_in(rows_of(Latest, found)) == {("a", None): "third", ("b", None): "second"}


def test_parts_of_a_category_are_told_apart():
    found = [
        message(1, f="a", g="x", says="1"),
        message(2, f="a", g="y", says="2"),
        message(3, f="a", says="3"),
    ]
    assert found_in(rows_of(Parts, found)) == {
        ("a", "x"): "1", ("a", "y"): "2", ("a", "(none)"): "3"
    }  # fmt: skip


@given(found=messages())
def test_it_is_the_one_with_the_greatest_time_and_identity(found):
    expected = {}
    for one in sorted(found, key=lambda one: (one.time, one.identity)):
        expected[label(one.get("f")), None] = label(one.get("_id"))
    kind = derived(LatestByCategory, field="f", text_field="_id")
    assert found_in(rows_of(kind, found)) == expected


def test_all_of_a_message_is_shown_as_json():
    kind = derived(LatestByCategory, field="f")
    assert rows_of(kind, [message(7, f="é")])[0]["message"] == '{"_id":"m7","f":"é"}'


@pytest.mark.parametrize("value", ["\ud800", "a\0b", 10**400, float("nan"), {"a": [None]}])
def test_whatever_is_in_it(value):
    kind = derived(LatestByCategory, field="f")
    assert rows_of(kind, [message(7, f="a", value=value)])[0]["message"].startswith('{"_id"')


def test_a_long_text_is_cut():
    kind = derived(LatestByCategory, field="f", text_field="says", max_characters=5)
    assert rows_of(kind, [message(1, f="a", says="123456")])[0]["message"] == "1234…"


def test_a_hook_says_what_is_shown():
    class Shouting(Latest):
        def text(self, message):
            return message["says"].upper()

    assert rows_of(Shouting, [message(1, f="a", says="boo")])[0]["message"] == "BOO"


def test_memory_is_bounded():
    plugin = begun(derived(LatestByCategory, field="f", max_categories=10))
    for number in range(500):
        plugin.process(message(number, f=str(number)))
        assert len(plugin.latest_of) <= 20


@pytest.mark.parametrize(
    "options",
    [
        {"field": ""},
        {"constraint_field": "a..b"},
        {"text_field": 3},
        {"max_categories": 0},
        {"max_characters": 0},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigurationError, match=f"LatestByCategory: {next(iter(options))} must"):
        derived(LatestByCategory, **options)


# What is stored.


def store(kind, minute, **texts):
    """Have a window hold rows: the text of each category."""
    end = NOON + minute * MINUTE
    rows = [
        kind.model(category=name, message=text, statistic=kind.ident(), timestamp=end)
        for name, text in texts.items()
    ]
    kind.store({end: rows})


def stored(kind):
    rows = kind.rows().order_by("category")
    return [(row.category, (row.timestamp - NOON) // MINUTE, row.message) for row in rows]


@pytest.mark.django_db
def test_a_later_window_replaces_rows_of_earlier_ones():
    store(Latest, 1, a="one", b="one")
    store(Latest, 2, a="two")
    assert stored(Latest) == [("a", 2, "two"), ("b", 1, "one")]


@pytest.mark.django_db
def test_an_earlier_window_changes_nothing():
    store(Latest, 2, a="two")
    store(Latest, 1, a="one", b="one")
    assert stored(Latest) == [("a", 2, "two"), ("b", 1, "one")]


@pytest.mark.django_db
def test_a_window_that_opens_anew_replaces_its_own():
    store(Latest, 1, a="one", b="one")
    before = Latest.rows().get(category="a").pk
    store(Latest, 1, a="another", c="one")
    assert stored(Latest) == [("a", 1, "another"), ("c", 1, "one")]
    assert Latest.rows().get(category="a").pk == before


@pytest.mark.django_db
def test_parts_of_a_category_are_kept_apart():
    for minute, part in ((1, "x"), (2, "y"), (3, None)):
        end = NOON + minute * MINUTE
        row = Parts.model(
            category="a", category_constraint=part, message=str(minute),
            statistic=Parts.ident(), timestamp=end,
        )  # fmt: skip
        Parts.store({end: [row]})
    assert Parts.rows().count() == 3


@pytest.mark.django_db
def test_other_statistics_are_left_alone():
    other = derived(LatestByCategory, name="other")
    store(other, 1, a="theirs")
    store(Latest, 2, a="ours")
    assert stored(other) == [("a", 1, "theirs")]


@pytest.mark.django_db
def test_the_order_of_windows_does_not_matter():
    windows = [(1, {"a": "1", "b": "1"}), (2, {"a": "2"}), (3, {"b": "3", "c": "3"})]
    for order in itertools.permutations(windows):
        ConstrainedCategorizedLog.objects.all().delete()
        for minute, texts in order:
            store(Latest, minute, **texts)
        assert stored(Latest) == [("a", 2, "2"), ("b", 3, "3"), ("c", 3, "3")]


@pytest.mark.django_db
def test_many_categories_are_stored():
    names = [f"c{number}" for number in range(1500)]
    random.Random(1).shuffle(names)
    store(Latest, 1, **dict.fromkeys(names, "one"))
    store(Latest, 2, **dict.fromkeys(names[:1200], "two"))
    assert Latest.rows().filter(message="two").count() == 1200
    assert Latest.rows().count() == 1500
