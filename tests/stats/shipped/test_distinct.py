from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.shipped import DistinctCount
from tests.stats.shipped.messages import LETTERS, derived, message, rows_of

Distinct = derived(DistinctCount, field="f")


def count_of(values, kind=Distinct):
    found = [message(number, f=value) for number, value in enumerate(values)]
    return rows_of(kind, found)[0]["scalar"]


@given(st.lists(st.text(LETTERS, max_size=3), max_size=60))
def test_few_are_counted_exactly(values):
    assert count_of(values) == len(set(values))


def test_few_hundred_are_counted_exactly():
    assert count_of([str(number) for number in range(300)] * 3) == 300


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("precision", [10, 12, 14])
def test_many_are_counted_with_the_error_that_is_documented(count, precision):
    kind = derived(DistinctCount, field="f", precision=precision)
    error = 1.04 / 2 ** (precision / 2)
    values = [f"user-{number}" for number in range(count)]
    assert count_of(values, kind) == pytest.approx(count, rel=3 * error)


def test_what_is_missing_is_not_counted():
    found = [message(1), message(2, f=None), message(3, f=float("nan")), message(4, f="")]
    assert rows_of(Distinct, found) == [{"scalar": 1}]


def test_equal_numbers_are_one_value_and_true_is_another():
    assert count_of([1, 1.0, True, "x", 10**400]) == 4


def test_values_of_lists_are_counted():
    assert count_of([["a", "b"], "b", [], [None], ["c"], [["d"], {}]]) == 5


def test_half_a_surrogate_pair_is_a_value():
    assert count_of(["\ud800", "\ud801", "\ud800"]) == 2


def test_its_state_has_the_size_that_is_documented():
    kind = derived(DistinctCount, field="f")
    plugin = kind()
    plugin.initialize()
    plugin.process_all([message(number, f=str(number)) for number in range(50_000)])
    assert 4096 <= len(plugin.dump()) < 4200


@pytest.mark.parametrize("options", [{"precision": 6}, {"precision": 22}, {"precision": 12.0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigurationError, match="DistinctCount: precision must be a whole number"):
        derived(DistinctCount, **options)
