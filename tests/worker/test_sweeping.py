"""What stands in an index from before everything was read again."""

from __future__ import annotations

import json
import shutil

import pytest

from dev.proxy import Fault, Proxy
from tests.couch import Database, call
from tests.projects import wait_until

RESET = ("ptop_checkpoint", "reset", "OrderPillow", "--noinput")

FRENCH = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def python_filter(self, document):
        return document.get("country") == "FR"
"""

RENAMING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def index_id(self, change):
        return "v1-" + change["doc"]["_id"] if "doc" in change else "v1-" + change.id
"""

OF_ORDERS = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = {alias!r}
"""


def reset(one):
    asked = one.project.manage(*RESET)
    assert asked.returncode == 0, asked.stderr


def rewrite_pillow(one, old, new):
    path = one.project.folder / "pillows.py"
    path.write_text(path.read_text().replace(old, new))


def is_lookup(request):
    return request.method == "POST" and request.path.endswith("/_all_docs")


@pytest.fixture
def proxied(setup, database):
    with Proxy(database.server) as proxy:
        yield setup(COUCHDB_URL=proxy.url), proxy


def make_old(one):
    """Have the documents of the index be of a life before the replay, and not written in it."""
    for doc_id in one.database.revs():
        source = call("GET", f"{one.index.url}/_doc/{doc_id}")["_source"]
        copy = {**source, "pillowtop": {**source["pillowtop"], "id": f"gone-{doc_id}"}}
        call("PUT", f"{one.index.url}/_doc/gone-{doc_id}?version=1&version_type=external", copy)


@pytest.mark.parametrize(
    "rows",
    [
        lambda keys: [],
        lambda keys: [{"key": key, "error": "timeout"} for key in keys],
        lambda keys: [{"key": key, "error": "not_found"} for key in keys[1:]],
    ],
    ids=["nothing", "errors", "one missing"],
)
def test_nothing_is_removed_unless_the_database_says_so_of_each(proxied, rows):
    one, proxy = proxied
    one.database.fill(5)
    one.project.catch_up()
    make_old(one)
    answered = []

    def spoilt(request, body):
        if is_lookup(request) and len(answered) < 2:
            answered.append(request)
            return json.dumps({"rows": rows(request.json()["keys"])}).encode()
        return body

    proxy.rewrite = spoilt
    reset(one)
    log = one.project.catch_up()
    assert len(answered) == 2
    assert "says" in log
    assert one.in_step()


def test_a_database_recreated_during_the_sweep_keeps_the_index(proxied):
    one, proxy = proxied
    one.database.fill(5)
    one.project.catch_up()
    make_old(one)
    before = one.index.documents().keys()
    proxy.faults.append(Fault(is_lookup, one.database.recreate, reset=False))
    reset(one)
    one.project.catch_up(code=3)
    assert one.index.documents().keys() == before


def test_a_filter_in_python_that_has_changed(setup):
    one = setup(FRENCH)
    for doc_id, country in (("a", "FR"), ("b", "DE"), ("c", "FR")):
        one.database.put(doc_id, country=country)
    one.project.catch_up()
    rewrite_pillow(one, '"FR"', '"DE"')
    reset(one)
    one.project.catch_up()
    assert one.index.documents().keys() == {"b"}


def test_a_filter_in_couchdb_that_has_changed(setup):
    one = setup()
    one.database.put("a", kind="x")
    one.database.put("b", kind="y")
    one.project.catch_up()
    path = one.project.folder / "pillows.py"
    path.write_text(
        path.read_text()
        + '    couch_filter = "_selector"\n    extra_args = {"selector": {"kind": "y"}}\n'
    )
    assert "reset OrderPillow" in one.project.catch_up(code=3)
    reset(one)
    one.project.catch_up()
    assert one.index.documents().keys() == {"b"}


def test_ids_in_the_index_that_have_changed(setup):
    one = setup(RENAMING)
    one.database.put("a", n=1)
    one.project.catch_up()
    rewrite_pillow(one, "v1-", "v2-")
    reset(one)
    one.project.catch_up()
    assert one.index.documents().keys() == {"v2-a"}


def test_both_memories_of_a_time_before_the_index(setup, couch_server, tmp_path):
    """CouchDB and the Django database are restored together, and agree with one another."""
    call("PUT", f"{couch_server.url}/orders")
    one = setup(OF_ORDERS, COUCHDB_URL=couch_server.url)
    one.database = Database(f"{couch_server.url}/orders")
    one.database.fill(5)
    one.project.catch_up()
    couch_server.kill()
    folder, sqlite = couch_server.folder, one.project.folder / "db.sqlite3"
    shutil.copytree(folder, tmp_path / "couch-backup")
    shutil.copy(sqlite, tmp_path / "django-backup")
    couch_server.start()
    for number in range(3):
        one.database.put("doc000001", n=100 + number)
        one.database.put(f"extra{number}", n=1)
        one.project.catch_up()
    couch_server.kill()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "couch-backup", folder)
    shutil.copy(tmp_path / "django-backup", sqlite)
    couch_server.start()
    one.database.put("doc000001", n=777)
    log = one.project.catch_up()
    assert "of a later life than is remembered" in log
    assert one.in_step()


def test_a_reset_of_a_pillow_that_is_halted_is_no_reason_to_stop_it_later(setup):
    """Its state must not stay halted: the launcher would think that nobody is left."""
    one = setup()
    (one.project.folder / "pillows.py").write_text(
        (one.project.folder / "pillows.py").read_text()
        + "\nclass Other(OrderPillow):\n    es_alias = OrderPillow.es_alias + '-other'\n"
    )
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.Other"])
    one.database.put("a", n=1)
    worker = one.project.start("--all")
    worker.wait_for("caught up", times=2)
    (name,) = call("GET", one.index.url)
    call("DELETE", f"{one.index.server}/{name}")
    one.database.put("b", n=1)
    worker.wait_for("OrderPillow: stopped")
    reset(one)
    one.wait_until_in_step()
    other = f"{one.index.url}-other"
    (name,) = call("GET", other)
    call("DELETE", f"{one.index.server}/{name}")
    one.database.put("c", n=1)
    worker.wait_for("Other: stopped")
    one.database.put("d", n=1)
    wait_until(lambda: "d" in one.index.revs())
    assert worker.stop() == 0
