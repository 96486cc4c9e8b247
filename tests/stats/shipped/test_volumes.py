from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.shipped import Volume, VolumeByCategory, VolumeByField
from pillowtop.stats.shipped.labels import label
from tests.stats.shipped.messages import derived, message, messages, rows_of


def counts_of(kind, found):
    return {row["category"]: row["scalar"] for row in rows_of(kind, found)}


def with_field(*values):
    return [message(number, f=value) for number, value in enumerate(values)]


def test_volume_counts():
    assert rows_of(Volume, with_field(1, 2, 3)) == [{"scalar": 3}]


def test_categories_are_counted():
    kind = derived(VolumeByField, field="f")
    assert counts_of(kind, with_field("b", "a", "b")) == {"a": 1, "b": 2}


def test_rows_are_in_the_order_of_their_categories():
    kind = derived(VolumeByField, field="f")
    rows = rows_of(kind, with_field("b", "c", "a", "b"))
    assert [row["category"] for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "category"),
    [
        ("text", "text"),
        ("", "(empty)"),
        (None, "(none)"),
        (float("nan"), "(none)"),
        (float("inf"), "(none)"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (10**400, "(huge number)"),
        ([], "(list)"),
        (["a"], "(list)"),
        ({"a": 1}, "(object)"),
        ("a\0b", "a\\u0000b"),
        ("\ud800", "\\ud800"),
        ("é" * 201, "é" * 199 + "…"),
    ],
)
def test_each_value_has_a_category(value, category):
    kind = derived(VolumeByField, field="f")
    assert counts_of(kind, with_field(value)) == {category: 1}
    assert counts_of(kind, with_field(value, value, "other")) == {category: 2, "other": 1}


def test_true_is_not_1():
    kind = derived(VolumeByField, field="f")
    assert counts_of(kind, with_field(True, 1, 1.0, 0, False)) == {
        "true": 1, "1": 2, "0": 1, "false": 1
    }  # fmt: skip


def test_a_missing_field_is_none():
    kind = derived(VolumeByField, field="o.f")
    found = [message(1), message(2, o={"f": None}), message(3, o="text"), message(4, o={"f": "a"})]
    assert counts_of(kind, found) == {"(none)": 3, "a": 1}


def test_a_message_may_be_of_several_categories():
    kind = derived(VolumeByCategory, field="f")
    assert counts_of(kind, with_field(["a", "b"], ["b", "b"], "c", [])) == {
        "a": 1, "b": 2, "c": 1, "(none)": 1
    }  # fmt: skip


def test_a_hook_says_which():
    class ByWord(VolumeByCategory):
        def categories(self, message):
            yield from message["f"].split()

    assert counts_of(ByWord, with_field("a b", "b", "")) == {"a": 1, "b": 2, "(none)": 1}


def test_a_hook_may_go_on_from_the_field():
    class Louder(VolumeByCategory):
        field = "f"

        def categories(self, message):
            return super().categories(message).upper()

    assert counts_of(Louder, with_field("a", "A", "b")) == {"A": 2, "B": 1}


def test_a_hook_may_give_a_single_text():
    class ByLetter(VolumeByCategory):
        def categories(self, message):
            return message["f"]

    assert counts_of(ByLetter, with_field("abc", None)) == {"abc": 1, "(none)": 1}


@given(found=messages())
def test_counts_are_exact(found):
    kind = derived(VolumeByField, field="f")
    assert counts_of(kind, found) == Counter(label(one.get("f")) for one in found)


@given(found=messages())
def test_no_message_is_lost_where_categories_are_too_many(found):
    exact = counts_of(derived(VolumeByField, field="f"), found)
    counts = counts_of(derived(VolumeByField, field="f", max_categories=3), found)
    other = counts.pop("(other)", 0)
    assert len(counts) == min(3, len(exact))
    assert all(exact[category] == count for category, count in counts.items())
    assert other + sum(counts.values()) == len(found)


def test_memory_is_bounded():
    kind = derived(VolumeByField, field="f", max_categories=10)
    plugin = kind()
    plugin.initialize()
    for number in range(1000):
        plugin.process(message(number, f=str(number)))
        assert len(plugin.counts) <= 20


def test_the_name_tells_the_field():
    assert VolumeByField.ident() == "volume-by-level-1m"
    of_user = derived(VolumeByField, field="user.name")
    assert of_user.ident() == "volume-by-user-name-1m"
    assert of_user.summary == "Messages by user name"
    assert derived(VolumeByField, field="a", summary="mine").summary == "mine"
    assert derived(VolumeByField, field="f", name="mine").ident() == "mine-1m"
    assert VolumeByCategory.ident() == "volume-by-category-1m"


@pytest.mark.parametrize(
    "options",
    [
        {"field": ""},
        {"field": "a..b"},
        {"field": 3},
        {"max_categories": 0},
        {"max_categories": True},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigurationError, match=f"VolumeByField: {next(iter(options))} must be"):
        derived(VolumeByField, **options)
