"""From a database into an index, on real servers and with a real process."""

from __future__ import annotations

import json
import signal

import pytest

from tests.couch import call
from tests.projects import wait_until

TRANSFORMING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        return {{**document, "total": sum(line["price"] for line in document["lines"])}}
"""

FRENCH = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(PythonPillow, AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def python_filter(self, document):
        return document.get("country") == "FR"
"""

WITHOUT_DOCS = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    include_docs = False
"""


def test_creations_updates_and_deletions_are_followed(setup):
    one = setup()
    one.database.fill(2500)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    one.database.put("doc000007", n=-7)
    one.database.put("new", name="☃ \u2028 \N{PARAGRAPH SEPARATOR}")
    one.database.delete("doc000008")
    one.wait_until_in_step()
    documents = one.index.documents()
    assert documents["doc000007"]["n"] == -7
    assert documents["new"]["name"] == "☃ \u2028 \N{PARAGRAPH SEPARATOR}"
    assert documents["new"]["pillowtop"] == {
        "id": "new",
        "rev": one.database.revs()["new"],
        "database": one.database.name,
        "pillow": "OrderPillow",
    }
    assert worker.stop() == 0


def test_a_transform_as_in_the_readme(setup):
    one = setup(TRANSFORMING)
    one.database.put("a", lines=[{"price": 3}, {"price": 4}])
    one.project.catch_up()
    assert one.index.documents()["a"]["total"] == 7


def test_until_caught_up_goes_on_where_it_was(setup):
    one = setup()
    one.database.fill(1200)
    assert "starts from 0" in one.project.catch_up()
    assert one.in_step()
    one.database.delete("doc000001")
    one.database.put("doc000002", n=5)
    assert "starts at its checkpoint" in one.project.catch_up()
    assert one.in_step()


def test_a_python_filter_takes_in_and_gives_up(setup):
    one = setup(FRENCH)
    one.database.put("a", country="FR")
    one.database.put("b", country="DE")
    one.database.put("c", country="FR")
    one.project.catch_up()
    assert one.index.documents().keys() == {"a", "c"}
    one.database.put("a", country="DE")
    one.database.put("b", country="FR")
    one.database.delete("c")
    one.project.catch_up()
    assert one.index.documents().keys() == {"b"}


def test_a_filter_without_a_match_moves_the_checkpoint(setup):
    one = setup(FRENCH)
    one.database.fill(50, country="DE")
    one.project.catch_up()
    assert one.index.documents() == {}
    saved = one.database.local("pillowtop-OrderPillow")
    assert saved["seq"] != "0"


def test_documents_may_be_loaded_by_the_worker(setup):
    one = setup(WITHOUT_DOCS)
    one.database.fill(700)
    one.project.catch_up()
    one.database.put("doc000003", n=-3)
    one.database.delete("doc000004")
    one.project.catch_up()
    assert one.in_step()
    assert one.index.documents()["doc000003"]["n"] == -3


def test_an_old_document_of_the_original_pillowtop_is_named_and_left_alone(setup):
    one = setup()
    name = "pillowtop_corehq.pillows.OrderPillow.host-1"
    one.database.put(name, seq="100", timestamp="2015-09-07T00:00:00Z")
    one.database.put("a", n=1)
    log = one.project.catch_up()
    assert name in log
    assert "starts from 0" in log
    assert one.in_step()


def test_the_checkpoint_says_what_it_vouches_for(setup):
    one = setup()
    one.database.put("a", n=1)
    one.project.catch_up()
    saved = one.database.local("pillowtop-OrderPillow")
    identity = one.database.local("pillowtop-identity")["identity"]
    alias = call("GET", f"{one.index.url}/_settings")
    (index,) = alias.values()
    assert saved["identity"] == identity
    assert saved["target"] == index["settings"]["index"]["uuid"]
    assert saved["token"] > 0
    assert saved["generation"] >= 1
    listed = one.project.manage("run_ptop", "--list-checkpoints", "--format=json")
    assert json.loads(listed.stdout)[0]["seq"] == saved["seq"]


WORKING = """
import time
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        print("at work", flush=True)
        time.sleep(document["seconds"])
        return document
