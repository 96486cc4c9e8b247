from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pillowtop.engine.leases import Holder, Standing, Watch

TERM = 8.0
ONE, OTHER = Holder("1", "a"), Holder("2", "b")


def looks(watch, standings, step=0.5, start=100.0):
    return [watch.is_over(one, start + number * step) for number, one in enumerate(standings)]


def test_a_lease_that_stands_still_for_the_term_may_be_taken():
    found = looks(Watch(TERM), [Standing(ONE, 1)] * 20)
    assert found.index(True) == TERM / 0.5


def test_a_lease_that_moves_may_not():
    watch = Watch(TERM)
    assert not any(looks(watch, [Standing(ONE, number // 2) for number in range(100)]))
    assert watch.moves


def test_one_that_changes_hands_starts_anew_and_shows_no_life_of_the_next_holder():
    watch = Watch(TERM)
    assert not any(looks(watch, [Standing(ONE, 1)] * 10 + [Standing(OTHER, 2)] * 10))
    assert not watch.moves


def test_what_happened_while_nobody_looked_does_not_count():
    """The database was down, or the process was stopped: the holder may be alive."""
    watch = Watch(TERM)
    assert not watch.is_over(Standing(ONE, 1), 100.0)
    assert not watch.is_over(Standing(ONE, 1), 160.0)
    assert not watch.is_over(Standing(ONE, 1), 160.5)


@given(st.lists(st.tuples(st.floats(0.01, 30.0), st.booleans()), max_size=60))
def test_never_before_the_term_is_over_whatever_the_looks(steps):
    watch = Watch(TERM)
    now, beat, moved_at = 100.0, 0, 100.0
    for seconds, moves in steps:
        now += seconds
        if moves:
            beat, moved_at = beat + 1, now
        if watch.is_over(Standing(ONE, beat), now):
            assert now - moved_at >= TERM
