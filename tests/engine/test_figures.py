from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.engine.figures import Rate


def test_a_rate_is_over_the_last_seconds():
    rate = Rate()
    for second in range(0, 31, 2):
        rate.look(second, 100 * second if second <= 20 else 2000)
    assert rate.per_second(10) == 0
    assert rate.per_second(20) == 50
    assert rate.per_second(60) == pytest.approx(2000 / 30)


def test_a_rate_of_nothing():
    rate = Rate()
    assert rate.per_second(10) == 0
    rate.look(5.0, 7)
    assert rate.per_second(10) == 0


def test_what_is_long_past_is_forgotten():
    rate = Rate()
    rate.look(0.0, 0)
    rate.look(1.0, 10_000)
    rate.look(62.0, 10_000)
    rate.look(64.0, 10_002)
    assert rate.per_second(60) == 1


@given(st.lists(st.tuples(st.floats(0.5, 30), st.integers(0, 1000)), min_size=2))
def test_a_rate_is_never_above_the_fastest_step(steps):
    rate, now, count = Rate(), 0.0, 0
    rate.look(now, count)
    for seconds, more in steps:
        now, count = now + seconds, count + more
        rate.look(now, count)
        fastest = max(more / seconds for seconds, more in steps)
        assert 0 <= rate.per_second(10) <= fastest * 1.001
