"""What fails around a worker, on real servers, real processes and a proxy that does harm."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from dev.proxy import Fault, is_bulk, is_checkpoint, is_page
from tests.couch import Database, Index, call
from tests.projects import wait_until

STEPS = {
    "before a page": ("couch", is_page, False),
    "with a page on its way": ("couch", is_page, True),
    "before a bulk": ("elastic", is_bulk, False),
    "after a bulk": ("elastic", is_bulk, True),
    "before the checkpoint": ("couch", is_checkpoint, False),
    "after the checkpoint": ("couch", is_checkpoint, True),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_loses_nothing(proxied, step):
    where, matches, after = STEPS[step]
    one, couch, elastic = proxied(BATCH_DOCUMENTS=100)
    one.database.fill(950)
    worker = one.project.start("--all")
    (couch if where == "couch" else elastic).faults.append(
        Fault(matches, worker.process.kill, after=after)
    )
    assert worker.wait() == -9
    one.database.delete("doc000001")
    one.database.put("doc000002", n=-2)
    one.project.catch_up()
    assert one.in_step()


FAILING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        return document if document["n"] % 10 else 1 / 0
"""


@pytest.mark.parametrize("step", ["after a bulk", "before the checkpoint", "after the checkpoint"])
def test_a_worker_killed_around_its_dead_letters_loses_none(proxied, step):
    where, matches, after = STEPS[step]
    one, couch, elastic = proxied(FAILING, BATCH_DOCUMENTS=100)
    one.database.fill(450)
    worker = one.project.start("--all")
    (couch if where == "couch" else elastic).faults.append(
        Fault(matches, worker.process.kill, after=after)
    )
    assert worker.wait() == -9
    assert one.project.manage("run_ptop", "--all", "--until-caught-up").returncode == 4
    listed = json.loads(one.project.manage("ptop_errors", "list", "--format=json").stdout)
    failed = {f"doc{n:06}" for n in range(0, 450, 10)}
    assert {letter["doc_id"] for letter in listed} == failed
    revs = one.database.revs()
    assert one.index.revs() == {key: revs[key] for key in revs.keys() - failed}


@pytest.mark.parametrize("step", STEPS)
def test_a_connection_reset_at_any_step_loses_nothing(proxied, step):
    where, matches, after = STEPS[step]
    one, couch, elastic = proxied(BATCH_DOCUMENTS=100)
    one.database.fill(950)
    fault = Fault(matches, lambda: None, after=after, times=2)
    (couch if where == "couch" else elastic).faults.append(fault)
    one.project.catch_up()
    assert fault.times <= 1
    assert one.in_step()


def test_elasticsearch_killed_and_started_again(setup, database, search_server, index_name):
    index = Index(search_server.url, index_name)
    one = setup(ELASTICSEARCH_URL=search_server.url)
    one.index = index
    database.fill(500)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    search_server.kill()
    database.fill(500, prefix="while-down-")
    worker.wait_for("cannot be reached")
    search_server.start()
    one.wait_until_in_step()
    assert worker.stop() == 0


def test_couchdb_killed_and_started_again(setup, couch_server):
    call("PUT", f"{couch_server.url}/orders")
    database = Database(f"{couch_server.url}/orders")
    one = setup(PILLOW_OF_ORDERS, COUCHDB_URL=couch_server.url)
    one.database = database
    database.fill(500)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    couch_server.kill()
    worker.wait_for("cannot be reached")
    couch_server.start()
    database.put("after", n=1)
    one.wait_until_in_step()
    assert worker.stop() == 0


PILLOW_OF_ORDERS = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = {alias!r}
"""

RESYNCING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    on_recreated = "resync"
"""


def test_a_stop_while_elasticsearch_is_down_ends_in_time(proxied):
    one, _, elastic = proxied(DRAIN_SECONDS=1.0)
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    elastic.faults.append(Fault(is_bulk, lambda: None, times=10**6))
    one.database.put("a", n=1)
    worker.wait_for("tried again")
    assert worker.stop() == 7
    assert "OrderPillow" in worker.log
    status = json.loads(one.project.manage("ptop_status", "--format=json").stdout)
    assert status["pillows"][0]["figures"]["state"] == "running"  # as far as anybody knows
    elastic.faults.clear()
    one.project.catch_up()
    assert one.in_step()


def test_a_second_signal_stops_at_once(proxied):
    one, _, elastic = proxied(DRAIN_SECONDS=1000.0)
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    elastic.faults.append(Fault(is_bulk, lambda: None, times=10**6))
    one.database.put("a", n=1)
    worker.wait_for("tried again")
    worker.process.terminate()
    worker.wait_for("delivers what was read")
    assert worker.stop() == 7


def test_a_recreated_database_halts_and_is_read_again_on_request(setup):
    one = setup()
    one.database.fill(50)
    one.project.catch_up()
    one.database.recreate()
    one.database.put("doc000001", n=-1)
    log = one.project.catch_up(code=3)
    assert "ptop_checkpoint reset OrderPillow" in log
    assert len(one.index.documents()) == 50
    worker = one.project.start("--all")
    worker.wait_for("ptop_checkpoint reset OrderPillow")
    assert worker.wait() == 3
    asked = one.project.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    assert asked.returncode == 0, asked.stderr
    one.project.catch_up()
    assert one.in_step()
    assert one.index.documents().keys() == {"doc000001"}


