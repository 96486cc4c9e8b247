from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.shipped import TopK
from pillowtop.stats.shipped.labels import distinct_labels
from pillowtop.stats.states import begun, dumped
from tests.stats.shipped.messages import derived, message, messages, rows_of

Top = derived(TopK, field="f", k=3)


def top_of(values, kind=Top):
    found = [message(number, f=value) for number, value in enumerate(values)]
    return [(row["category"], row["scalar"]) for row in rows_of(kind, found)]


def test_the_most_frequent_come_first():
    assert top_of("abcadbae") == [("a", 3), ("b", 2), ("c", 1)]


@given(found=messages())
def test_few_values_are_counted_exactly(found):
    counts = Counter(label for one in found for label in distinct_labels(one.get("f")))
    counts.pop("(none)", None)
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:3]
    assert [(row["category"], row["scalar"]) for row in rows_of(Top, found)] == most


def test_what_is_missing_is_not_among_them():
    assert top_of([None, None, "a"]) == [("a", 1)]


def test_values_of_lists_count_once_for_each_message():
    assert top_of([["a", "b", "b"], "b", []]) == [("b", 2), ("a", 1)]


def many_values(count):
    """A tenth of them are `first`, a twentieth `second`, and the others different."""
    chance = random.Random(1)
    kinds = ["first"] * 10 + ["second"] * 5 + [None] * 85
    return [chance.choice(kinds) or f"other-{number}" for number in range(count)]


def test_of_many_values_shares_are_estimated():
    values = many_values(50_000)
    counts = Counter(values)
    found = dict(top_of(values))
    # Of 2,000 messages a share of a tenth has a standard error of 0.7 %.
    for label in ("first", "second"):
        assert found[label] == pytest.approx(counts[label], abs=3 * 0.0067 * len(values))


def test_values_of_lists_are_estimated_too():
    found = dict(top_of([[value, "each"] for value in many_values(20_000)]))
    assert next(iter(found)) == "each"
    assert found["each"] == pytest.approx(20_000, rel=0.07)


def test_memory_is_bounded():
    plugin = begun(Top)
    sizes = []
    for start in range(0, 50_000, 500):
        values = range(start, start + 500)
        plugin.process_all([message(number, f=f"a value {number}") for number in values])
        sizes.append(len(dumped(plugin)))
    assert max(sizes) < 250_000
    assert plugin.counts is None


@pytest.mark.parametrize("options", [{"k": 0}, {"max_values": 0}, {"max_sampled": "2"}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigurationError, match=f"TopK: {next(iter(options))} must be"):
        derived(TopK, **options)
