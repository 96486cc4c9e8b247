"""The past of a statistic is filled in, while its pillow goes on."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta

import pytest

from pillowtop.stats.intervals import to_microseconds
from pillowtop.stats.models import Scalar
from pillowtop.stats.records import filling
from pillowtop.stats.records.latest import keep_latest
from pillowtop.stats.records.standing import standing
from pillowtop.stats.records.store import DjangoStore
from pillowtop.stats.store import Enrolled
from pillowtop.stats.windows import Window
from tests.projects import UNMEASURED, wait_until
from tests.stats.conftest import on_both
from tests.stats.plugins import Count
from tests.stats.test_tally import NOON, RULES
from tests.stats.test_worker import PATIENT, expected

ARCHIVE = """
import json, pathlib

def archive(since):
    for line in (pathlib.Path(__file__).parent / "archive").read_text().splitlines():
        yield json.loads(line)

def lines(since):
    yield "no document"
"""


class Traffic:
    """Sends messages in a thread, a few at a time."""

    def __init__(self, statistics, seed=3):
        self._statistics = statistics
        self._chance = random.Random(seed)
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._keep_sending)
        self.sent = []

    def send(self, count):
        messages = [
            (
                f"m{len(self.sent) + number}",
                self._chance.randrange(900),
                f"u{self._chance.randrange(20)}",
            )
            for number in range(count)
        ]
        self.sent += messages
        self._statistics.send_all(messages)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stops.set()
        self._thread.join()

    def _keep_sending(self):
        while not self._stops.wait(0.1):
            self.send(self._chance.randrange(1, 20))


def fill_in(statistics, *args):
    result = statistics.project.manage("ptop_stats_backfill", *args, seconds=200.0)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def finish(statistics, sent):
    """Close all windows; returns the rows."""
    statistics.send("last", 3 * 3600)
    statistics.project.catch_up()
    assert statistics.progress()["Messages"]["counted"] == len(sent) + 1
    return statistics.rows()


@on_both
def test_a_new_statistic_gets_its_past_while_messages_come(make_statistics):
    statistics = make_statistics(PATIENT, BATCH_DOCUMENTS=50, plugins=["Count"])
    traffic = Traffic(statistics)
    traffic.send(800)
    statistics.project.catch_up()
    statistics.have_plugins("Count", "Users", "Names")
    worker = statistics.project.start("--all")
    worker.wait_for("users-1m lacks its past")
    with traffic:
        said = fill_in(statistics, "users-1m").stderr
        fill_in(statistics, "names-10s")
    assert "ERROR" not in said, said
    assert worker.stop() == 0
    assert finish(statistics, traffic.sent) == expected(traffic.sent)
    assert list(statistics.progress()) == ["Messages"]
    left = statistics.ask(
        "from pillowtop import models as m; print(json.dumps([row.pillow for t in "
        "(m.Position, m.PastPosition, m.PillowStatus) for row in t.objects.all()]))"
    )
    assert set(left) == {"Messages"}


def test_what_was_filled_in_appears_though_nothing_comes(make_statistics):
    statistics = make_statistics("lateness = timedelta(seconds=1)", plugins=["Count"])
    sent = [(f"m{number}", number, "ann") for number in range(0, 100, 10)]
    statistics.send_all([*sent, ("last", 3600, "ann")])
    statistics.project.catch_up()
    statistics.have_plugins("Count", "Names")
    worker = statistics.project.start("--all")
    worker.wait_for("names-10s lacks its past")
    worker.wait_for("caught up")
    wait_until(lambda: len(statistics.rows()["count-10s"]) == len(sent) + 1)
    fill_in(statistics, "names-10s")
    wait_until(lambda: len(statistics.rows().get("names-10s", {})) == len(sent) + 1)
    assert worker.stop() == 0


def test_a_backfill_that_was_begun_by_another_version_begins_anew(make_statistics):
    statistics = make_statistics(PATIENT, BATCH_DOCUMENTS=20, plugins=["Count"])
    sent = [(f"m{number}", number % 900, "ann") for number in range(3000)]
    statistics.send_all(sent)
    statistics.project.catch_up()
    fill = statistics.project.begin("ptop_stats_backfill", "count-10s")

    def has_half():
        fillers = [one for name, one in statistics.progress().items() if "@" in name]
        return fillers and fillers[0]["counted"]

    wait_until(has_half, what=lambda: fill.log)
    fill.process.kill()
    fill.wait()
    source = statistics.project.folder / "pillows.py"
    text = source.read_text().replace('name = "count"', 'name = "count"\n    version = 2')
    source.write_text(text.replace("self.count += 1", "self.count += 1000"))
    statistics.project.catch_up()
    fill_in(statistics, "count-10s")
    rows = finish(statistics, sent)["count-10s"]
    assert rows == {end: 1000 * count for end, count in expected(sent)["count-10s"].items()}


@pytest.mark.django_db
def test_of_two_who_run_one_backfill_the_second_is_told():
    DjangoStore("Messages").save_enrolled(Enrolled("count-10s", 1))
    one, other = (filling.begin("Messages", Count, f"Messages@{n}", 0) for n in range(2))
    assert one == other
    filling.ask(one)
    filling.take_over(one, Count, RULES, tolerant=True)
    for step in (
        lambda: filling.ask(other),
        lambda: filling.is_gathering(other),
        lambda: filling.take_over(other, Count, RULES, tolerant=True),
    ):
        with pytest.raises(filling.Superseded, match="another process has finished"):
            step()


class Latest(Count):
    """Heeds the rows of other windows."""

    @classmethod
    def store(cls, windows):
        for end, rows in windows.items():
            keep_latest(cls, end, rows)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "left"), [(Count, [20, 30]), (Latest, [20])])
def test_rows_that_others_are_compared_with_do_not_outlive_a_backfill(kind, left):
    DjangoStore("Messages").save_enrolled(Enrolled("count-10s", 1))
    for second in (20, 30):
        at = NOON + timedelta(seconds=second)
        Scalar.objects.create(statistic="count-10s", timestamp=at, scalar=1)
    since, end = (to_microseconds(NOON + timedelta(seconds=second)) for second in (20, 30))
    backfill = filling.begin("Messages", kind, "Messages@1", since)
    DjangoStore("Messages@1").save_windows([Window(kind, end)])
    filling.take_over(backfill, kind, RULES, tolerant=True)
    times = Scalar.objects.order_by("timestamp").values_list("timestamp", flat=True)
    assert [(at - NOON).total_seconds() for at in times] == left


@pytest.mark.django_db
def test_a_backfill_that_was_left_behind_is_listed():
    DjangoStore("Messages").save_enrolled(Enrolled("count-10s", 1))
    backfill = filling.begin("Messages", Count, "Messages@1", 0)
    assert standing("Messages", Count).is_well
    filling.ask(backfill)
    assert not standing("Messages", Count).is_well


@on_both
def test_a_backfill_killed_at_random_goes_on_where_it_was(make_statistics):
    statistics = make_statistics(PATIENT, BATCH_DOCUMENTS=50, plugins=["Count", "Users", "Names"])
    traffic, chance = Traffic(statistics), random.Random(8)
    traffic.send(1500)
    statistics.project.catch_up()
    with traffic:
        for number in range(6):
            worker = statistics.project.start("--all", env=UNMEASURED)
            fill = statistics.project.begin("ptop_stats_backfill", "users-1m", env=UNMEASURED)
            time.sleep(chance.uniform(1.0, 3.0))  # not to wait for anything: to be killed anywhere
            for one in (fill, worker) if number % 2 else (worker, fill):
                one.process.kill()
                one.wait()
        fill_in(statistics, "users-1m")
    assert finish(statistics, traffic.sent) == expected(traffic.sent)


REVERTING = """
class Reverting(Count):
    name = "reverting"

    @classmethod
    def revert(cls, start, stop):
        raise ZeroDivisionError("revert")
