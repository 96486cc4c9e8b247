"""Two processes for one pillow: one runs it, the other stands by."""

from __future__ import annotations

import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from dev.proxy import Fault, is_bulk
from tests.couch import call
from tests.projects import wait_until
from tests.worker.conftest import PILLOW, QUICK, Setup
from tests.worker.test_bad_input import STRICT, letters

FOLLOWS = "follows"
STANDS_BY = "runs this pillow"
SECONDS = 2.0

BLOCKING = """
import os
import time
from gevent.monkey import get_original
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        if document.get("long") and "BLOCKS" in os.environ:
            get_original("time", "sleep")(document["long"])
        return document
"""

TWO = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

class OtherPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r} + "-other"
"""

# A process of another machine, to whoever asks.
FAR = """
import pillowtop.worker.processes as processes
processes._machine = lambda: "another machine"
"""


@pytest.fixture
def one(setup):
    one = setup(LEASE_SECONDS=SECONDS)
    one.database.put("a")
    return one


def two(one, **environment):
    """A worker, in that environment, and another one that stands by."""
    first = one.project.start("--all", env=environment)
    first.wait_for(FOLLOWS)
    second = one.project.start("--all")
    second.wait_for(STANDS_BY)
    assert FOLLOWS not in second.log
    return first, second


def test_the_other_takes_over_at_once_after_a_clean_stop(one):
    first, second = two(one)
    one.wait_until_in_step()
    assert first.stop() == 0
    one.database.put("b")
    second.wait_for(FOLLOWS)
    one.wait_until_in_step()
    assert second.stop() == 0


def test_the_other_takes_over_at_once_after_a_kill_on_the_same_machine(one):
    one.reconfigure(LEASE_SECONDS=3600.0)
    first, second = two(one)
    first.stop(signal.SIGKILL)
    one.database.put("b")
    second.wait_for(FOLLOWS)
    one.wait_until_in_step()
    assert second.stop() == 0


def test_a_process_of_another_machine_takes_over_when_the_term_is_over(one):
    first = one.project.start("--all")
    first.wait_for(FOLLOWS)
    pillows = one.project.folder / "pillows.py"
    pillows.write_text(FAR + pillows.read_text())
    second = one.project.start("--all")
    second.wait_for(STANDS_BY)
    first.stop(signal.SIGKILL)
    one.database.put("b")
    second.wait_for(FOLLOWS)
    one.wait_until_in_step()
    assert second.stop() == 0


def test_a_process_that_slept_saves_nothing_more_and_stands_by(one):
    first, second = two(one)
    one.project.pause(first)
    one.database.put("b")
    second.wait_for(FOLLOWS)
    one.wait_until_in_step()
    saved = one.database.local("pillowtop-OrderPillow")["token"]
    first.process.send_signal(signal.SIGCONT)
    first.wait_for("stands by: ")
    one.database.put("c")
    one.wait_until_in_step()
    assert one.database.local("pillowtop-OrderPillow")["token"] == saved
    assert second.stop() == 0
    first.wait_for(FOLLOWS, times=2)
    one.database.put("d")
    one.wait_until_in_step()
    assert first.stop() == 0


class Hold:
    """Keeps the reply to a request back, until it is let go."""

    def __init__(self, proxy, matches):
        self._has_come, goes_on = threading.Event(), threading.Event()
        self.let_go = goes_on.set
        proxy.faults.append(Fault(matches, lambda: self._hold(goes_on), after=True, reset=False))

    def _hold(self, goes_on):
        self._has_come.set()
        goes_on.wait(60)

    def wait(self):
        assert self._has_come.wait(60)


def waits_to_be_read_from(port):
    """Whether a connection to a port has brought something that nobody has read yet."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        remote.endswith(f":{port:04X}") and not queues.endswith(":00000000")
        for _, _, remote, _, queues, *_ in lines
    )


def test_a_reply_that_comes_to_the_former_holder_clears_no_letter(proxied):
    one, _, elastic = proxied(STRICT, LEASE_SECONDS=SECONDS)
    one.database.put("other", n="bad")
    first = one.project.start("--all")
    wait_until(lambda: letters(one))
    bulk = Hold(elastic, is_bulk)
    one.database.put("a", n=1)
    bulk.wait()
    one.project.pause(first)
    second = one.project.start("--all")
    second.wait_for(FOLLOWS)
    one.database.put("a", n="bad")
    wait_until(lambda: len(letters(one)) > 1)
    bulk.let_go()
    wait_until(lambda: waits_to_be_read_from(elastic.port))
    first.process.send_signal(signal.SIGCONT)
    # Whichever it sees first: that its lease is gone, or the other one's checkpoint.
    wait_until(lambda: STANDS_BY in first.log or first.process.poll() == 6)
    assert [row["doc_id"] for row in letters(one)] == ["a", "other"]
    assert second.stop() == 0


