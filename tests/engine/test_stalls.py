from __future__ import annotations

from pillowtop.engine.stalls import LONGEST_STEP_SECONDS, Stillness


def test_stillness_lasts_until_something_moves():
    still = Stillness()
    assert still.seconds(100.0, "a") == 0
    assert still.seconds(101.0, "a") == 1
    assert still.seconds(102.5, "a") == 2.5
    assert still.seconds(103.0, "b") == 0
    assert still.seconds(104.0, "b") == 1


def test_what_is_excused_does_not_count():
    still = Stillness()
    still.seconds(0.0, "a")
    still.seconds(3.0, "a")
    assert still.seconds(4.0, "a", excused=True) == 0
    assert still.seconds(5.0, "a") == 1


def test_a_process_that_was_stopped_has_not_stood_still():
    still = Stillness()
    still.seconds(0.0, "a")
    assert still.seconds(1000.0, "a") == LONGEST_STEP_SECONDS
