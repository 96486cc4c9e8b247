from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.exceptions import ConfigurationError
from pillowtop.stats.shipped import Quantiles
from pillowtop.stats.shipped.buckets import LARGEST, SMALLEST, buckets_of, number_of
from tests.stats.shipped.messages import JSON, derived, message, rows_of

QUANTILES = (0, 0.07, 0.25, 0.5, 0.95, 0.99, 1)
Measured = derived(Quantiles, field="f", quantiles=QUANTILES)


def quantiles_of(values, kind=Measured):
    found = [message(number, f=value) for number, value in enumerate(values)]
    return {row["category"]: row["scalar"] for row in rows_of(kind, found)}


def exact(values, quantile):
    """The least value that so large a part of all is not above."""
    place = max(1, math.ceil(Fraction(str(quantile)) * len(values)))
    return sorted(values)[place - 1]


@given(st.lists(st.floats(-1e18, 1e18), min_size=1))
def test_quantiles_have_the_error_that_is_documented(values):
    for quantile, found in zip(QUANTILES, quantiles_of(values).values(), strict=True):
        true = exact(values, quantile)
        assert abs(found) <= abs(true)
        assert abs(true - found) <= max(abs(true) / 128, SMALLEST)


@given(st.lists(st.integers(-256, 256), min_size=1))
def test_small_whole_numbers_are_exact(values):
    expected = [exact(values, quantile) for quantile in QUANTILES]
    assert list(quantiles_of(values).values()) == expected


def test_rows_are_called_after_their_quantiles():
    assert list(quantiles_of([1])) == ["p0", "p7", "p25", "p50", "p95", "p99", "p100"]
    kind = derived(Quantiles, field="f", quantiles=(0.999,))
    assert quantiles_of([1], kind) == {"p99.9": 1}


def test_what_is_no_number_is_left_out():
    assert quantiles_of([None, "7", True, [1], {}, float("nan")]) == {}
    assert set(quantiles_of([None, "7", True, 3, [1]]).values()) == {3}


def test_numbers_outside_of_the_range_are_at_its_ends():
    assert set(quantiles_of([10**400, float("inf"), 1e300]).values()) == {LARGEST}
    assert set(quantiles_of([-(10**400)]).values()) == {-LARGEST}
    assert set(quantiles_of([1e-300, -1e-13]).values()) == {0}


@given(st.lists(JSON))
def test_buckets_are_those_of_each_number(values):
    """Whatever else is in the batch."""
    apart = [bucket for value in values for bucket in buckets_of([value])]
    assert buckets_of(values) == apart


@given(st.floats(-(2.0**64), 2.0**64))
def test_the_end_of_a_bucket_is_in_it(number):
    bucket = buckets_of([number])
    assert buckets_of([number_of(bucket[0])]) == bucket


def test_there_are_as_many_buckets_as_is_documented():
    assert buckets_of([LARGEST, -LARGEST, SMALLEST]) == [13313, -13313, 1]


@pytest.mark.parametrize(
    "quantiles", [(), (1.1,), (-0.1,), (0.5, 0.5), ("0.5",), (True,), 0.5, (float("nan"),)]
)
def test_impossible_quantiles_are_refused(quantiles):
    with pytest.raises(ConfigurationError, match="Quantiles: quantiles must be a list of"):
        derived(Quantiles, quantiles=quantiles)
