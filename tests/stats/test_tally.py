"""Counting, in memory: what counts, where, and that nothing but the messages matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.stats.intervals import to_microseconds
from pillowtop.stats.progress import Rules
from pillowtop.stats.seen import SLOT_LENGTH
from pillowtop.stats.store import ASKED, GATHERING, Enrolled
from pillowtop.stats.tally import Tally
from pillowtop.stats.testing import MemoryStore, message
from tests.stats.plugins import Count, CountInMinutes, First, Sequence, Users

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND = 1_000_000
RULES = Rules(lateness=10 * SECOND, limit=60 * SECOND, ahead=3600 * SECOND)
KINDS = (Count, CountInMinutes, Users, Sequence, First)


class Counting:
    """A tally in memory with a clock of its own. `again` is what a crash and a restart come to."""

    def __init__(self, *kinds, rules=RULES, store=None, now=None):
        self.kinds = {kind.ident(): kind for kind in kinds or KINDS}
        self.rules = rules
        self.store = store or MemoryStore()
        self.now = now or NOON + timedelta(minutes=1)
        self.restart()

    def restart(self):
        self.tally = Tally(
            "Test",
            self.kinds,
            self.rules,
            self.store,
            clock=lambda: self.now.timestamp(),  # noqa: PLW0108  (it changes)
        )

    def take(self, *messages, present=True, idle=0.0):
        self.tally.take(list(messages), present=present, idle=int(idle * SECOND))

    def finish(self):
        """Let time pass until all windows are closed."""
        idle = 48 * 3600.0
        self.now += timedelta(seconds=idle)
        while self.tally.wants_turn(int(idle * SECOND)):
            self.take(idle=idle)

    def rows(self, kind):
        return {
            at: [(getattr(row, "category", ""), row.scalar) for row in rows]
            for (ident, at), rows in sorted(self.store.rows.items())
            if ident == kind.ident()
        }

    def all_rows(self):
        return {kind.ident(): self.rows(kind) for kind in self.kinds.values()}

    @property
    def counts(self):
        return {name: count for name, count in self.tally.progress.counts.items() if count}


def at(seconds, doc_id=None, **fields):
    when = NOON + timedelta(seconds=seconds)
    return message(when, {"_id": doc_id or f"at {seconds}", "_rev": "1-a", **fields})


def end(seconds):
    return NOON + timedelta(seconds=seconds)


def test_each_message_falls_into_a_window_of_every_interval():
    counting = Counting()
    counting.take(at(1), at(2), at(12))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 2)], end(20): [("", 1)]}
    assert counting.rows(CountInMinutes) == {end(60): [("", 3)]}


def test_a_message_on_a_boundary_belongs_to_the_window_that_starts_there():
    counting = Counting(Count)
    counting.take(at(0), at(10))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 1)], end(20): [("", 1)]}


def test_a_window_closes_once_the_watermark_is_past_its_end():
    counting = Counting(Count)
    counting.take(at(1))
    counting.take(at(19.9))
    assert counting.rows(Count) == {}
    counting.take(at(20))
    assert counting.rows(Count) == {end(10): [("", 1)]}


def test_while_the_feed_has_more_no_window_closes():
    counting = Counting(Count)
    counting.take(at(1), at(59), present=False)
    assert counting.tally.progress.watermark is None
    assert counting.rows(Count) == {}


def test_by_the_clock_a_window_closes_where_nothing_comes():
    counting = Counting(Count)
    counting.take(at(5))
    assert not counting.tally.wants_turn(int(14.9 * SECOND))
    assert counting.tally.wants_turn(15 * SECOND)
    counting.take(idle=15)
    assert counting.rows(Count) == {end(10): [("", 1)]}


def test_a_late_message_opens_the_stored_row_of_its_window():
    counting = Counting(Count, CountInMinutes)
    counting.take(at(5), at(40))
    assert counting.rows(Count) == {end(10): [("", 1)]}
    counting.take(at(6))
    assert counting.rows(Count)[end(10)] == [("", 2)]
    assert counting.counts == {"counted": 3, "late": 1}


def test_a_message_beyond_the_limit_is_counted_apart(caplog):
    counting = Counting(Count, now=NOON + timedelta(minutes=5))
    counting.take(at(200))
    assert "late_limit" not in caplog.text
    counting.take(at(129.999))
    assert caplog.text.count("messages came later than late_limit allows") == 1
    counting.take(at(130))
    counting.finish()
    assert counting.rows(Count) == {end(140): [("", 1)], end(210): [("", 1)]}
    assert counting.counts == {"counted": 2, "late": 1, "beyond the limit": 1}


def test_a_message_far_ahead_of_the_clock_is_counted_apart_and_moves_nothing():
    counting = Counting(Count)
    counting.take(at(1), message(datetime(2200, 1, 1, tzinfo=UTC), {"_id": "far"}))
    counting.take(at(2))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 2)]}
    assert counting.counts == {"counted": 2, "ahead of the clock": 1}


def test_a_message_a_little_ahead_of_the_clock_makes_no_other_late():
    counting = Counting(Count)
    counting.take(at(1000))
    counting.take(at(55))
    counting.take(at(0))
    assert counting.counts == {"counted": 3, "late": 1}
    assert counting.tally.progress.watermark == to_microseconds(NOON + timedelta(seconds=50))


def test_times_before_1970_are_times():
    counting = Counting(Count)
    counting.take(message("1969-12-31T23:59:55Z", {"_id": "old"}), at(1), present=False)
    counting.finish()
    assert counting.rows(Count)[datetime(1970, 1, 1, tzinfo=UTC)] == [("", 1)]


def test_windows_are_aligned_to_the_epoch():
    counting = Counting(Count)
    epoch = to_microseconds(NOON + timedelta(seconds=3))
    counting.tally = Tally("Test", counting.kinds, RULES, counting.store, epoch=epoch)
    counting.take(at(2.9), at(3))
    counting.finish()
    assert counting.rows(Count) == {end(3): [("", 1)], end(13): [("", 1)]}


def test_a_message_that_comes_again_is_not_counted_again():
    counting = Counting(Count)
    counting.take(at(1, "a"), at(1, "a"))
    counting.take(at(1, "a"))
    counting.restart()
    counting.take(at(1, "a"), at(1, "b"))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 2)]}
    assert counting.counts == {"counted": 2, "repeated": 3}


def test_a_feed_that_begins_anew_counts_nothing_twice():
    counting = Counting(Count, now=NOON + timedelta(hours=1))
    history = [at(second) for second in range(0, 600, 7)]
    counting.take(*history)
    counting.finish()
    before = counting.all_rows()
    counting.take(*history, present=False)
    counting.finish()
    assert counting.all_rows() == before
    assert counting.counts["counted"] == len(history)
    assert counting.counts["beyond the limit"] == len(history)


def test_messages_of_a_window_come_in_the_order_in_which_they_happened():
    counting = Counting(Sequence)
    counting.take(at(3, "c"), at(1, "a"))
    counting.take(at(2, "b"))
    counting.finish()
    assert counting.rows(Sequence) == {end(10): [("a", 0), ("b", 1), ("c", 2)]}


def test_what_no_message_can_come_for_is_forgotten():
    counting = Counting()
    for second in range(0, 40_000, 50):
        counting.now = NOON + timedelta(seconds=second)
        counting.take(at(second))
    store = counting.store
    of_two_slots = 2 * SLOT_LENGTH // SECOND // 50
    assert len(counting.tally._seen) <= of_two_slots
    assert len(store._windows) <= of_two_slots * len(KINDS)
    assert len(store._kept) <= of_two_slots * 2
    assert len(store._seen) <= of_two_slots


@pytest.mark.parametrize("limit", [0, 60, 3600])
def test_what_was_counted_is_known_whatever_becomes_of_the_limits(limit):
    counting = Counting(Count)
    messages = [at(second) for second in range(100)]
    counting.take(*messages)
    counting.rules = Rules(lateness=120 * SECOND, limit=limit * SECOND, ahead=3600 * SECOND)
    counting.restart()
    counting.take(*messages)
    counting.finish()
    assert [row for ((_, row),) in counting.rows(Count).values()] == [10] * 10


def test_a_longer_limit_opens_no_window_of_which_nothing_is_known_any_more():
    counting = Counting(Count)
    counting.take(at(1), at(2))
    counting.now += timedelta(hours=1)
    counting.take(at(3600))
    assert counting.rows(Count)[end(10)] == [("", 2)]
    counting.rules = Rules(lateness=10 * SECOND, limit=7200 * SECOND, ahead=3600 * SECOND)
    counting.restart()
    counting.take(at(3))
    counting.finish()
    assert counting.rows(Count)[end(10)] == [("", 2)]
    assert counting.counts["beyond the limit"] == 1


class Draining(Count):
    """Changes itself where it is asked for its rows."""

    name = "draining"

    def update(self):
        rows = super().update()
        self.count = 0
        return rows


@pytest.mark.parametrize("restarts", [False, True])
def test_what_a_plugin_does_to_itself_while_it_makes_rows_is_not_kept(restarts):
    counting = Counting(Draining)
    counting.take(at(1), at(2))
    counting.take(at(25))
    if restarts:
        counting.restart()
    counting.take(at(3))
    counting.finish()
    assert counting.rows(Draining)[end(10)] == [("", 3)]


def test_rows_that_somebody_else_has_made_are_said():
    counting = Counting(Count)
    counting.take(at(1), at(100))
    other = Counting(Count)
    other.store.rows = counting.store.rows
    other.restart()
    assert "another pillow has made" in other.tally._roll["count-10s"].lacks


def test_a_statistic_that_was_left_out_for_a_while_lacks_what_came_meanwhile(caplog):
    counting = Counting(Count, Users)
    counting.take(at(1))
    counting.kinds = {Count.ident(): Count}
    counting.restart()
    counting.take(at(2))
    counting.kinds = {kind.ident(): kind for kind in (Count, Users)}
    counting.restart()
    counting.take(at(3))
    lacks = {ident: one.lacks for ident, one in counting.store.enrolled().items()}
    assert lacks == {"count-10s": "", "users-10s": "it was left out for a while"}


def test_a_backfill_of_what_is_not_computed_asks_for_no_turn():
    counting = Counting(Count)
    counting.take(at(1))
    counting.store.save_enrolled(Enrolled("users-10s", 1, stage=ASKED))
    assert not counting.tally.wants_turn(0)
    counting.store.save_enrolled(Enrolled("count-10s", 1, stage=ASKED))
    assert counting.tally.wants_turn(0)
    counting.take()
    assert not counting.tally.wants_turn(0)


@st.composite
def runs(draw):
    """Messages within the lateness in any order, in batches, with restarts and rewinds."""
    seconds = draw(st.lists(st.integers(0, 700), min_size=1, max_size=40))
    sent = [
        at(second / 10, f"{number}", user=f"u{number % 3}", weight=number)
        for number, second in enumerate(seconds)
    ]
    shuffled = draw(st.permutations(sent))
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    batches = [
        shuffled[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(sent)], strict=True)
    ]
    return sent, [
        (batch, draw(st.booleans()), draw(st.sampled_from(["", "restart", "rewind"])))
        for batch in batches
    ]


@given(runs())
@settings(max_examples=150, deadline=None)
def test_only_the_messages_matter(run):
    """Order within the lateness, batches, restarts and feeds that begin anew change no row."""
    sent, batches = run
    rules = Rules(lateness=70 * SECOND, limit=60 * SECOND, ahead=3600 * SECOND)
    plain = Counting(rules=rules)
    plain.take(*sent)
    plain.finish()
    disturbed = Counting(rules=rules)
    gone = []
    for batch, present, what in batches:
        disturbed.take(*batch, present=present)
        gone += batch
        if what:
            disturbed.restart()
        if what == "rewind":
            disturbed.take(*gone, present=False)
    disturbed.finish()
    assert disturbed.all_rows() == plain.all_rows()
    assert disturbed.counts["counted"] == len(sent)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60), st.randoms())
@settings(max_examples=100, deadline=None)
def test_late_messages_within_the_limit_come_to_the_same_rows(seconds, random):
    rules = Rules(lateness=0, limit=400 * SECOND, ahead=3600 * SECOND)
    sent = [at(second / 10, f"{number}") for number, second in enumerate(seconds)]
    plain, late = Counting(rules=rules), Counting(rules=rules)
    plain.take(*sent, present=False)
    plain.finish()
    random.shuffle(sent)
    for one in sent:
        late.take(one)
    late.finish()
    assert late.all_rows() == plain.all_rows()


@pytest.mark.parametrize("kind", KINDS)
def test_a_statistic_begins_with_an_ident_that_says_its_interval(kind):
    assert kind.ident() == f"{kind.name}-{'1m' if kind is CountInMinutes else '10s'}"


def test_a_backfill_that_has_taken_over_has_its_windows_closed_though_nothing_comes():
    counting = Counting(Count)
    counting.take(at(1))
    counting.store.save_enrolled(Enrolled("count-10s", 1, stage=ASKED))
    counting.take()
    assert counting.store.enrolled()["count-10s"].stage == GATHERING
    counting.store.save_enrolled(Enrolled("count-10s", 1))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 1)]}
