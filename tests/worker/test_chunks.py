"""Documents loaded in chunks, with real servers, real processes and a proxy that does harm."""

from __future__ import annotations

import pytest

from dev.proxy import Fault
from tests.couch import call

WITHOUT_DOCS = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    include_docs = False
"""

REFUSING = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    include_docs = False

    def filter(self, change):
        return change.id.endswith("7")

    def python_filter(self, document):
        return document["n"] != 17
"""


def is_chunk(request):
    return request.path.endswith("/_bulk_get")


def loaded(couch):
    return [doc["id"] for one in couch.requests if is_chunk(one) for doc in one.json()["docs"]]


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_in_the_middle_of_a_chunk_loses_nothing(proxied, after):
    one, couch, _ = proxied(WITHOUT_DOCS, BATCH_DOCUMENTS=100)
    one.database.fill(2600)
    worker = one.project.start("--all")
    couch.faults.append(Fault(is_chunk, worker.process.kill, after=after))
    assert worker.wait() == -9
    one.database.delete("doc000001")
    one.database.put("doc000002", n=-2)
    one.project.catch_up()
    assert one.in_step()


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_stopped_in_the_middle_of_a_chunk_loses_nothing(proxied, after):
    one, couch, _ = proxied(WITHOUT_DOCS, BATCH_DOCUMENTS=100)
    one.database.fill(2600)
    worker = one.project.start("--all")
    couch.faults.append(Fault(is_chunk, worker.process.terminate, after=after, reset=False))
    assert worker.wait() == 0
    one.database.delete("doc000001")
    one.database.put("doc000002", n=-2)
    one.project.catch_up()
    assert one.in_step()


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_reset_in_the_middle_of_a_chunk_loses_nothing(proxied, after):
    one, couch, _ = proxied(WITHOUT_DOCS)
    one.database.fill(2600)
    couch.faults.append(Fault(is_chunk, lambda: None, after=after, times=3))
    one.project.catch_up()
    assert one.in_step()


def test_a_document_deleted_between_its_change_and_its_chunk(proxied):
    one, couch, _ = proxied(WITHOUT_DOCS)
    one.database.fill(20)
    couch.faults.append(Fault(is_chunk, lambda: one.database.delete("doc000003"), reset=False))
    one.project.catch_up()
    assert one.in_step()
    assert "doc000003" not in one.index.documents()


def test_a_database_that_goes_in_the_middle_of_a_chunk_deletes_nothing(proxied):
    one, couch, _ = proxied(WITHOUT_DOCS)
    one.database.fill(20)
    one.project.catch_up()
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    couch.faults.append(
        Fault(is_chunk, lambda: call("DELETE", one.database.url), times=1, reset=False)
    )
    one.database.put("doc000003", n=-3)
    worker.wait_for("stands by: ")
    assert len(one.index.documents()) == 20
    assert worker.stop() == 0


def test_what_a_filter_refuses_is_not_loaded(proxied):
    one, couch, _ = proxied(REFUSING)
    one.database.fill(40)
    one.project.catch_up()
    assert sorted(loaded(couch)) == ["doc000007", "doc000017", "doc000027", "doc000037"]
    assert one.index.documents().keys() == {"doc000007", "doc000027", "doc000037"}


def test_changes_at_rest_are_followed_at_once(setup):
    one = setup(WITHOUT_DOCS, BATCH_LINGER_SECONDS=1000.0)
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    for number in range(5):
        one.database.put(f"doc{number}", n=number)
        one.wait_until_in_step()
    assert worker.stop() == 0
