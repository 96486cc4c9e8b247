"""Plugins that raise, return nonsense or sleep harm nobody, and lose nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from datetime import timedelta

import gevent
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from pillowtop.stats import roll
from pillowtop.stats.models import CategorizedLog, KeptMessages, Scalar
from pillowtop.stats.records.store import DjangoStore
from pillowtop.stats.windows import Window
from tests.projects import wait_until
from tests.stats.conftest import on_both
from tests.stats.plugins import Count, Sequence
from tests.stats.test_tally import NOON, Counting, at, end

MENDED = False


class Picky(Count):
    """Does not take a message of Bob, and has half of it by then."""

    name = "picky"

    def process(self, message):
        self.count += 1
        if message.get("user") == "bob" and not MENDED:
            raise KeyError("bob")


class Exiting(Count):
    name = "exiting"

    def process(self, message):
        raise SystemExit(3)


class Cancelled(Count):
    name = "cancelled"

    def process(self, message):
        raise asyncio.CancelledError


class Overtimed(Count):
    """As gevent's timeouts, which are no `Exception`."""

    name = "overtimed"

    def process(self, message):
        raise gevent.Timeout(1)


class Repeating(Count):
    """Gives the same row again."""

    name = "repeating"
    row = Scalar(scalar=1)

    def update(self):
        return [self.row]


class Speechless(Count):
    """Raises what cannot say what it is."""

    name = "speechless"

    def process(self, message):
        class SpeechlessError(Exception):
            def __str__(self):
                raise KeyError

        raise SpeechlessError


class Meddling(Count):
    """Changes messages, which all others are given too."""

    name = "meddling"

    def process(self, message):
        message["weight"] = NOON


class Unsaved(Count):
    """Has a state that cannot be saved."""

    name = "unsaved"

    def process(self, message):
        self.lock = object()


class Nonsense(Count):
    name = "nonsense"

    def update(self):
        return 3


class Foreign(Count):
    name = "foreign"

    def update(self):
        return [Scalar, "row"]


class Failing(Count):
    name = "failing"

    def update(self):
        if not MENDED:
            raise ZeroDivisionError("by zero")
        return super().update()


class FailingAtAll(Sequence):
    name = "failing at all"

    def handle(self, messages):
        if not MENDED:
            raise ZeroDivisionError("by zero")
        return super().handle(messages)


@pytest.fixture
def mended(monkeypatch):
    return lambda: monkeypatch.setitem(globals(), "MENDED", True)


def test_one_that_raises_keeps_what_it_failed_at_and_the_others_go_on(mended):
    counting = Counting(Picky, Count)
    counting.take(at(1), at(2, user="bob"), at(3), at(4, user="bob"))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 4)]}
    assert counting.rows(Picky) == {end(10): [("", 2)]}
    place = f"(test_failing.py, line {Picky.process.__code__.co_firstlineno + 3})"
    errors = [one.error for one in counting.store.failed.values()]
    assert errors == [f"KeyError: 'bob' {place}"] * 2
    mended()
    counting.finish()
    assert counting.rows(Picky) == {end(10): [("", 4)]}
    assert counting.store.failed == {}


def test_what_failed_is_tried_again_ever_more_seldom():
    counting = Counting(Picky)
    counting.take(at(1, user="bob"))
    dues = []
    for _ in range(4):
        (failed,) = counting.store.failed.values()
        dues.append((failed.due_at - int(counting.now.timestamp() * 1e6)) // 1_000_000)
        counting.now = counting.now.fromtimestamp(failed.due_at / 1e6, counting.now.tzinfo)
        counting.take()
    assert dues == [60, 300, 1800, 7200]


@pytest.mark.parametrize("kind", [Exiting, Cancelled, Overtimed, Speechless, Meddling, Unsaved])
def test_other_ways_to_fail_at_a_message(kind):
    counting = Counting(kind, Count)
    counting.take(at(1))
    counting.restart()
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 1)]}
    assert len(counting.store.failed) == 1


