from __future__ import annotations

from pillowtop.engine.figures import Mishap, Snapshot
from pillowtop.engine.health import Status, judge
from pillowtop.management import statuses


def said(**figures):
    shot = Snapshot(pillow="OrderPillow", state="halted", process="host:1", **figures)
    return statuses.text(Status.of([judge("OrderPillow", shot, 1.0)]))


def feeds(*pillows):
    found = []
    for name, companions in pillows:
        shot = Snapshot(
            pillow=name, state="running", process="host:1", stream="orders", companions=companions
        )
        found.append(judge(name, shot, 1.0))
    return [line for line in statuses.text(Status.of(found)).splitlines() if "feed of" in line]


def test_it_says_who_shares_a_feed():
    assert feeds(("a", ["b"]), ("b", ["a"]), ("c", [])) == [
        "feed of orders: a, b share one connection; c reads alone"
    ]
    assert feeds(("a", [])) == []


def test_an_error_that_is_the_problem_is_not_said_twice():
    assert "last error" not in said(reason="no rights", last_error=Mishap("no rights", 1))


def test_another_error_is_told_too():
    assert "last error 1 s before: refused" in said(
        reason="no rights", last_error=Mishap("refused", 1)
    )
