"""What is counted of a pillow, without any server."""

from __future__ import annotations

import time

import gevent
import pytest

from pillowtop.awaited import answer_of, keep_in
from pillowtop.engine.ledger import Ledger
from pillowtop.exceptions import ServerBusy
from pillowtop.feeds.reading import Read
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.figures import Figures, Life
from pillowtop.worker.gates import Gates
from pillowtop.worker.patience import Patience


@pytest.fixture
def ledger():
    return Ledger({"orders": "3-x"})


@pytest.fixture
def figures(ledger):
    made = Figures("OrderPillow", {"127.0.0.1:5984": "CouchDB"})
    made.life = Life("orders", None, "3-x", 7, ledger, Delivery(lambda *_: None, 1, gevent.spawn))
    return made


def test_caught_up_is_who_has_delivered_what_there_was(figures, ledger):
    assert not figures.snapshot("running", "").caught_up
    entry = ledger.open()
    figures.took(Read("orders", current=True))
    assert not figures.snapshot("running", "").caught_up
    later = ledger.open()
    figures.took(Read("orders", current=True))
    ledger.close(entry)
    shot = figures.snapshot("running", "")
    assert shot.caught_up
    assert shot.behind_seconds == 0
    ledger.close(later)


def test_who_begins_anew_has_not_caught_up_yet(figures, ledger):
    """After a reset it is far behind, however lately it was not."""
    figures.took(Read("orders", current=True))
    assert figures.snapshot("running", "").caught_up
    figures.end()
    assert figures.snapshot("done", "").caught_up
    figures.begin()
    assert not figures.snapshot("starting", "").caught_up


def test_what_is_taken_late_was_all_there_was_long_ago(figures):
    """Somebody slow takes it minutes after it was read."""
    figures.took(Read("orders", current=True, at=time.monotonic() - 100))
    shot = figures.snapshot("running", "")
    assert not shot.caught_up
    assert shot.behind_seconds >= 100


def test_a_feed_of_which_nothing_is_known_catches_up_with_nothing(figures):
    figures.took(Read("orders", more=True))
    figures.took(Read("orders"))
    shot = figures.snapshot("running", "")
    assert not shot.caught_up
    assert shot.behind_seconds == shot.running_seconds


def test_the_checkpoint_is_saved_or_behind(figures, ledger):
    shot = figures.snapshot("running", "")
    assert (shot.position, shot.checkpoint, shot.unsaved_seconds) == ("3-x", "3-x", 0)
    ledger.note("orders", "4-y")
    shot = figures.snapshot("running", "")
    assert (shot.position, shot.checkpoint) == ("4-y", "3-x")


def test_a_failure_stands_there_until_it_works(figures):
    failures = [ServerBusy("127.0.0.1:5984 cannot be reached: refused")]
    patience = Patience("OrderPillow", Gates(0.01), 0.001, figures)
    seen = []

    def attempt():
        seen.append(figures.snapshot("running", "").waiting)
        if failures:
            raise failures.pop()

    patience.until_done(attempt)
    assert [[one.what for one in some] for some in seen] == [
        [],
        ["CouchDB at 127.0.0.1:5984 cannot be reached: refused"],
    ]
    shot = figures.snapshot("running", "")
    assert shot.waiting == []
    assert shot.retries == 1
    assert shot.last_error.what.endswith("refused")


def test_what_is_given_up_is_not_waited_for(figures):
    patience = Patience("OrderPillow", Gates(0.01), 0.001, figures)
    patience.endure(ServerBusy("busy"))
    assert figures.is_waiting
    patience.give_up()
    assert not figures.is_waiting


def test_a_silent_feed_is_waited_for(figures):
    figures.took(Read("orders", silent_seconds=6.0))
    (waiting,) = figures.snapshot("running", "").waiting
    assert waiting.kind == "silence"
    assert "the feed of orders has brought nothing for 6 s" in waiting.what
    figures.took(Read("orders"))
    assert figures.snapshot("running", "").waiting == []


def test_an_answer_is_waited_for_where_it_takes_unusually_long(figures):
    def ask(usual_seconds):
        keep_in(figures.answers)
        with answer_of("CouchDB at somewhere", usual_seconds):
            gevent.sleep(1000)

    asking = [gevent.spawn(ask, usual_seconds) for usual_seconds in (0.0, 1000.0)]
    gevent.sleep(0)
    assert len(figures.answers.awaited) == 2
    assert not figures.is_waiting
    (waiting,) = figures.snapshot("running", "").waiting
    assert "CouchDB at somewhere has not answered" in waiting.what
    gevent.killall(asking)
    assert not figures.answers.awaited
    assert figures.answers.came == 2


def test_a_new_life_waits_for_nothing_yet(figures):
    figures.failed(object(), "the last life's", 0.0)
    figures.begin()
    shot = figures.snapshot("starting", "")
    assert (shot.lives, shot.waiting, shot.position) == (1, [], None)