def test_a_start_that_takes_longer_than_the_lease_stops_nobody(proxied):
    one, _, elastic = proxied(LEASE_SECONDS=SECONDS)
    look = Hold(elastic, lambda request: request.method == "GET")
    first = one.project.start("--all")
    look.wait()
    one.project.pause(first)
    one.database.put("a")
    second = one.project.start("--all")
    one.wait_until_in_step()
    look.let_go()
    first.process.send_signal(signal.SIGCONT)
    first.wait_for(STANDS_BY)
    one.database.put("b")
    one.wait_until_in_step()
    assert second.stop() == 0
    assert "stopped: another process" not in second.log


def test_a_pillow_that_has_ended_is_free_while_others_of_its_process_go_on(setup):
    one = setup(TWO)
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.OtherPillow"])
    one.database.put("a")
    first, second = two(one)
    one.wait_until_in_step()
    saved = one.database.local("pillowtop-OrderPillow")
    saved = {**saved, "token": saved["token"] + 1, "generation": saved["generation"] + 1}
    call("PUT", f"{one.database.url}/_local/pillowtop-OrderPillow", saved)
    one.database.put("b")
    first.wait_for("OrderPillow: stopped: another process has started this pillow")
    second.wait_for(f"OrderPillow: {FOLLOWS}")
    one.database.put("c")
    one.wait_until_in_step()
    assert f"OtherPillow: {FOLLOWS}" not in second.log


def test_a_database_that_takes_no_writes_for_a_while(
    make_project, database, index, postgresql_url, postgresql_database
):
    settings = {"COUCHDB_URL": database.server, "ELASTICSEARCH_URL": index.server, **QUICK}
    source = PILLOW.format(database=database.name, alias=index.url.rpartition("/")[2])
    project = make_project(settings, ["pillows.OrderPillow"], source, database=postgresql_database)
    one = Setup(project, database, index, settings)
    worker = project.start("--all")
    worker.wait_for(FOLLOWS)
    name = postgresql_database["NAME"]
    with psycopg.connect(f"{postgresql_url}/{name}", autocommit=True) as books:

        def alter(words):
            books.execute(f"ALTER DATABASE {name} {words}")
            books.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        def beat():
            (row,) = books.execute("SELECT beat FROM pillowtop_pillowrecord").fetchall()
            return row[0]

        alter("SET default_transaction_read_only = on")
        database.put("a")
        worker.wait_for("in a read-only transaction (tried again until it works)")
        before = beat()
        alter("RESET default_transaction_read_only")
        one.wait_until_in_step()
        wait_until(lambda: beat() > before + 2)
    assert worker.stop() == 0
    assert "crashed" not in worker.log
    assert "failed with" not in worker.log


def test_the_table_of_leases_is_lost(one):
    first, second = two(one)
    with closing(sqlite3.connect(one.project.folder / "db.sqlite3", timeout=30)) as books, books:
        books.execute("DELETE FROM pillowtop_pillowrecord")
    one.database.put("b")
    one.wait_until_in_step()
    workers = first, second
    wait_until(lambda: sum(one.log.count(FOLLOWS) for one in workers) >= 2)
    one.database.put("c")
    one.wait_until_in_step()
    for worker in workers:
        assert worker.stop() == 0
    one.project.catch_up()
    assert one.in_step()


def test_a_stop_of_a_process_that_has_lost_its_lease_is_a_clean_one(setup):
    one = setup(LEASE_SECONDS=3600.0, CHECKPOINT_SECONDS=3600.0)
    one.database.put("a")
    worker = one.project.start("--all")
    one.wait_until_in_step()
    with closing(sqlite3.connect(one.project.folder / "db.sqlite3", timeout=30)) as books, books:
        books.execute("DELETE FROM pillowtop_pillowrecord")
    one.database.put("b")
    one.project.catch_up()
    one.database.put("c")
    one.wait_until_in_step()
    assert worker.stop() == 0
    assert "leaves what is missing to the process that runs this pillow" in worker.log


def test_until_caught_up_beside_another_process(one):
    worker = one.project.start("--all")
    worker.wait_for(FOLLOWS)
    assert STANDS_BY in one.project.catch_up(code=6)
    worker.stop(signal.SIGKILL)
    one.project.catch_up()
    assert one.in_step()


def test_a_hook_that_lets_nobody_else_run_is_named_and_loses_the_lease(setup):
    one = setup(BLOCKING, LEASE_SECONDS=SECONDS)
    first, second = two(one, BLOCKS="1")
    one.database.put("a", long=6)
    first.wait_for("OrderPillow: has let nothing else run for 1 s")
    second.wait_for(FOLLOWS)
    assert "change_transform" in first.log
    one.wait_until_in_step()
    first.stop(signal.SIGKILL)
    assert second.stop() == 0


def test_nothing_is_delivered_while_the_lease_cannot_be_renewed(one):
    worker = one.project.start("--all")
    one.wait_until_in_step()
    books = sqlite3.connect(one.project.folder / "db.sqlite3", timeout=30, isolation_level=None)
    with closing(books):
        books.execute("BEGIN EXCLUSIVE")
        worker.wait_for("the Django database does not answer", seconds=30)
        one.database.put("b")
        books.execute("ROLLBACK")
    one.wait_until_in_step()
    assert worker.stop() == 0
    assert worker.log.count(FOLLOWS) == 1
