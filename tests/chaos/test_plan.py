from __future__ import annotations

from dev.chaos.faults import FAULTS, KINDS
from dev.chaos.plan import plan

RUNS = 300


def test_a_seed_decides_everything():
    assert [plan(7, number) for number in range(1, RUNS)] == [
        plan(7, number) for number in range(1, RUNS)
    ]
    assert plan(7, 1) != plan(8, 1)


def test_each_fault_has_its_turn_alone_and_in_pairs():
    plans = [plan(7, number) for number in range(1, RUNS)]
    firsts = [one.faults[0] for one in plans[: len(FAULTS)]]
    assert sorted(firsts) == sorted(FAULTS)
    assert {len(one.faults) for one in plans} == {1, 2}


def test_what_nobody_could_know_never_meets():
    for number in range(1, RUNS):
        assert plan(7, number).faults not in (
            ("database put back", "Django database lost"),
            ("Django database lost", "database made again"),
        )


def test_faults_that_are_in_each_others_way_never_meet():
    for number in range(1, RUNS):
        kinds = [KINDS[name] for name in plan(7, number).faults]
        assert len(kinds) == len(set(kinds))


def test_a_thousand_kills_in_two_hundred_runs():
    assert sum(plan(7, number).kills for number in range(1, 201)) > 1000


def test_one_fault_may_be_chosen():
    assert {plan(7, number, ["503"]).faults for number in range(1, 9)} == {("503",)}