def test_another_database_into_the_same_index_is_asked_about(setup):
    """As its checkpoint would vouch, later on, for what the other one has overwritten."""
    one = setup()
    one.database.fill(3)
    one.project.catch_up()
    other = Database(f"{one.database.url}-other")
    call("PUT", other.url)
    try:
        other.put("doc000000", n=-1)
        _follow(one, other)
        halted = one.project.manage("run_ptop", "--all", "--until-caught-up")
        assert halted.returncode == 3
        assert f"followed the database {one.database.name!r} before" in halted.stderr
        one.project.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
        one.project.catch_up()
        assert one.index.documents()["doc000000"]["n"] == -1
        _follow(one, one.database)
        assert one.project.manage("run_ptop", "--all", "--until-caught-up").returncode == 3
    finally:
        call("DELETE", other.url)


def _follow(one, database):
    pillows = one.project.folder / "pillows.py"
    source = re.sub("couch_db = .*", f"couch_db = {database.name!r}", pillows.read_text())
    pillows.write_text(source)


def test_a_database_recreated_under_a_running_worker(setup):
    one = setup(RESYNCING)
    one.database.fill(50)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    one.database.recreate()
    one.database.put("other", n=1)
    one.wait_until_in_step()
    assert one.index.documents().keys() == {"other"}
    assert worker.stop() == 0


def test_a_reset_is_obeyed_by_a_running_worker(setup):
    one = setup()
    one.database.fill(20)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    call(
        "DELETE",
        f"{one.index.url}/_doc/doc000003?version={2**62}&version_type=external_gte",
        codes=(404,),
    )
    one.database.put("x", n=1)
    asked = one.project.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    assert asked.returncode == 0
    worker.wait_for("were removed")
    one.database.delete("x")
    wait_until(lambda: "x" not in one.index.documents())
    assert worker.stop() == 0


def test_a_restored_database_is_read_again(setup, couch_server, tmp_path):
    """Its files are put back: it accepts the newer seq and never shows a later change."""
    call("PUT", f"{couch_server.url}/orders")
    database = Database(f"{couch_server.url}/orders")
    one = setup(PILLOW_OF_ORDERS, COUCHDB_URL=couch_server.url)
    one.database = database
    database.fill(100)
    one.project.catch_up()
    couch_server.kill()
    folder, backup = couch_server.folder, tmp_path / "backup"
    shutil.copytree(folder, backup)
    couch_server.start()
    database.fill(100, prefix="lost-")
    database.delete("doc000001")
    one.project.catch_up()
    assert one.in_step()
    couch_server.kill()
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    couch_server.start()
    database.put("after", n=1)
    log = one.project.catch_up()
    assert "restored from a backup" in log
    assert one.in_step()


def test_an_index_made_anew_is_filled_from_0(setup):
    one = setup()
    one.database.fill(60)
    one.project.catch_up()
    (name,) = call("GET", one.index.url)
    call("DELETE", f"{one.index.server}/{name}")
    log = one.project.catch_up()
    assert "made anew" in log
    assert one.in_step()


def test_an_index_deleted_under_a_running_worker_is_not_made_by_accident(setup):
    one = setup()
    one.database.fill(20)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    (name,) = call("GET", one.index.url)
    call("DELETE", f"{one.index.server}/{name}")
    one.database.put("a", n=1)
    assert worker.wait() == 3
    assert not one.index.exists()
    one.project.catch_up()
    assert one.in_step()


def test_what_django_has_forgotten_is_taken_over_from_couchdb(setup):
    one = setup()
    one.database.fill(20)
    one.project.catch_up()
    token = one.database.local("pillowtop-OrderPillow")["token"]
    (one.project.folder / "db.sqlite3").unlink()
    one.project.migrate()
    one.database.put("a", n=1)
    assert "starts at its checkpoint" in one.project.catch_up()
    assert one.database.local("pillowtop-OrderPillow")["token"] == token + 1
    assert one.in_step()


def test_a_changed_filter_asks(setup):
    one = setup()
    one.database.put_many(
        [{"_id": "_design/orders", "filters": {"paid": "function(doc) { return doc.paid; }"}}]
    )
    one.database.put("a", paid=True)
    one.project.catch_up()
    source = (one.project.folder / "pillows.py").read_text()
    (one.project.folder / "pillows.py").write_text(source + '    couch_filter = "orders/paid"\n')
    assert "ptop_checkpoint accept OrderPillow" in one.project.catch_up(code=3)
    asked = one.project.manage("ptop_checkpoint", "accept", "OrderPillow", text="yes\n")
    assert asked.returncode == 0, asked.stderr
    one.database.put("b", paid=True)
    one.database.put("c", paid=False)
    one.project.catch_up()
    assert one.index.documents().keys() == {"a", "b"}


# Somebody locks the Django database when all is delivered, and the dead letters are to be counted.
LOCKING = """
import pathlib
import sqlite3
import threading
from pillowtop.listener import AliasedElasticPillow
from pillowtop.worker.launcher import Launcher

verdict = Launcher._verdict

def locked(self):
    file = pathlib.Path(__file__).parent / "db.sqlite3"
    books = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    books.execute("BEGIN EXCLUSIVE")
    threading.Timer(7, books.close).start()
    return verdict(self)

Launcher._verdict = locked

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
"""


def test_a_database_that_is_locked_at_the_end_of_a_run_until_caught_up(setup):
    one = setup(LOCKING)
    one.database.put("a")
    assert "database is locked (tried again until it works)" in one.project.catch_up()
