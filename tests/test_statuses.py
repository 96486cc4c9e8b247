from __future__ import annotations

from pillowtop.engine.figures import Mishap, Snapshot
from pillowtop.engine.health import Status, judge
from pillowtop.management import statuses


def said(**figures):
    shot = Snapshot(pillow="OrderPillow", state="halted", process="host:1", **figures)
    return statuses.text(Status.of([judge("OrderPillow", shot, 1.0)]))


def test_an_error_that_is_the_problem_is_not_said_twice():
    assert "last error" not in said(reason="no rights", last_error=Mishap("no rights", 1))


def test_another_error_is_told_too():
    assert "last error 1 s before: refused" in said(
        reason="no rights", last_error=Mishap("refused", 1)
    )
