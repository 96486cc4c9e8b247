"""`ptop_status`, from what real workers report while real servers are there, or are not."""

from __future__ import annotations

import json
import socket

import pytest

from dev.proxy import Fault, is_bulk
from tests.couch import Database, Index, call
from tests.projects import wait_until
from tests.worker.conftest import QUICK
from tests.worker.test_faults import PILLOW_OF_ORDERS

REFUSING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        raise ValueError("of no use")
"""

CRASHING = """
import pathlib
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def get_transport(self):
        if pathlib.Path("broken").exists():
            raise RuntimeError("a broken release")
        return super().get_transport()
"""


IDLE = """
from pillowtop.listener import BasicPillow

class OrderPillow(BasicPillow):
    couch_db = "http://127.0.0.1:1/orders"

    def change_transport(self, document):
        pass
"""


def asked(one, *args):
    """Exit code and JSON of `ptop_status`."""
    result = one.project.manage("ptop_status", "--format=json", *args)
    assert result.returncode in (0, 4), result.stderr
    return result.returncode, json.loads(result.stdout)


def figures(one):
    return asked(one)[1]["pillows"][0]["figures"]


def words(one):
    """What is wrong with the pillow, all in one text."""
    code, status = asked(one)
    assert status["healthy"] is (code == 0)
    found = [*status["problems"], *(p for one in status["pillows"] for p in one["problems"])]
    assert all(problem["do"] for problem in found)
    return " ".join(f"{problem['what']}: {problem['do']}" for problem in found)


def wait_for_words(one, *expected):
    def said():
        now = words(one)
        return all(part in now for part in expected)

    wait_until(said, what=lambda: f"{expected} in: {words(one)}")


def wait_until_healthy(one):
    """Nothing is wrong, and the pillow runs: nothing is wrong with one that starts, either."""
    wait_until(
        lambda: not words(one) and figures(one)["state"] == "running", what=lambda: words(one)
    )


def test_a_pillow_that_is_caught_up(setup):
    one = setup()
    one.database.fill(300)
    one.database.delete("doc000007")
    worker = one.project.start("--all")
    one.wait_until_in_step()
    wait_until(lambda: figures(one)["caught_up"] and figures(one)["pending_changes"] == 0)
    shown = figures(one)
    assert shown["state"] == "running"
    assert shown["position"] == shown["checkpoint"] is not None
    assert shown["behind_seconds"] == shown["batches_in_flight"] == shown["dead_letters"] == 0
    assert (shown["changes"], shown["delivered"], shown["deleted"]) == (300, 300, 1)
    assert shown["process"].endswith(f":{worker.process.pid}")
    assert asked(one)[0] == 0
    text = one.project.manage("ptop_status", "OrderPillow")
    assert text.returncode == 0
    assert "caught up" in text.stdout
    assert worker.stop() == 0
    assert "has ended as it should" in words(one)


def test_a_pillow_that_was_never_run(setup):
    assert "has ever reported" in words(setup())


def test_a_name_that_is_none(setup):
    result = setup().project.manage("ptop_status", "OrderPilow")
    assert result.returncode == 3
    assert "did you mean 'OrderPillow'?" in result.stderr


def test_a_worker_that_was_killed(setup):
    one = setup()
    worker = one.project.start("--all")
    wait_until_healthy(one)
    worker.process.kill()
    wait_for_words(one, "no worker reports", "start it: manage.py run_ptop")


@pytest.mark.parametrize("called", ["CouchDB", "Elasticsearch"])
def test_a_server_that_hangs_while_there_is_nothing_to_do(proxied, called):
    one, couch, elastic = proxied()
    proxy = couch if called == "CouchDB" else elastic
    one.database.fill(10)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    wait_until_healthy(one)
    proxy.hang()
    wait_for_words(
        one, "has waited for", f"{called} at", f"127.0.0.1:{proxy.port}", "see that it runs"
    )
    proxy.go_on()
    wait_until_healthy(one)
    assert worker.stop() == 0


def test_a_bulk_that_is_not_answered(proxied):
    one, _, elastic = proxied()
    one.project.start("--all")
    wait_until_healthy(one)
    held = Fault(is_bulk, elastic.hang, reset=False)
    elastic.faults.append(held)
    one.database.fill(10)
    wait_for_words(one, f"Elasticsearch at 127.0.0.1:{elastic.port} has not answered")
    shown = figures(one)
    assert (shown["batches_in_flight"], shown["documents_in_flight"]) == (1, 10)
    assert shown["batch_age_seconds"] > 0
    # Which it counts as for a while, whatever request is the first to have waited for too long.
    wait_until(lambda: not figures(one)["caught_up"])
    elastic.go_on()
    wait_until_healthy(one)
    one.wait_until_in_step()


def test_couchdb_is_gone_and_comes_back(setup, couch_server):
    call("PUT", f"{couch_server.url}/orders")
    one = setup(PILLOW_OF_ORDERS, COUCHDB_URL=couch_server.url)
    one.database = Database(f"{couch_server.url}/orders")
    one.project.start("--all")
    wait_until_healthy(one)
    couch_server.kill()
    wait_for_words(one, "CouchDB at 127.0.0.1:", "cannot be reached", "see that it runs")
    couch_server.start()
    wait_until_healthy(one)


def test_elasticsearch_is_gone_while_there_is_nothing_to_do(setup, search_server, index_name):
    one = setup(ELASTICSEARCH_URL=search_server.url)
    one.index = Index(search_server.url, index_name)
    one.project.start("--all")
    wait_until_healthy(one)
    search_server.kill()
    wait_for_words(one, "Elasticsearch at 127.0.0.1:", "cannot be reached", "see that it runs")
    search_server.start()
    wait_until_healthy(one)


def test_an_index_that_was_deleted(setup):
    one = setup()
    one.database.fill(10)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    call("DELETE", f"{one.index.server}/{next(iter(call('GET', one.index.url)))}")
    assert worker.wait() == 3
    assert "is gone" in worker.log


def test_dead_letters(setup):
    one = setup(REFUSING)
    one.database.fill(3)
    one.project.start("--all")
    wait_for_words(one, "3 dead letters", "ptop_errors list --pillow=OrderPillow")
    wait_until(lambda: figures(one)["letters"] == 3)


def test_a_crash_loop(setup):
    one = setup(CRASHING)
    broken = one.project.folder / "broken"
    broken.touch()
    one.project.start("--all")
    wait_for_words(one, "crashed", "times in the last 10 minutes", "RuntimeError: a broken release")
    broken.unlink()
    wait_until(lambda: figures(one)["state"] == "running")


def test_a_database_that_is_not_there(make_project):
    project = make_project({}, ["pillows.OrderPillow"], IDLE)
    (project.folder / "db.sqlite3").unlink()
    (project.folder / "db.sqlite3").mkdir()
    for form in ("text", "json"):
        result = project.manage("ptop_status", f"--format={form}")
        assert result.returncode == 4
        assert "the Django database does not answer" in result.stdout


def test_a_database_that_hangs(make_project):
    with socket.create_server(("127.0.0.1", 0)) as server:
        project = make_project({}, ["pillows.OrderPillow"], IDLE)
        postgres = {"ENGINE": "django.db.backends.postgresql", "NAME": "records",
                    "HOST": "127.0.0.1", "PORT": server.getsockname()[1]}  # fmt: skip
        project._database = postgres
        project.configure({}, ["pillows.OrderPillow"])
        result = project.manage("ptop_status")
    assert result.returncode == 4
    assert "the Django database does not answer: it has said nothing for 5 s" in result.stdout


GARBLED = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        raise ConnectionError("the other side said \\0 and \\ud800")
"""


def test_an_error_message_that_postgresql_would_not_take(
    make_project, database, index, postgresql_database
):
    settings = {"COUCHDB_URL": database.server, "ELASTICSEARCH_URL": index.server, **QUICK}
    source = GARBLED.format(database=database.name, alias=index.url.rpartition("/")[2])
    project = make_project(settings, ["pillows.OrderPillow"], source, database=postgresql_database)
    database.put("a")
    worker = project.start("--all")
    worker.wait_for("the other side said")
    wait_until(lambda: "the other side said" in project.manage("ptop_status").stdout)
