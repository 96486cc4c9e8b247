"""How messages come to the tally."""

from __future__ import annotations

import time

from pillowtop.stats.tally import Tally
from pillowtop.stats.testing import MemoryStore
from pillowtop.stats.transport import StatsTransport
from tests.stats.plugins import Count
from tests.stats.test_tally import RULES, at


def test_time_passes_up_to_when_a_batch_was_opened_and_not_while_it_waited(db):
    """A turn that waited for a database through an outage made all late that came behind it."""
    store = MemoryStore()
    transport = StatsTransport(
        lambda checked: Tally("Test", {Count.ident(): Count}, RULES, store), lambda *_: at(0)
    )
    transport.begin()
    transport.gather(at(5))
    transport.conclude(present=True, at=time.monotonic(), checked=False)
    opened_at = transport._heard_at + 1
    transport._heard_at -= 1000  # that long ago
    transport.begin()
    transport.conclude(present=True, at=opened_at - 1000, checked=False)
    assert store.rows == {}
    transport.conclude(present=True, at=opened_at, checked=False)
    assert len(store.rows) == 1


def test_what_is_made_between_two_attempts_is_not_taken_for_what_checks(db):
    """A turn may be asked for while the transaction of a batch is tried again."""
    made = []

    def make(checked):
        made.append(checked)
        return Tally("Test", {Count.ident(): Count}, RULES, MemoryStore())

    transport = StatsTransport(make, lambda *_: at(0))
    transport.wants_turn()
    transport.begin()
    transport.conclude(present=True, at=time.monotonic(), checked=True)
    assert made == [False, True]
