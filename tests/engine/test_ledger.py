from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pillowtop.engine.ledger import Ledger


def test_a_position_moves_at_once_where_nothing_is_under_way():
    ledger = Ledger()
    ledger.note("orders", "5-x")
    assert ledger.positions == {"orders": "5-x"}


def test_a_batch_delivered_first_does_not_move_the_position_past_its_predecessor():
    ledger = Ledger({"orders": "0"})
    first = ledger.open()
    ledger.note("orders", "1-x")
    second = ledger.open()
    ledger.note("orders", "2-x")
    ledger.close(second)
    assert ledger.positions == {"orders": "0"}
    ledger.close(first)
    assert ledger.positions == {"orders": "2-x"}


def test_a_page_without_documents_waits_for_the_batch_before_it():
    ledger = Ledger({"orders": "0"})
    entry = ledger.open()
    ledger.note("orders", "page-1")
    ledger.note("orders", "page-2")
    assert ledger.positions == {"orders": "0"}
    ledger.close(entry)
    assert ledger.positions == {"orders": "page-2"}


def test_it_stays_small_behind_an_entry_that_stays_open():
    ledger = Ledger({"orders": "0"})
    first = ledger.open()
    for number in range(1000):
        ledger.close(ledger.open())
        ledger.note("orders", number)
    assert len(ledger._entries) <= 3
    ledger.close(first)
    assert ledger.positions == {"orders": 999}


@given(st.permutations(range(6)))
def test_closing_in_any_order_ends_at_the_last_seq(order):
    ledger = Ledger()
    entries = []
    for number in range(6):
        entries.append(ledger.open())
        ledger.note("orders", number)
    for number in order:
        ledger.close(entries[number])
    assert ledger.positions == {"orders": 5}


class LedgerMachine(RuleBasedStateMachine):
    """Against a plain list of everything that happened."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        self.history = []  # ("entry", entry) or ("seq", stream, seq)
        self.number = 0

    @rule()
    def open(self):
        self.history.append(("entry", self.ledger.open()))

    @rule(stream=st.sampled_from(["orders", "users"]))
    def note(self, stream):
        self.number += 1
        self.history.append(("seq", stream, self.number))
        self.ledger.note(stream, self.number)

    @precondition(lambda self: any(one[0] == "entry" and one[1].open for one in self.history))
    @rule(data=st.data())
    def close(self, data):
        still_open = [one[1] for one in self.history if one[0] == "entry" and one[1].open]
        self.ledger.close(data.draw(st.sampled_from(still_open)))

    @invariant()
    def positions_are_the_last_seqs_before_the_first_open_entry(self):
        expected = {}
        for one in self.history:
            if one[0] == "seq":
                expected[one[1]] = one[2]
            elif one[1].open:
                break
        assert self.ledger.positions == expected


TestLedgerMachine = LedgerMachine.TestCase


def test_how_many_entries_are_done():
    ledger = Ledger()
    assert (ledger.opened, ledger.done) == (0, 0)
    first, second, third = ledger.open(), ledger.open(), ledger.open()
    ledger.close(second)
    assert (ledger.opened, ledger.done) == (3, 0)
    ledger.close(first)
    assert (ledger.opened, ledger.done) == (3, 2)
    ledger.close(third)
    assert (ledger.opened, ledger.done) == (3, 3)
