"""Batches that go out although nothing has come: where the feed has nothing more."""

from __future__ import annotations

import gevent
import pytest

from pillowtop.engine.ledger import Ledger
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Packer, Way
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow
from pillowtop.worker.delivery import Delivery
from pillowtop.worker.intake import Intake
from tests.worker.test_delivery import LIMITS, NoPatience, Target, row


class Turns:
    """An intake, and what it has sent: how many documents, and whether nothing was behind them."""

    def __init__(self):
        way, target, self.sent = Way(BasicPillow(), BasicPillow), Target([]), []
        delivery = Delivery(self._deliver, 1, gevent.spawn)
        packer = Packer(way, target)
        self.intake = Intake(
            way, packer, Versions(1), delivery, Ledger(), LIMITS, NoPatience, whole_reads=True
        )

    def _deliver(self, batch, _seqs):
        self.sent.append((len(batch.items), batch.present))

    def read(self, *ids, **how):
        self.intake.take(Read("s", [row(0, one, 1) for one in ids], "1", **how))
        gevent.sleep(0)


@pytest.fixture
def turns():
    return Turns()


def test_what_the_feed_had_nothing_more_behind_says_so(turns):
    turns.read("a", "b", "c", more=True)
    turns.read("d", current=True)
    turns.intake.finish()
    assert turns.sent == [(3, False), (1, True)]
    assert not turns.intake.owes_turn


def test_a_turn_is_owed_where_the_end_comes_behind_a_batch(turns):
    turns.read("a", "b", "c", more=True)
    assert not turns.intake.owes_turn
    turns.read(caught_up=True)
    assert turns.intake.owes_turn
    assert turns.intake.take_turn()
    assert turns.sent == [(3, False), (0, True)]
    assert not turns.intake.owes_turn


def test_while_the_feed_has_more_there_is_no_turn(turns):
    turns.read("a", more=True)
    assert not turns.intake.take_turn()
    turns.intake.finish()
    assert turns.sent == [(1, False)]


def test_of_a_feed_that_was_interrupted_nobody_knows_whether_it_has_more(turns):
    turns.read("a", current=True)
    turns.intake.lose_sight()
    assert not turns.intake.take_turn()
    turns.read(caught_up=True)
    assert turns.intake.take_turn()
