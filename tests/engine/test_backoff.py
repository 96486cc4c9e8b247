from __future__ import annotations

from pillowtop.engine.backoff import Backoff


def bounds(backoff, count):
    return [backoff.next() for _ in range(count)]


def test_the_bound_doubles_up_to_a_limit():
    backoff = Backoff(0.1, 1.0, uniform=lambda low, high: high)
    assert bounds(backoff, 6) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_jitter_is_full():
    backoff = Backoff(0.1, 1.0, uniform=lambda low, high: low)
    assert bounds(backoff, 3) == [0.0, 0.0, 0.0]


def test_it_starts_over_after_a_success():
    backoff = Backoff(0.1, 1.0, uniform=lambda low, high: high)
    bounds(backoff, 4)
    backoff.reset()
    assert backoff.next() == 0.1


def test_it_survives_an_outage_of_weeks():
    backoff = Backoff(uniform=lambda low, high: high)
    assert bounds(backoff, 5000)[-1] == 30.0