@pytest.mark.parametrize("kind", [Nonsense, Foreign, Failing, FailingAtAll])
def test_one_that_fails_at_a_window_is_asked_again_and_the_others_go_on(kind, mended):
    counting = Counting(kind, Count)
    counting.take(at(1), at(2))
    counting.finish()
    assert counting.rows(Count) == {end(10): [("", 2)]}
    assert counting.rows(kind) == {}
    mended()
    counting.finish()
    good = {Failing: [("", 2)], FailingAtAll: [("at 1", 0), ("at 2", 1)]}
    assert counting.rows(kind) == ({end(10): good[kind]} if kind in good else {})


def test_what_failed_is_not_forgotten_while_it_may_be_mended(mended):
    counting = Counting(FailingAtAll, Picky)
    counting.take(at(1, "a", user="bob"), at(2, "b"))
    for second in range(10, 4000, 10):
        counting.now = end(second)
        counting.take(at(second))
    mended()
    counting.finish()
    assert counting.rows(FailingAtAll)[end(10)] == [("a", 0), ("b", 1)]
    assert counting.rows(Picky)[end(10)] == [("", 2)]


def test_one_that_fails_at_message_after_message_is_set_aside(monkeypatch, caplog):
    monkeypatch.setattr(roll, "FAILED_AT_MOST", 10)
    counting = Counting(Exiting, Count)
    for second in range(40):
        counting.take(at(second))
    assert len(counting.store.failed) == 11
    counting.restart()
    counting.take(at(41))
    assert len(counting.store.failed) == 11
    assert counting.store.enrolled()["exiting-10s"].lacks == "it failed at 11 messages and windows"
    assert "Mend it, and type: manage.py ptop_stats_backfill exiting-10s" in caplog.text


class Slow(Count):
    name = "slow"

    def process(self, message):
        time.sleep(message["takes"])  # as one would that asks a server
        super().process(message)


@pytest.mark.parametrize(("quick_one", "is_set_aside"), [(None, True), (70, False)])
def test_one_that_sleeps_is_set_aside_before_all_others_wait_for_ever(
    monkeypatch, quick_one, is_set_aside
):
    """Where windows close in between, which takes no time, it is slow all the same."""
    monkeypatch.setattr(roll, "SLOW_SECONDS", 0.2)
    counting = Counting(Slow, Count, now=NOON + timedelta(hours=1))
    for second in (10, 40, 70, 100):
        counting.take(at(second, takes=0 if second == quick_one else 0.3))
    slow = counting.store.enrolled()["slow-10s"].set_aside
    assert bool(slow) == is_set_aside
    assert len(counting.rows(Count)) == 3


FAILING = """
class Writing(Said):
    name = "writing"

    def initialize(self):
        self.count = 0

    def process(self, message):
        self.count += 1
        Scalar.objects.create(statistic="x")  # without a timestamp

    def update(self):
        return [Scalar(scalar=self.count)]

class Closing(Said):
    name = "closing"

    def initialize(self):
        self.count = 0

    def process(self, message):
        self.count += 1

    def update(self):
        from django.db import connections
        connections.close_all()

class Broken(Said):
    name = "broken"

    def initialize(self):
        self.count = 0

    def process(self, message):
        self.count += 1

    def update(self):
        return [Scalar(scalar=self.count), Scalar(scalar=None)]
"""


@on_both
def test_errors_of_the_database_are_those_of_the_plugin(make_statistics):
    plugins = ["Count", "Writing", "Closing", "Broken"]
    statistics = make_statistics("lateness = timedelta(0)", FAILING, plugins)
    statistics.send("a", 1)
    statistics.send("b", 100)
    statistics.project.catch_up()
    assert statistics.rows() == {"count-10s": {10: 1}}
    result = statistics.project.manage("ptop_stats_list", "--format", "json")
    assert result.returncode == 4
    found = {one["statistic"]: one for one in json.loads(result.stdout)}
    assert found["writing-10s"]["failed"] == 2
    assert found["broken-10s"]["failed_windows"] == 1
    assert "IntegrityError" in found["broken-10s"]["error"]
    assert found["closing-10s"]["failed_windows"] == 1
    assert "do not close it (pillows.py, line" in found["closing-10s"]["error"]


