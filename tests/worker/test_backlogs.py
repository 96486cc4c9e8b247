"""The number of changes that wait, asked for many pillows at once."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from pillowtop.exceptions import TransientError
from pillowtop.worker.backlogs import Backlogs


class Database:
    """Answers once it may, and notes what it was asked."""

    endpoint = "a server"

    def __init__(self, name="orders"):
        self.name = name
        self.asked = []
        self.may_answer = Event()
        self.fails = False

    def pending(self, seq):
        self.asked.append(seq)
        self.may_answer.wait()
        if self.fails:
            raise TransientError("down")
        return len(self.asked)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def quick(database):
    database.may_answer.set()
    return database


def all_that_ask(backlogs, database, seqs):
    greenlets = [gevent.spawn(backlogs.behind, database, seq) for seq in seqs]
    gevent.idle()
    return greenlets


def test_those_at_one_place_ask_once(database):
    greenlets = all_that_ask(Backlogs(60), database, ["1-a", "1-a", "2-b", "1-a"])
    database.may_answer.set()
    gevent.joinall(greenlets, timeout=10)
    assert sorted(database.asked) == ["1-a", "2-b"]
    assert greenlets[0].value == greenlets[1].value == greenlets[3].value


def test_seqs_of_every_kind_are_told_apart(quick):
    backlogs = Backlogs(60)
    seqs = [1, "2-b", [1, "a"]]
    for seq in seqs:
        backlogs.behind(quick, seq)
        backlogs.behind(quick, seq)
    assert quick.asked == seqs


def test_databases_are_told_apart(quick):
    other = Database("others")
    other.may_answer.set()
    backlogs = Backlogs(60)
    backlogs.behind(quick, "1-a")
    backlogs.behind(other, "1-a")
    assert quick.asked == other.asked == ["1-a"]


def test_an_answer_grows_old(quick):
    backlogs = Backlogs(0)
    assert [backlogs.behind(quick, "1-a"), backlogs.behind(quick, "1-a")] == [1, 2]


def test_those_who_wait_hear_the_error_and_who_comes_later_asks_again(database):
    backlogs = Backlogs(60)
    database.fails = True
    greenlets = [gevent.spawn(failure_of, backlogs, database) for _ in range(3)]
    gevent.idle()
    database.may_answer.set()
    gevent.joinall(greenlets, timeout=10)
    assert [one.value for one in greenlets] == ["down"] * 3
    assert database.asked == ["1-a"]
    database.fails = False
    assert backlogs.behind(database, "1-a") == 2


def failure_of(backlogs, database):
    with pytest.raises(TransientError) as caught:
        backlogs.behind(database, "1-a")
    return str(caught.value)


def test_who_asked_may_be_stopped_while_others_wait(database):
    backlogs = Backlogs(60)
    first, second = all_that_ask(backlogs, database, ["1-a", "1-a"])
    first.kill()
    database.may_answer.set()
    assert second.get(timeout=10) == 1
