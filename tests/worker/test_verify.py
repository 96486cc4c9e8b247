"""`ptop_verify`: the proof, and what it has repaired."""

from __future__ import annotations

import json
import threading

import pytest

from tests.couch import call
from tests.projects import wait_until

CHOOSING = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    selection_is_stable = True

    def python_filter(self, document):
        return document.get("country") == "FR"

    def change_transform(self, document):
        if document.get("bad"):
            raise ValueError("bad as ever")
        return None if document.get("empty") else document
"""

FILTERED = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    couch_filter = "_selector"
    extra_args = {{"selector": {{"country": "FR"}}}}
"""

RENAMING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def index_id(self, change):
        return "v1-" + change.id
"""

ELSEWHERE = """
from pillowtop.listener import BasicPillow

class OrderPillow(BasicPillow):
    couch_db = {database!r}

    def change_transport(self, document):
        pass
"""

GONE = "nothing should be in the index"


def verify(one, *args, code=0):
    """What is printed."""
    result = one.project.manage("ptop_verify", "OrderPillow", *args)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout + result.stderr


def counts(one, *args, code=0):
    found = json.loads(verify(one, "--format=json", *args, code=code))
    kinds = {kind: found[kind] for kind in ("missing", "stale", "orphaned", "letters", "backlog")}
    return {kind: count for kind, count in kinds.items() if count}


def source(one, doc_id):
    return call("GET", f"{one.index.url}/_doc/{doc_id}")["_source"]


def put(one, target_id, body):
    call("PUT", f"{one.index.url}/_doc/{target_id}", body)


def harm(one):
    """One difference of each kind, and one document that stands twice."""
    call("DELETE", f"{one.index.url}/_doc/doc000001")
    old = source(one, "doc000002")
    old["pillowtop"]["rev"] = "1-old"
    put(one, "doc000002", old)
    put(one, "ghost", {**old, "pillowtop": {**old["pillowtop"], "id": "ghost"}})
    put(one, "elsewhere", source(one, "doc000003"))


def test_what_differs_is_listed_and_repaired(setup):
    one = setup()
    one.database.fill(20)
    one.database.put("_design/x", views={})
    one.project.catch_up()
    assert "no difference" in verify(one)
    harm(one)
    said = verify(one, code=5)
    assert "missing 'doc000001': 1-" in said
    assert "stale 'doc000002': 1-" in said
    assert f"orphaned 'ghost': {GONE}, and 1-old is" in said
    assert "orphaned 'doc000003': " in said
    assert "as 'elsewhere' is" in said
    assert "21 documents" in said
    assert "1 missing, 1 stale, 2 orphaned" in said
    assert "1 design documents, which the pillow skips" in said

    queued = verify(one, "--repair", "--wait=0", code=5)
    assert "4 documents are queued to be written again" in queued
    one.project.start("--all")
    one.wait_until_in_step()
    assert "no difference" in verify(one)
    assert one.index.revs() == one.database.revs()


def test_a_running_worker_repairs_at_once(setup):
    one = setup()
    one.database.fill(20)
    one.project.start("--all")
    one.wait_until_in_step()
    harm(one)
    said = verify(one, "--repair")
    assert "4 were repaired" in said
    assert "no difference" in said
    assert one.index.revs() == one.database.revs()


def test_the_hooks_say_what_should_be_there(setup):
    one = setup(CHOOSING)
    for doc_id, fields in {
        "taken": {"country": "FR"},
        "refused": {"country": "DE"},
        "empty": {"country": "FR", "empty": True},
        "bad": {"country": "FR", "bad": True},
    }.items():
        one.database.put(doc_id, **fields)
    one.project.catch_up(code=4)
    assert set(one.index.documents()) == {"taken"}
    assert counts(one, code=4) == {"letters": 1}
    taken = source(one, "taken")
    for doc_id in ("refused", "empty"):
        put(one, doc_id, {**taken, "pillowtop": {**taken["pillowtop"], "id": doc_id}})
    assert counts(one, code=5) == {"orphaned": 2, "letters": 1}
    one.project.start("--all")
    assert counts(one, "--repair", code=4) == {"letters": 1}
    assert set(one.index.documents()) == {"taken"}


def test_a_failure_without_a_letter_is_missing(setup):
    one = setup(CHOOSING)
    one.database.put("bad", country="FR", bad=True)
    one.project.catch_up(code=4)
    assert one.project.manage("ptop_errors", "purge", "--noinput").returncode == 0
    assert counts(one, code=5) == {"missing": 1}
    one.project.start("--all")
    assert counts(one, "--repair", code=4) == {"letters": 1}


def test_what_the_pillow_has_not_come_to_is_told_apart(setup):
    one = setup()
    one.database.fill(10)
    one.project.catch_up()
    one.database.fill(5, prefix="new")
    one.database.put("doc000001", n=-1)
    one.database.delete("doc000002")
    call("DELETE", f"{one.index.url}/_doc/doc000003")
    assert counts(one, code=5) == {"missing": 1, "backlog": 7}
    assert "7 that the pillow has not delivered yet" in verify(one, code=5)
    one.project.catch_up()
    assert counts(one, code=5) == {"missing": 1}


def test_nothing_differs_while_everything_changes(setup):
    one = setup()
    one.database.fill(200)
    one.project.start("--all")
    one.wait_until_in_step()
    is_over = threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            one.database.put(f"doc{number % 20:06}", n=number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            verify(one, "--wait=3")
        call("DELETE", f"{one.index.url}/_doc/doc000150")
        assert "1 missing" in verify(one, "--wait=3", code=5)
    finally:
        is_over.set()
        writer.join()


def test_a_filter_in_couchdb(setup):
    one = setup(FILTERED)
    for number in range(10):
        one.database.put(f"fr{number}", country="FR")
        one.database.put(f"de{number}", country="DE")
    one.project.catch_up()
    assert counts(one) == {}
    call("DELETE", f"{one.index.url}/_doc/fr1")
    taken = source(one, "fr2")
    put(one, "de1", {**taken, "pillowtop": {**taken["pillowtop"], "id": "de1"}})
    one.database.put("fr3", country="DE")
    assert counts(one, code=5) == {"missing": 1, "orphaned": 2}
    for option in ("--repair", "--sample=5", "--since=1h"):
        assert "leave out --sample, --since and --repair" in verify(one, option, code=3)


def test_documents_under_other_ids(setup):
    one = setup(RENAMING)
    one.database.fill(5)
    one.project.catch_up()
    assert counts(one) == {}
    put(one, "doc000001", source(one, "v1-doc000001"))
    call("DELETE", f"{one.index.url}/_doc/v1-doc000001")
    one.project.start("--all")
    assert "1 were repaired" in verify(one, "--repair")
    assert set(one.index.documents()) == {f"v1-doc{number:06}" for number in range(5)}


def test_a_sample_finds_what_is_missing_between_its_documents(setup):
    one = setup()
    one.database.fill(300)
    one.project.catch_up()
    found = json.loads(verify(one, "--sample=200", "--format=json"))
    assert 100 <= found["compared"] <= 200
    for number in range(0, 300, 2):
        call("DELETE", f"{one.index.url}/_doc/doc{number:06}")
    found = json.loads(verify(one, "--sample=200", "--format=json", code=5))
    assert 40 <= found["missing"] <= 100


def test_what_has_changed_lately(setup):
    one = setup()
    one.database.fill(10)
    one.project.catch_up()
    assert "no position of OrderPillow is remembered from 9d ago" in verify(
        one, "--since=9d", code=2
    )
    assert "no length of time" in verify(one, "--since=soon", code=2)
    call("DELETE", f"{one.index.url}/_doc/doc000003")
    one.database.put("doc000004", n=-1)
    found = wait_until(lambda: json.loads(verify(one, "--since=1s", "--format=json", code=5)))
    assert (found["missing"], found["backlog"]) == (1, 1)


def test_an_empty_index_and_an_index_that_is_gone(setup):
    one = setup()
    one.database.fill(1500)
    one.project.catch_up()
    (name,) = call("GET", f"{one.index.url}/_alias")
    query = {"query": {"match_all": {}}}
    call("POST", f"{one.index.url}/_delete_by_query?refresh=true", query)
    assert counts(one, code=5) == {"missing": 1500}
    call("DELETE", f"{one.index.server}/{name}")
    assert "is gone" in verify(one, code=3)


def test_targets_that_cannot_say_what_they_hold(setup):
    one = setup(ELSEWHERE)
    assert "OrderPillow: its target cannot say what it holds" in verify(one, code=3)


@pytest.mark.parametrize("option", ["--sample=0", "--sample=x", "--wait=x", "--sinc=1h"])
def test_what_cannot_be_meant(setup, option):
    assert option.partition("=")[0] in verify(setup(), option, code=2)