def test_a_row_that_is_given_for_a_second_window_is_that_one_s_failure():
    counting = Counting(Repeating, Count)
    counting.take(at(1), at(11))
    counting.finish()
    assert list(counting.rows(Repeating)) == [end(10)]
    assert counting.store.count_failed("repeating-10s") == 1


@pytest.mark.django_db
def test_an_error_that_a_plugin_catches_and_the_database_does_not_is_said():
    """Nothing is written any more then, and nobody would know."""

    def write():
        Scalar.objects.create(statistic="x", timestamp=NOON, scalar=1)
        with contextlib.suppress(IntegrityError):
            Scalar.objects.create(statistic="x")

    guarded = DjangoStore("Test").guarded()
    with pytest.raises(DatabaseError, match="was caught"), guarded:
        write()
    assert not Scalar.objects.exists()


@pytest.mark.django_db
def test_there_may_be_more_open_windows_than_a_statement_takes_parameters():
    connection.ensure_connection()
    store = DjangoStore("Test")
    store.save_windows([Window(Count, number) for number in range(2000)])
    store.save_kept("10s", {1: b"[]", 5000: b"[]"})
    few = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999
    before = connection.connection.setlimit(*few)
    try:
        store.forget(4000, 0)
    finally:
        connection.connection.setlimit(few[0], before)
    assert KeptMessages.objects.count() == 2


@pytest.mark.django_db
def test_a_full_disk_is_no_failure_of_a_statistic():
    """Its windows would be retried for days, though there is space again."""

    class Large(Count):
        name = "large"
        model = CategorizedLog
        is_full = True

        def update(self):
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA page_count")
                pages = cursor.fetchone()[0]
                cursor.execute(f"PRAGMA max_page_count = {pages if self.is_full else 1_000_000}")
            return [CategorizedLog(category="x", message="x" * 10_000_000)]

    counting = Counting(Large, store=DjangoStore("Test"))
    counting.take(at(1))
    try:
        with pytest.raises(OperationalError, match="full"), transaction.atomic():
            counting.take(idle=100.0)
    finally:
        Large.is_full = False
    counting.restart()
    with transaction.atomic():
        counting.take(idle=100.0)
    assert Large.rows().count() == 1
    assert counting.store.count_failed("large-10s") == 0


def test_messages_without_a_time_are_dead_letters_and_are_counted_once_they_have_one(
    make_statistics,
):
    statistics = make_statistics("lateness = timedelta(0)", plugins=["Count"])
    statistics.send("a", 1)
    statistics.database.put("b", user="ann")
    statistics.database.put("c", timestamp="tomorrow", user="ann")
    statistics.database.put("d", timestamp=1777896000123, user="ann")
    statistics.database.put("e", timestamp="0001-01-01T00:00:00+14:00", user="ann")
    logs = statistics.project.catch_up(code=4)
    assert "it has no 'timestamp'" in statistics.project.manage("ptop_errors", "list").stdout
    for words in ("'tomorrow' is no time", "are these milliseconds?", "the years 1 to 9999"):
        assert words in statistics.project.manage("ptop_errors", "list").stdout, logs
    for number, doc_id in enumerate("bcde"):
        statistics.send(doc_id, 2 + number)
    statistics.send("last", 100)
    worker = statistics.project.start("--all")
    wait_until(lambda: statistics.rows() == {"count-10s": {10: 5}}, 30, lambda: worker.log)
    assert worker.stop() == 0
