"""What is sent again, and how much of it at once."""

from __future__ import annotations

import pytest

from pillowtop.engine.batches import Batch, Limits
from pillowtop.engine.items import DELIVERED, Item, Outcome, Verdict
from pillowtop.exceptions import AnswerLate
from pillowtop.worker.repeating import Repeating

IN_TIME = 10


class SlowTarget:
    """Applies all it is sent, but answers in time only to ten documents, on some of which it is
    too busy at first."""

    def __init__(self):
        self.sizes = []
        self.busy = {"4", "77"}

    def deliver(self, items):
        self.sizes.append(len(items))
        assert len(self.sizes) < 100, "it gets nowhere"
        if len(items) > IN_TIME:
            raise AnswerLate("timed out")
        return [self.outcome(item) for item in items]

    def outcome(self, item):
        if item.id in self.busy:
            self.busy.remove(item.id)
            return Outcome(item, Verdict.AGAIN, "es_rejected_execution_exception", "busy")
        return Outcome(item, DELIVERED)


class NoPatience:
    def endure(self, error):
        pass

    def succeeded(self):
        pass


@pytest.fixture
def settled():
    return []


@pytest.fixture
def target():
    return SlowTarget()


@pytest.fixture
def repeat(target, settled):
    def settle(delivered, letters):
        assert not letters
        settled.append([item.id for item in delivered])

    return Repeating(target, NoPatience, lambda: None, settle)


def batch(count):
    made = Batch(0.0, Limits())
    for number in range(count):
        made.add(Item(str(number), str(number), number, False, None, 1))
    return made


def test_a_batch_that_a_target_cannot_answer_in_time_gets_through_all_the_same(
    repeat, target, settled
):
    repeat(batch(100), {})
    assert len(settled) == 1
    assert sorted(settled[0], key=int) == [str(number) for number in range(100)]
    assert target.sizes[:5] == [100, 50, 25, 12, 6]


def test_what_was_learned_holds_for_the_next_batch(repeat, target):
    repeat(batch(100), {})
    target.sizes.clear()
    repeat(batch(100), {})
    assert target.sizes[0] <= IN_TIME + 2