"""


def test_a_stop_lets_a_hook_come_to_its_end(setup):
    one = setup(WORKING)
    one.database.put("a", seconds=1)
    worker = one.project.start("--all")
    worker.wait_for("at work")
    assert worker.stop() == 0
    assert one.in_step()


def test_a_hook_that_takes_too_long_is_said_not_to_be_delivered(setup):
    one = setup(WORKING, DRAIN_SECONDS=1.0)
    one.database.put("a", seconds=3600)
    worker = one.project.start("--all")
    worker.wait_for("at work")
    assert worker.stop() == 7
    assert "before OrderPillow could deliver" in worker.log


def test_a_life_that_ends_while_it_is_drained_is_said_not_to_be_delivered(setup):
    one = setup(WORKING, STALL_SECONDS=3.0, DRAIN_SECONDS=60.0)
    one.database.put("a", seconds=3600)
    worker = one.project.start("--all")
    worker.wait_for("at work")
    assert worker.stop() == 7
    assert "stalled" in worker.log
    assert "before OrderPillow could deliver" in worker.log
    assert "is delivered and saved" not in worker.log


def test_a_second_signal_stops_a_hook_that_computes(setup):
    one = setup(WORKING.replace("time.sleep(document", "while True: document; ("))
    one.database.put("a", seconds=0)
    worker = one.project.start("--all")
    worker.wait_for("at work")
    # The first of them shows nowhere.
    wait_until(lambda: worker.process.send_signal(signal.SIGTERM) or worker.process.poll())
    assert worker.wait() == 7
    assert "stopped at once" in worker.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_delivers_what_was_read_and_saves(setup, number):
    one = setup(CHECKPOINT_SECONDS=1000.0)
    one.database.fill(300)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    assert one.database.local("pillowtop-OrderPillow")["seq"] == "0"
    assert worker.stop(number) == 0
    assert "what was read is delivered and saved" in worker.log
    assert one.database.local("pillowtop-OrderPillow")["seq"] != "0"


def test_two_pillows_one_of_which_cannot_start(setup):
    one = setup(
        """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

class Lost(OrderPillow):
    couch_db = "pillowtop-tests-missing"
    es_alias = {alias!r} + "-lost"
"""
    )
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.Lost"])
    one.database.put("a", n=1)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    worker.wait_for("Lost: stands by: ")
    assert "pillowtop-tests-missing" in worker.log
    call("PUT", f"{one.database.server}/pillowtop-tests-missing")
    try:
        worker.wait_for("Lost: caught up")
        assert worker.stop() == 0
    finally:
        call("DELETE", f"{one.database.server}/pillowtop-tests-missing")


def test_of_two_deployments_that_share_no_django_database_the_first_one_stops(setup):
    """They know of no lease of each other, only of the checkpoint in CouchDB."""
    one, other = setup(), setup()
    one.database.put("a", n=1)
    first = one.project.start("--all")
    one.wait_until_in_step()
    second = other.project.start("--all")
    second.wait_for("caught up")
    one.database.put("b", n=2)
    assert first.wait() == 6
    assert "another process has started this pillow" in first.log
    one.wait_until_in_step()
    assert second.stop() == 0


def test_checkpoints_move_between_couchdb_and_django_without_loss(setup):
    one = setup()
    for number, keeper in enumerate(["couch", "django", "couch", "django"]):
        one.reconfigure(CHECKPOINTS=keeper)
        one.database.put(f"while-stopped-{number}", n=1)
        log = one.project.catch_up()
        assert ("from 0" in log) is (number == 0)
        assert one.in_step()


def test_a_django_database_restored_from_a_backup_reads_again_what_came_since(setup):
    one = setup(CHECKPOINTS="django")
    one.database.put("a", n=1)
    one.project.catch_up()
    kept = one.project.folder / "db.sqlite3"
    backup = kept.read_bytes()
    one.database.put("b", n=1)
    one.project.catch_up()
    kept.write_bytes(backup)
    call("DELETE", f"{one.index.url}/_doc/b?refresh=true")
    one.project.catch_up()
    assert one.in_step()


def test_versions_are_the_token_and_a_number(setup):
    one = setup()
    one.database.put("a", n=1)
    one.project.catch_up()
    token = one.database.local("pillowtop-OrderPillow")["token"]
    version = call("GET", f"{one.index.url}/_doc/a")["_version"]
    assert version // 2**31 == token
    one.database.put("a", n=2)
    one.project.catch_up()
    later = call("GET", f"{one.index.url}/_doc/a")["_version"]
    assert later // 2**31 == token + 1


def test_a_newer_write_of_the_same_life_is_left_alone(setup):
    """What a request that comes late would overwrite."""
    one = setup()
    one.database.put("a", n=1)
    one.project.catch_up()
    newest = (one.database.local("pillowtop-OrderPillow")["token"] + 1) * 2**31 + 2**30
    call(
        "PUT",
        f"{one.index.url}/_doc/a?version={newest}&version_type=external_gte",
        {"n": 99, "pillowtop": {"id": "a", "rev": "9-x"}},
    )
    one.database.put("a", n=2)
    one.project.catch_up()
    assert one.index.documents()["a"]["n"] == 99


def test_bursts_are_followed(setup):
    one = setup()
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    for round_ in range(3):
        one.database.fill(1500, prefix=f"burst{round_}-")
    one.wait_until_in_step()
    wait_until(lambda: len(one.index.documents()) == 4500)
    assert worker.stop() == 0
