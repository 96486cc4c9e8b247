from __future__ import annotations

import pytest

from pillowtop.engine.figures import Mishap, Snapshot, Waiting
from pillowtop.engine.health import Status, duration, judge, keeps_from_working


def judged(age_seconds=1.0, state="running", **figures):
    shot = Snapshot(pillow="OrderPillow", state=state, process="host:1", **figures)
    return judge("OrderPillow", shot, age_seconds).problems


def kinds(*args, **figures):
    return [one.kind for one in judged(*args, **figures)]


def test_nothing_is_wrong_with_a_pillow_that_runs():
    assert judged() == []
    assert judged(state="starting") == []
    assert judged(behind_seconds=900.0, pending_changes=10**6) == []


def test_who_never_reported():
    (problem,) = judge("OrderPillow", None, 0.0).problems
    assert problem.kind == "unreported"
    assert "run_ptop" in problem.do


def test_what_a_worker_said_long_ago_is_not_repeated():
    waiting = [Waiting("failure", "down", 5.0)]
    (problem,) = judged(8.6, waiting=waiting)
    assert str(problem).startswith("no worker reports: the last one (host:1) did 9 s ago: see")
    assert kinds(7.5, waiting=waiting) == ["waiting"]


def test_why_it_stopped_is_said_for_as_long_as_nobody_runs_it():
    stopped, silent = judged(3600.0, "halted", reason="refuses user 'ann'")
    assert stopped.what == "refuses user 'ann'"
    assert silent.what.startswith("no worker reports: the last one (host:1) did 60 min ago")


def test_a_worker_that_has_ended():
    (problem,) = judged(0.0, "done")
    assert "has ended as it should" in problem.what


@pytest.mark.parametrize("state", ["halted", "lease_lost", "standby"])
def test_a_stop_says_its_reason(state):
    (problem,) = judged(state=state, reason="stopped: no rights")
    assert problem.what == "stopped: no rights"


def test_what_a_command_mends_needs_no_restart_while_a_worker_runs():
    (problem,) = judged(state="halted", reason="stopped: no rights")
    assert problem.do.startswith("mend that, then start run_ptop again")
    assert "obeyed within seconds where a worker still runs" in problem.do


@pytest.mark.parametrize(
    ("waiting", "shown"),
    [
        (Waiting("failure", "it cannot be reached", 0.5), False),
        (Waiting("failure", "it cannot be reached", 1.5), True),
        (Waiting("answer", "it has not answered", 3.0), True),
        (Waiting("silence", "not a heartbeat", 5.0), True),
    ],
)
def test_a_failure_that_passes_at_once_is_not_worth_a_word(waiting, shown):
    assert [waiting.what in one.what for one in judged(waiting=[waiting])] == [True] * shown


def test_a_crash_loop_is_one_after_three():
    crash = Mishap("ValueError: no", 121.0)
    assert judged(recent_crashes=2, last_crash=crash) == []
    (problem,) = judged(recent_crashes=3, last_crash=crash)
    assert problem.what == "crashed 3 times in the last 10 minutes, last: ValueError: no"
    assert kinds(recent_crashes=1, last_crash=Mishap("ValueError: no", 3.0)) == ["crashed"]


def test_slow_is_what_waits_for_nothing():
    slow = {"batch_age_seconds": 61.0, "unsaved_seconds": 61.0}
    assert kinds(**slow) == ["slow", "unsaved"]
    assert kinds(**slow, waiting=[Waiting("answer", "no answer", 61.0)]) == ["waiting"]
    assert kinds(batch_age_seconds=59.0, unsaved_seconds=59.0) == []


def test_letters_keep_nothing_from_working():
    found = judged(dead_letters=1, waiting=[Waiting("answer", "no answer", 5.0)])
    assert [one.kind for one in found] == ["waiting", "letters"]
    assert found[1].what == "1 dead letter"
    assert keeps_from_working(found) == found[:1]
    assert kinds(20.0, dead_letters=2) == ["unreported", "letters"]


def test_a_status_is_healthy_where_all_pillows_are():
    well = judge("A", Snapshot(pillow="A", state="running", process="p"), 1.0)
    assert Status.of([well]).healthy
    assert not Status.of([well, judge("B", None, 0.0)]).healthy


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119.0, "119 s"), (120.0, "2 min"), (7199, "120 min"), (7200, "2 h"),
     (86400 * 5, "5 days")],
)  # fmt: skip
def test_durations(seconds, words):
    assert duration(seconds) == words
