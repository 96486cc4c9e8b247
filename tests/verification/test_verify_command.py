"""`ptop_verify` on real servers: what it finds, tells apart, and has repaired."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from django.core.management import CommandError, call_command

from pillowtop import registry
from pillowtop.exceptions import TransientError
from pillowtop.listener import AliasedElasticPillow, BasicPillow, PythonPillow
from pillowtop.verification import verifier
from pillowtop.worker.rehearsal import rehearse
from tests.couch import Database, Index, call

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("missing", "stale", "orphaned", "letters", "ignored", "backlog")


class OrderPillow(AliasedElasticPillow):
    pass


class ChoosingPillow(PythonPillow, OrderPillow):
    selection_is_stable = True

    def python_filter(self, document):
        return document.get("country") == "FR"

    def change_transform(self, document):
        if document.get("bad"):
            raise ValueError("bad as ever")
        return None if document.get("empty") else document


class LimitedPillow(OrderPillow):
    """Its hook asks a service that has enough for now, once."""

    refusals = 1

    def change_transform(self, document):
        if LimitedPillow.refusals and document["_id"] == "doc000003":
            LimitedPillow.refusals -= 1
            raise TransientError("enough for now")
        return document


class FilteredPillow(OrderPillow):
    couch_filter = "_selector"
    extra_args: ClassVar = {"selector": {"country": "FR"}}


class RenamingPillow(OrderPillow):
    def index_id(self, change):
        return f"v1-{change.id}"


class ElsewherePillow(BasicPillow):
    def change_transport(self, document):
        pass


class Proof:
    """A database, an index, and the pillow of a class between them."""

    def __init__(self, database, index, capsys):
        self.database = database
        self.index = index
        self._capsys = capsys

    def deliver(self):
        rehearse(registry.get_pillow("OrderPillow"))

    def verify(self, *args, code=0):
        """What is printed."""
        try:
            call_command("ptop_verify", "OrderPillow", *args)
            got = 0
        except SystemExit as stopped:
            got = stopped.code
        out = self._capsys.readouterr()
        assert got == code, (got, out)
        return out.out + out.err

    def counts(self, *args, code=0):
        found = json.loads(self.verify("--format=json", *args, code=code))
        assert len(found["differences"]) == sum(found[kind] for kind in KINDS[:3])
        return {kind: found[kind] for kind in KINDS if found[kind]}

    def refused(self, *args):
        """Exit code and words."""
        with pytest.raises(CommandError) as raised:
            call_command("ptop_verify", "OrderPillow", *args)
        return raised.value.returncode, str(raised.value)

    def source(self, doc_id):
        return call("GET", f"{self.index.url}/_doc/{doc_id}")["_source"]

    def write(self, target_id, like, **origin):
        """Have a document stand in the index that nobody has delivered."""
        copy = self.source(like)
        copy["pillowtop"] |= origin
        call("PUT", f"{self.index.url}/_doc/{target_id}", copy)

    def remove(self, *target_ids):
        lines = [{"delete": {"_id": target_id}} for target_id in target_ids]
        body = "".join(f"{json.dumps(line)}\n" for line in lines)
        call("POST", f"{self.index.url}/_bulk", body.encode())


@pytest.fixture
def proof(couch_database, elasticsearch_url, index_name, settings, capsys, monkeypatch):
    monkeypatch.setattr(verifier, "PAUSE_SECONDS", 0.05)
    database, index = Database(couch_database), Index(elasticsearch_url, index_name)

    def make(kind=OrderPillow, **options):
        if issubclass(kind, AliasedElasticPillow):
            options["es_alias"] = index_name
        settings.PILLOWTOP = {
            "COUCHDB_URL": database.server,
            "ELASTICSEARCH_URL": elasticsearch_url,
            "CHECKPOINT_SECONDS": 0.1,
        }
        settings.PILLOWTOPS = [
            {
                "class": f"{__name__}.{kind.__name__}",
                "name": "OrderPillow",
                "options": {"couch_db": database.name, **options},
            }
        ]
        return Proof(database, index, capsys)

    return make


def test_what_differs_is_listed_and_repaired(proof):
    one = proof()
    one.database.fill(20)
    one.database.put("_design/x", views={})
    one.deliver()
    assert "no difference" in one.verify()
    one.remove("doc000001")
    one.write("doc000002", "doc000002", rev="1-old")
    one.write("ghost", "doc000003", id="ghost", rev="1-gone")
    one.write("elsewhere", "doc000003")
    said = one.verify(code=5)
    assert "missing 'doc000001': 1-" in said
    assert "stale 'doc000002': 1-" in said
    assert "orphaned 'ghost': nothing should be in the index, and 1-gone is" in said
    assert "orphaned 'doc000003': " in said
    assert "as 'elsewhere' is" in said
    assert "21 documents" in said
    assert "1 missing, 1 stale, 2 orphaned" in said
    assert "1 design documents, which the pillow skips" in said

    queued = one.verify("--repair", "--wait=0", code=5)
    assert "4 documents are queued to be written again" in queued
    one.deliver()
    assert "no difference" in one.verify()
    assert one.index.revs() == one.database.revs()


def test_the_hooks_say_what_should_be_there(proof):
    one = proof(ChoosingPillow)
    one.database.put("taken", country="FR")
    one.database.put("refused", country="DE")
    one.database.put("empty", country="FR", empty=True)
    one.database.put("bad", country="FR", bad=True)
    one.deliver()
    assert set(one.index.documents()) == {"taken"}
    assert one.counts(code=4) == {"letters": 1}
    for doc_id in ("refused", "empty"):
        one.write(doc_id, "taken", id=doc_id)
    assert one.counts(code=5) == {"orphaned": 2, "letters": 1}
    one.verify("--repair", "--wait=0", code=5)
    one.deliver()
    assert one.counts(code=4) == {"letters": 1}
    assert set(one.index.documents()) == {"taken"}


def test_a_repair_that_fails_and_is_ignored_removes_nothing(proof):
    one = proof(ChoosingPillow, on_error="ignore")
    one.database.put("a", country="FR")
    one.deliver()
    one.database.put("a", country="FR", bad=True)
    one.deliver()
    assert "1 on which a hook fails, as on_error is 'ignore'" in one.verify("--repair")
    one.deliver()
    assert one.counts() == {"ignored": 1}
    assert one.source("a")["pillowtop"]["rev"].startswith("1-")


def test_a_hook_that_cannot_answer_now_is_asked_again(proof):
    one = proof(LimitedPillow)
    one.database.fill(5)
    LimitedPillow.refusals = 0
    one.deliver()
    LimitedPillow.refusals = 1
    assert one.counts() == {}
    assert LimitedPillow.refusals == 0


def test_a_failure_without_a_letter_is_missing(proof):
    one = proof(ChoosingPillow)
    one.database.put("bad", country="FR", bad=True)
    one.deliver()
    call_command("ptop_errors", "purge", "--noinput")
    one.verify("--repair", "--wait=0", code=5)
    one.deliver()
    assert one.counts(code=4) == {"letters": 1}


def test_what_the_pillow_has_not_come_to_is_told_apart(proof):
    one = proof()
    one.database.fill(10)
    one.deliver()
    one.database.fill(5, prefix="new")
    one.database.put("doc000001", n=-1)
    one.database.delete("doc000002")
    assert one.counts(code=4) == {"backlog": 7}
    one.remove("doc000003")
    assert one.counts(code=5) == {"missing": 1, "backlog": 7}
    assert "7 that the pillow has not delivered yet" in one.verify(code=5)
    one.deliver()
    assert one.counts(code=5) == {"missing": 1}


def test_all_is_still_to_come_of_a_pillow_that_has_no_checkpoint(proof):
    one = proof()
    one.database.fill(10)
    one.deliver()
    rows = one.database.local("pillowtop-OrderPillow")
    call("DELETE", f"{one.database.url}/_local/pillowtop-OrderPillow?rev={rows['_rev']}")
    one.remove("doc000003")
    assert one.counts(code=4) == {"backlog": 1}


def test_checkpoints_of_django(proof, settings):
    one = proof()
    settings.PILLOWTOP["CHECKPOINTS"] = "django"
    one.database.fill(10)
    one.deliver()
    one.remove("doc000003")
    one.database.put("doc000004", n=-1)
    assert one.counts(code=5) == {"missing": 1, "backlog": 1}


def test_a_filter_in_couchdb(proof):
    one = proof(FilteredPillow)
    for number in range(4):
        one.database.put(f"fr{number}", country="FR")
        one.database.put(f"de{number}", country="DE")
    one.deliver()
    assert one.counts() == {}
    one.remove("fr1")
    one.write("de1", "fr2", id="de1")
    one.database.put("fr3", country="DE")
    assert one.counts(code=5) == {"missing": 1, "orphaned": 2}
    for option in ("--repair", "--sample=5", "--since=1h"):
        code, words = one.refused(option)
        assert code == 3
        assert "leave out --sample, --since and --repair" in words


def test_documents_under_other_ids(proof):
    one = proof(RenamingPillow)
    one.database.fill(5)
    one.deliver()
    assert one.counts() == {}
    one.write("doc000001", "v1-doc000001")
    one.remove("v1-doc000001")
    assert one.counts(code=5) == {"stale": 1}
    one.verify("--repair", "--wait=0", code=5)
    one.deliver()
    assert one.counts() == {}
    assert set(one.index.documents()) == {f"v1-doc{number:06}" for number in range(5)}


def test_an_id_with_a_nul_keeps_nothing_else_from_being_repaired(proof):
    one = proof()
    one.database.put_many([{"_id": "a"}, {"_id": "b\0c"}])
    one.deliver()
    one.remove("a", "b\0c")
    said = one.verify("--repair", "--wait=0", code=5)
    assert "1 documents cannot be queued, as their ids have a NUL" in said
    one.deliver()
    assert set(one.index.documents()) == {"a"}


def test_of_two_pillows_in_one_index_each_has_its_own(proof):
    one = proof()
    one.database.fill(5)
    one.deliver()
    one.write("of another", "doc000001", pillow="OtherPillow", id="x")
    one.write("of another database", "doc000001", database="customers", id="x")
    assert one.counts() == {}


def test_a_sample_finds_what_is_missing_between_its_documents(proof):
    one = proof()
    one.database.fill(300)
    one.deliver()
    found = json.loads(one.verify("--sample=200", "--format=json"))
    assert 100 <= found["compared"] <= 200
    assert json.loads(one.verify("--sample=10000", "--format=json"))["compared"] == 300
    one.remove(*(f"doc{number:06}" for number in range(0, 300, 2)))
    assert 40 <= one.counts("--sample=200", code=5)["missing"] <= 100


def test_what_has_changed_lately(proof):
    one = proof()
    one.database.fill(10)
    one.deliver()
    code, words = one.refused("--since=9d")
    assert code == 2
    assert "no position of OrderPillow is remembered from 9d ago" in words
    assert "Without --since everything is compared" in words
    one.remove("doc000003")
    one.database.put("doc000004", n=-1)
    assert one.counts("--since=0s", code=5) == {"missing": 1, "backlog": 1}


def test_an_empty_index_and_an_index_that_is_gone(proof):
    one = proof()
    one.database.fill(1500)
    one.deliver()
    (name,) = call("GET", f"{one.index.url}/_alias")
    one.remove(*(f"doc{number:06}" for number in range(1500)))
    assert one.counts(code=5) == {"missing": 1500}
    call("DELETE", f"{one.index.server}/{name}")
    code, words = one.refused()
    assert code == 3
    assert "is gone" in words


def test_an_alias_that_is_on_another_index(proof):
    proof().deliver()
    code, words = proof(index_version=2).refused()
    assert code == 3
    assert "index_version of this pillow ask for" in words
    assert "manage.py ptop_reindex plan" in words


def test_an_empty_database(proof):
    one = proof()
    one.deliver()
    assert "0 documents in" in one.verify()


def test_targets_that_cannot_say_what_they_hold(proof):
    code, words = proof(ElsewherePillow).refused()
    assert code == 3
    assert "OrderPillow: its target cannot say what it holds" in words


@pytest.mark.parametrize(
    "option",
    ["--sample=0", "--sample=x", "--wait=x", "--wait=-1", "--since=soon", "--since=", "--sinc=1h"],
)
def test_what_cannot_be_meant(proof, option):
    _, words = proof().refused(option)
    assert option.partition("=")[0] in words
