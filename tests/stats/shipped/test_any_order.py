"""The same messages give the same rows, however they come, and wherever a process ends."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.stats import shipped
from tests.stats.shipped.messages import derived, message, messages, rows_at_random, rows_of


class Spread(shipped.VolumeByCategory):
    """With a hook."""

    def categories(self, message):
        found = message.get("f")
        return found if isinstance(found, list) else [found, message.get("g")]


KINDS = {
    "volume": shipped.Volume,
    "by category": derived(shipped.VolumeByCategory, field="f"),
    "by a hook": Spread,
    "by field": derived(shipped.VolumeByField, field="o.f"),
    "of few categories": derived(shipped.VolumeByCategory, field="f", max_categories=2),
    "distinct": derived(shipped.DistinctCount, field="f"),
    "roughly distinct": derived(shipped.DistinctCount, field="f", precision=7),
    "quantiles": derived(shipped.Quantiles, field="f", quantiles=(0, 0.07, 0.5, 0.99, 1)),
    "latest": derived(shipped.LatestByCategory, field="f"),
    "latest parts": derived(
        shipped.LatestByCategory, field="f", constraint_field="g", text_field="g", max_characters=9
    ),
    "few latest": derived(shipped.LatestByCategory, field="f", max_categories=2),
    "top": derived(shipped.TopK, field="f", k=3),
    "sampled top": derived(shipped.TopK, field="f", k=3, max_values=2, max_sampled=3),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@given(found=messages(), seed=st.integers(0, 2**32))
def test_order_batches_and_restarts_do_not_matter(kind, found, seed):
    assert rows_at_random(kind, found, seed) == rows_of(kind, found)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("seed", range(3))
def test_nor_do_they_of_many_messages(kind, seed):
    chance = random.Random(seed)
    found = [
        message(number, f=value, g=value % 7, o={"f": str(value)})
        for number, value in enumerate(chance.choices(range(20_000), k=5_000))
    ]
    assert rows_at_random(kind, found, seed) == rows_of(kind, found)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_window_without_messages_has_rows_too(kind):
    assert rows_of(kind, []) in ([], [{"scalar": 0}])
