"""From a database into statistics: exactly once, whatever happens to the worker."""

from __future__ import annotations

import random
import re
import time
import urllib.request
from collections import Counter

from tests.projects import UNMEASURED, wait_until
from tests.stats.conftest import on_both

PATIENT = "lateness = timedelta(hours=1)"


def expected(sent):
    """The rows of the three statistics for (id, seconds, user) of each message."""
    tens, minutes = Counter(), {}
    for _id, seconds, user in sent:
        tens[seconds // 10 * 10 + 10] += 1
        minutes.setdefault(seconds // 60 * 60 + 60, set()).add(user)
    return {
        "count-10s": dict(tens),
        "names-10s": dict(tens),
        "users-1m": {end: len(users) for end, users in minutes.items()},
    }


@on_both
def test_a_worker_killed_at_random_makes_the_rows_of_an_undisturbed_one(make_statistics):
    statistics = make_statistics(PATIENT, BATCH_DOCUMENTS=50)
    chance, sent = random.Random(5), []

    def send(count):
        docs = []
        for _ in range(count):
            one = f"m{len(sent)}", chance.randrange(900), f"u{chance.randrange(20)}"
            sent.append(one)
            docs.append(one)
        statistics.send_all(docs)

    send(1500)
    for _ in range(6):
        send(60)
        worker = statistics.project.start("--all", env=UNMEASURED)
        worker.wait_for("follows")
        send(60)
        time.sleep(chance.uniform(0.0, 0.5))  # not to wait for anything: to be killed anywhere
        worker.process.kill()
        worker.wait()
    statistics.send("last", 3 * 3600)
    statistics.project.catch_up()
    assert statistics.rows() == expected(sent)
    assert statistics.progress()["Messages"]["counted"] == len(sent) + 1


@on_both
def test_by_the_clock_rows_appear_while_nothing_comes(make_statistics):
    statistics = make_statistics("lateness = timedelta(seconds=1)")
    worker = statistics.project.start("--all")
    worker.wait_for("caught up")
    statistics.send("a", 8)
    statistics.send("b", 9)
    wait_until(lambda: statistics.rows().get("count-10s") == {10: 2}, 30, lambda: worker.log)
    assert worker.stop() == 0


def test_what_became_of_messages_is_shown_and_scraped(make_statistics):
    statistics = make_statistics()
    statistics.send("a", 1)
    statistics.send("b", 100)
    worker = statistics.project.start("--all", "--status-bind=127.0.0.1:0")
    worker.wait_for("serves /live")
    port = re.search(r"127\.0\.0\.1:(\d+)", worker.log)[1]

    def scraped():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.read().decode()

    line = 'pillowtop_counts_total{pillow="Messages",what="counted"} 2.0'
    wait_until(lambda: line in scraped(), 30, scraped)
    wait_until(lambda: "2 counted" in statistics.project.manage("ptop_status").stdout, 30)
    assert worker.stop() == 0
