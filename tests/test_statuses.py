from __future__ import annotations

from pillowtop.engine.figures import Mishap, Snapshot
from pillowtop.engine.health import Status, judge
from pillowtop.management import statuses


def said(**figures):
    shot = Snapshot(pillow="OrderPillow", state="halted", process="host:1", **figures)
    return statuses.text(Status.of([judge("OrderPillow", shot, 1.0)]))


def feeds(*pillows, age=1.0):
    found = []
    for name, companions in pillows:
        shot = Snapshot(
            pillow=name, state="running", process="host:1", stream="orders", companions=companions
        )
        found.append(judge(name, shot, age))
    return [line for line in statuses.text(Status.of(found)).splitlines() if "feed of" in line]


def test_it_says_who_shares_a_feed():
    assert feeds(("a", ["b"]), ("b", ["a"]), ("c", [])) == [
        "feed of orders: a, b share one connection; c reads alone"
    ]
    assert feeds(("a", [])) == []


def test_nor_of_those_who_report_no_more():
    assert feeds(("a", ["b"]), ("b", ["a"]), age=9.0) == []


def test_what_a_pillow_does_that_reports_no_more_is_not_known():
    def state(name, age):
        shot = Snapshot(pillow="OrderPillow", state=name, process="host:1", caught_up=True)
        return statuses.text(Status.of([judge("OrderPillow", shot, age)])).splitlines()[1]

    assert "caught up" in state("running", 7.0)
    assert "unknown" in state("running", 9.0)
    assert "done" in state("done", 9.0)


def test_an_error_that_is_the_problem_is_not_said_twice():
    assert "last error" not in said(reason="no rights", last_error=Mishap("no rights", 1))


def test_another_error_is_told_too():
    assert "last error 1 s before: refused" in said(
        reason="no rights", last_error=Mishap("refused", 1)
    )
