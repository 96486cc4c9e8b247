from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.engine.storms import Storm

batches = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=30)


@given(batches)
def test_it_begins_where_half_of_the_window_has_failed(outcomes):
    """The window holds whole batches: as few as have 1,000 documents together."""
    storm, seen = Storm(1000, 0.5), []
    for delivered, failed in outcomes:
        window, documents = [], 0
        for one in reversed(seen):
            if documents >= 1000:
                break
            window.append(one)
            documents += sum(one)
        expected = failed > 0 and failed + sum(one[1] for one in window) >= 500
        assert storm.would_rage(delivered, failed) is expected
        storm.note(delivered, failed)
        seen.append((delivered, failed))


def test_a_batch_that_goes_through_ends_it():
    storm = Storm(10, 0.5)
    assert storm.would_rage(0, 5)
    storm.begin()
    assert storm.would_rage(1, 1)
    assert not storm.would_rage(2, 1)
    storm.note(2, 1)
    assert not storm.rages
    assert not storm.would_rage(0, 3)
    assert storm.would_rage(0, 4)


def test_what_is_tried_again_is_not_counted():
    storm = Storm(10, 0.5)
    with storm.apart():
        assert not storm.would_rage(0, 100)
        storm.note(0, 100)
    assert not storm.would_rage(0, 4)


@pytest.mark.parametrize("size", [10, 100])
def test_few_failures_are_no_storm(size):
    storm = Storm(size, 1.0)
    assert not storm.would_rage(0, size - 1)
    assert storm.would_rage(0, size)
