"""A worker whose documents stand in one of several places: months, and countries."""

from __future__ import annotations

import random
import threading
import time

import pytest

from dev.proxy import Fault, is_bulk
from tests.couch import call
from tests.projects import UNMEASURED, wait_until

BY_MONTH = """
from pillowtop.listener import ElasticPillow

class OrderPillow(ElasticPillow):
    couch_db = {database!r}
    es_index = {alias!r}

    def target_for(self, change):
        return f"{{self.es_index}}_{{change.document['month']}}", None
"""

BY_ROUTING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    es_meta = {{"number_of_shards": 5}}
    es_routing = "month"
"""

PILLOWS = {"by month": BY_MONTH, "by routing": BY_ROUTING}
MONTHS = ["08", "09", "10", "11"]
"""As routings the first three lead to one shard, the last to another."""


def places(one):
    """Each document's places: index or routing, by id."""
    call("POST", f"{one.index.url}/_refresh")
    hits = call("POST", f"{one.index.url}/_search", {"size": 10000})["hits"]["hits"]
    found = {}
    for hit in hits:
        place = hit.get("_routing") or hit["_index"].rpartition("_")[2]
        found.setdefault(hit["_id"], []).append(place)
    return found


def wanted(one):
    rows = call("GET", f"{one.database.url}/_all_docs?include_docs=true")["rows"]
    return {row["id"]: [row["doc"]["month"]] for row in rows if row["id"][0] != "_"}


def is_search(request):
    return request.path.endswith("/_search")


def is_removal(request):
    return is_bulk(request) and b'"index":' not in request.body and b'"delete":' in request.body


STEPS = {
    "before the search": (is_search, False),
    "after the search": (is_search, True),
    "before the removal": (is_removal, False),
    "after the removal": (is_removal, True),
}


@pytest.mark.parametrize("pillow", PILLOWS.values(), ids=PILLOWS)
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_between_write_and_removal(proxied, pillow, step):
    matches, after = STEPS[step]
    one, _, elastic = proxied(pillow)
    one.database.fill(30, month="10")
    one.project.catch_up()
    for number in range(10):
        one.database.put(f"doc{number:06}", month="11")
    worker = one.project.start("--all")
    elastic.faults.append(Fault(matches, worker.process.kill, after=after))
    assert worker.wait() == -9
    one.database.delete("doc000001")
    one.database.put("doc000002", month="09")
    one.project.catch_up()
    assert places(one) == wanted(one)


@pytest.mark.parametrize("pillow", PILLOWS.values(), ids=PILLOWS)
def test_a_worker_killed_at_random_while_documents_move(setup, pillow):
    one = setup(pillow, BATCH_DOCUMENTS=20)
    rng = random.Random(20261126)
    is_over = threading.Event()

    def write():
        while not is_over.is_set():
            number = rng.randrange(60)
            doc_id = f"doc{number:06}"
            stored = call("GET", one.database.doc_url(doc_id), codes=(404,))
            if "_rev" in stored and rng.random() < 0.15:
                one.database.delete(doc_id)
            else:
                one.database.put(doc_id, month=rng.choice(MONTHS))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(6):
            worker = one.project.start("--all", env=UNMEASURED)
            worker.wait_for("caught up")
            time.sleep(rng.random())
            worker.process.kill()
            worker.wait()
    finally:
        is_over.set()
        writer.join()
    one.project.catch_up()
    assert places(one) == wanted(one)
    verified = one.project.manage("ptop_verify", "OrderPillow")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def verify(one, *args, code):
    result = one.project.manage("ptop_verify", "OrderPillow", *args)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout


@pytest.mark.parametrize("pillow", PILLOWS.values(), ids=PILLOWS)
def test_a_duplicate_is_found_and_removed(setup, pillow):
    one = setup(pillow)
    name = one.index.url.rpartition("/")[2]
    one.database.fill(4, month="10")
    one.database.put("b", month="11")
    one.project.catch_up()
    source = call("POST", f"{one.index.url}/_search", {"query": {"ids": {"values": ["doc000001"]}}})
    (hit,) = source["hits"]["hits"]
    if pillow is BY_MONTH:
        put, where = f"{one.index.server}/{name}_11/_doc/doc000001", f"in {name}_11"
    else:
        put, where = f"{one.index.url}/_doc/doc000001?routing=z", "by the routing 'z'"
    call("PUT", put, hit["_source"])

    said = verify(one, code=5)
    assert "orphaned 'doc000001': 1-" in said
    assert where in said
    assert "1 orphaned" in said

    worker = one.project.start("--all")
    worker.wait_for("caught up")
    assert "1 were repaired" in verify(one, "--repair", code=0)
    assert worker.stop() == 0
    assert places(one) == wanted(one)


def test_a_document_in_the_wrong_place_is_found(setup):
    one = setup(BY_MONTH)
    one.database.fill(2, month="10")
    one.project.catch_up()
    path = one.project.folder / "pillows.py"
    path.write_text(path.read_text().replace("change.document['month']", "'all'"))
    assert "2 stale" in verify(one, code=5)
    asked = one.project.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    assert asked.returncode == 0
    one.project.catch_up()
    assert places(one) == {"doc000000": ["all"], "doc000001": ["all"]}
    assert "no difference" in verify(one, code=0)


def test_an_index_that_an_operator_removes_is_not_filled_again(setup):
    one = setup(BY_MONTH)
    one.database.fill(2, month="10")
    one.database.put("b", month="11")
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    one.wait_until_in_step()
    call("DELETE", f"{one.index.url}_10")
    time.sleep(1)
    one.database.put("c", month="10")
    one.database.delete("doc000001")
    one.database.put("d", month="11")
    wait_until(lambda: places(one) == {"b": ["11"], "c": ["10"], "d": ["11"]})
    assert worker.stop() == 0
    assert "made anew" not in worker.log
    one.project.catch_up()
    assert places(one) == {"b": ["11"], "c": ["10"], "d": ["11"]}


def test_what_is_gone_from_a_database_that_was_made_again(setup):
    one = setup(BY_MONTH.replace("    couch_db", "    on_recreated = 'resync'\n    couch_db"))
    one.database.fill(5, month="10")
    one.project.catch_up()
    one.database.recreate()
    one.database.put("doc000001", month="11")
    one.project.catch_up()
    assert places(one) == {"doc000001": ["11"]}


def test_another_field_for_the_routing_has_everything_written_again(setup):
    fixed = BY_ROUTING.replace("Aliased", "").replace("es_alias", "es_index")
    one = setup(fixed.replace('es_routing = "month"', 'es_routing = "n"'))
    one.database.fill(9, month="10")
    one.project.catch_up()
    path = one.project.folder / "pillows.py"
    path.write_text(path.read_text().replace('es_routing = "n"', 'es_routing = "month"'))
    assert "made anew" in one.project.catch_up()
    assert places(one) == wanted(one)
