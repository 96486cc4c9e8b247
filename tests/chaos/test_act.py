from __future__ import annotations

import random

from dev.chaos.act import Act


def test_a_fault_lasts_until_it_has_done_harm():
    act = Act(None, random.Random(1))
    seen = iter([0, 0, 3])
    pauses = list(act.lasting(2, 5, lambda: next(seen)))
    assert 2 <= pauses[0] <= 5
    assert len(pauses) == 3
    assert act.bites == 3


def test_whether_it_did_is_counted_as_once():
    act = Act(None, random.Random(1))
    list(act.lasting(2, 5, lambda: True))
    assert type(act.bites) is int
    assert act.bites == 1


def test_it_does_not_last_for_ever():
    act = Act(None, random.Random(1))
    assert sum(act.lasting(2, 5, lambda: 0)) < 30
    assert act.bites == 0