"""


def test_a_plugin_that_fails_at_removing_rows_is_named(make_statistics):
    statistics = make_statistics("lateness = timedelta(0)", REVERTING, ["Reverting"])
    statistics.send("a", 1)
    statistics.send("last", 100)
    statistics.project.catch_up()
    statistics.database.delete("a")
    result = statistics.project.manage("ptop_stats_backfill", "reverting-10s", seconds=200.0)
    assert result.returncode == 4
    assert "its plugin failed at that: ZeroDivisionError: revert (pillows.py, line" in result.stderr
    assert "Traceback" not in result.stderr


def test_rows_of_windows_before_since_stay_and_all_others_are_made_anew(make_statistics):
    statistics = make_statistics(PATIENT)
    sent = [("a", 5, "ann"), ("b", 65, "ann"), ("c", 70, "bob"), ("d", 125, "ann")]
    statistics.send_all(sent)
    finish(statistics, sent)
    statistics.run(
        "from pillowtop.stats.models import Scalar; Scalar.objects.update(scalar=99); "
        "r = Scalar.objects.first(); r.pk = None; r.statistic = 'users-1m'; "
        "r.timestamp = r.timestamp.replace(hour=20); r.save()"
    )
    fill_in(statistics, "users-1m", "--since", "2026-05-04T12:01:00Z")
    assert statistics.rows()["users-1m"] == {60: 99, 120: 2, 180: 1}


def test_messages_that_the_database_has_lost_come_from_elsewhere(make_statistics):
    statistics = make_statistics(PATIENT, more=ARCHIVE)
    sent = [(f"m{number}", number * 7, f"u{number % 3}") for number in range(100)]
    statistics.send_all(sent)
    statistics.archive()
    for number in range(50):
        statistics.database.delete(f"m{number}")
    statistics.have_plugins("Count")
    finish(statistics, sent[50:])
    statistics.have_plugins("Count", "Users")
    statistics.project.catch_up()
    fill_in(statistics, "users-1m", "--history", "pillows.archive")
    assert statistics.rows()["users-1m"] == expected(sent)["users-1m"]


def test_a_plugin_that_the_running_code_does_not_have_is_refused(make_statistics):
    statistics = make_statistics(plugins=["Count"])
    statistics.send("a", 1)
    worker = statistics.project.start("--all")
    worker.wait_for("caught up")
    statistics.have_plugins("Count", "Users")
    result = statistics.project.manage("ptop_stats_backfill", "users-1m")
    assert result.returncode == 3
    assert "start it again with the code that this command has" in result.stderr


def test_nor_one_that_it_has_left_out_for_a_while(make_statistics):
    statistics = make_statistics(plugins=["Count", "Users"])
    statistics.send("a", 1)
    statistics.project.catch_up()
    statistics.have_plugins("Count")
    worker = statistics.project.start("--all")
    worker.wait_for("caught up")
    statistics.have_plugins("Count", "Users")
    result = statistics.project.manage("ptop_stats_backfill", "users-1m")
    assert result.returncode == 3, result.stderr
    assert "start it again with the code that this command has" in result.stderr
    assert worker.stop() == 0
    fill_in(statistics, "users-1m")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["user-1m"], "no statistic is called 'user-1m' (did you mean 'users-1m'?)"),
        (["users-1m", "--since", "yesterday"], "no time as ISO 8601 writes it"),
        (["users-1m", "--since", "9998-01-01"], "9998-01-01 is still to come"),
        (["users-1m", "--history", "pillows.nothing"], "nothing"),
        (["users-1m", "--history", "pillows.Scalar.objects.x"], "pillows"),
        (["users-1m", "--history", "pillows.lines"], "history:pillows.lines gives 'no document'"),
    ],
)
def test_what_cannot_be_filled_in_is_said(make_statistics, args, words):
    statistics = make_statistics(more=ARCHIVE)
    result = statistics.project.manage("ptop_stats_backfill", *args, seconds=200.0)
    assert result.returncode in (2, 3)
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_plugin_of_another_version_lacks_its_past_until_it_is_filled_in(make_statistics):
    statistics = make_statistics(PATIENT)
    sent = [("a", 5, "ann"), ("b", 65, "bob")]
    statistics.send_all(sent)
    finish(statistics, sent)
    source = statistics.project.folder / "pillows.py"
    text = source.read_text()
    source.write_text(
        text.replace('name = "users"', 'name = "users"\n    version = 2').replace(
            "scalar=len(self.users)", "scalar=100"
        )
    )
    logs = statistics.project.catch_up()
    assert "its rows are of version 1, and it is of version 2" in logs
    fill_in(statistics, "users-1m")
    wait_until(lambda: statistics.rows()["users-1m"] == {60: 100, 120: 100}, 10)
