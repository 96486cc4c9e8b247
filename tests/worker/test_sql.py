"""From a database into tables: exactly once, whatever happens to the worker."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter

import pytest

from tests.projects import UNMEASURED, wait_until
from tests.worker.conftest import QUICK

MODELS = """
from django.db import models

class Shop(models.Model):
    name = models.CharField(max_length=20, primary_key=True)

class Call(models.Model):
    doc_id = models.CharField(max_length=100)
    rev = models.CharField(max_length=100)
    delete = models.BooleanField()

class Order(models.Model):
    doc_id = models.CharField(max_length=100, primary_key=True)
    n = models.IntegerField()
    shop = models.ForeignKey(Shop, null=True, on_delete=models.CASCADE)
"""

COUNTING = """
from pillowtop.listener import SQLPillow

class OrderPillow(SQLPillow):
    couch_db = {database!r}
    include_docs = True

    def process_sql(self, document, delete=False):
        from shop.models import Call
        Call.objects.create(doc_id=document["_id"], rev=document["_rev"], delete=delete)
"""

STORING = """
from pillowtop.exceptions import TransientError
from pillowtop.listener import SQLPillow
import pathlib

DOWN = pathlib.Path(__file__).parent / "down"

class OrderPillow(SQLPillow):
    couch_db = {database!r}

    def process_sql(self, document, delete=False):
        from shop.models import Call, Order
        Call.objects.create(doc_id=document["_id"], rev=document["_rev"], delete=delete)
        if delete:
            Order.objects.filter(doc_id=document["_id"]).delete()
            return
        if document.get("closes"):
            from django.db import connection
            connection.close()
        if "sends" in document:
            from django.db import connection
            connection.cursor().execute(document["sends"])
        if document.get("leaves_open"):
            from django.db import transaction
            transaction.atomic().__enter__()
        if document.get("passes_over"):
            from django.db import IntegrityError
            try:
                Call.objects.create(doc_id=None)
            except IntegrityError:
                pass
        if document.get("down") and DOWN.exists():
            raise TransientError("the price service is down")
        Order.objects.update_or_create(
            doc_id=document["_id"], defaults={{"n": document["n"], "shop_id": document.get("shop")}}
        )
"""

QUERY = (
    "import json; from shop import models; "
    "print(json.dumps(list(models.{model}.objects.order_by('pk').values())))"
)


class Tables:
    """A project whose one pillow writes to tables of its own."""

    def __init__(self, project, database, kind):
        self.project = project
        self.kind = kind
        self.database = database

    def rows(self, model):
        result = self.project.manage("shell", "--no-imports", "-c", QUERY.format(model=model))
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def orders(self):
        return {row["doc_id"]: row["n"] for row in self.rows("Order")}

    def letters(self):
        code = (
            "import json; from pillowtop.models import DeadLetter; "
            "print(json.dumps(list(DeadLetter.objects.values('doc_id', 'error_type', 'stage'))))"
        )
        return json.loads(self.project.manage("shell", "--no-imports", "-c", code).stdout)


@pytest.fixture(params=["sqlite", "postgresql"])
def make_tables(request, make_project, database):
    """Makes `Tables` of a pillow's source, in SQLite and in PostgreSQL."""
    given = {}
    if request.param == "postgresql":
        given["database"] = request.getfixturevalue("postgresql_database")

    def make(pillow, **settings):
        tuned = {"COUCHDB_URL": database.server, **QUICK, **settings}
        source = pillow.format(database=database.name)
        project = make_project(tuned, ["pillows.OrderPillow"], source, models=MODELS, **given)
        return Tables(project, database, request.param)

    return make


LOADING = COUNTING.replace("include_docs = True", "include_docs = False")


@pytest.mark.parametrize("pillow", [COUNTING, LOADING], ids=["sent", "loaded"])
def test_a_worker_killed_at_random_calls_once_for_each_change(make_tables, pillow):
    tables = make_tables(pillow, BATCH_DOCUMENTS=100)
    chance = random.Random(11)
    tables.database.fill(3000)

    def update(number):
        for _ in range(20):
            tables.database.put(f"doc{chance.randrange(3000):06}", n=number)

    for number in range(8):
        update(number)
        worker = tables.project.start("--all", env=UNMEASURED)
        worker.wait_for("follows")
        time.sleep(chance.uniform(0.0, 0.5))  # not to wait for anything: to be killed anywhere
        if pillow is COUNTING:
            # Not where documents are loaded: one that is changed in between comes for both rows.
            update(number)
        worker.process.kill()
        worker.wait()
    tables.database.delete("doc000003")
    tables.project.catch_up()
    calls = [(row["doc_id"], row["rev"], row["delete"]) for row in tables.rows("Call")]
    assert [call for call, times in Counter(calls).items() if times > 1] == []
    last = {doc_id: (rev, delete) for doc_id, rev, delete in calls}
    revs = {doc_id: rev for doc_id, (rev, delete) in last.items() if not delete}
    assert revs == tables.database.revs()
    assert last["doc000003"][1] is True


def test_a_document_that_fails_is_a_letter_and_the_rest_is_written_once(make_tables):
    tables = make_tables(STORING)
    tables.database.fill(30)
    tables.database.put("bad", n="no number")
    tables.project.catch_up(code=4)
    assert tables.orders() == {f"doc{n:06}": n for n in range(30)}
    assert tables.letters() == [{"doc_id": "bad", "error_type": "ValueError", "stage": "transport"}]
    assert len(tables.rows("Call")) == 30
    tables.database.put("bad", n=7)
    tables.project.catch_up()
    assert tables.orders()["bad"] == 7
    assert tables.letters() == []


def test_one_that_closes_the_connection_takes_no_other_with_it(make_tables):
    tables = make_tables(STORING)
    tables.database.fill(10)
    tables.database.put("bad", n=7, closes=True)
    tables.project.catch_up(code=4)
    assert len(tables.orders()) == 10
    assert [one["doc_id"] for one in tables.letters()] == ["bad"]


def test_one_that_ends_the_transaction_stops_the_pillow_and_loses_nothing(make_tables):
    """As its work, and that of others, may be lost, or half of it kept."""
    tables = make_tables(STORING)
    tables.database.fill(10)
    tables.database.put("rolls back", n=7, sends="ROLLBACK")
    log = tables.project.catch_up(code=3)
    assert "document 'rolls back': the transaction has been ended" in log
    tables.database.put("rolls back", n=7)
    tables.project.catch_up()
    assert len(tables.orders()) == len(tables.rows("Call")) == 11
    tables.database.put("commits", n=7, sends="COMMIT")
    assert "document 'commits': " in tables.project.catch_up(code=3)
    assert tables.letters() == []


def test_one_that_leaves_a_transaction_open_stops_the_pillow_too(make_tables):
    """And no other, which would go on within what is never committed."""
    tables = make_tables(STORING)
    tables.database.fill(10)
    tables.database.put("opens", n=7, leaves_open=True)
    log = tables.project.catch_up(code=3)
    assert "document 'opens': an atomic() has been entered and not left" in log
    tables.database.put("opens", n=7)
    tables.project.catch_up()
    assert len(tables.orders()) == len(tables.rows("Call")) == 11


def test_one_that_passes_over_an_error_of_the_database_becomes_a_letter(make_tables):
    """Also where each document stands by itself, as another one fails."""
    tables = make_tables(STORING)
    tables.database.fill(3)
    tables.database.put("bad", n="no number")
    tables.database.put("goes on", n=7, passes_over=True)
    tables.project.catch_up(code=4)
    assert len(tables.orders()) == len(tables.rows("Call")) == 3
    assert {one["doc_id"] for one in tables.letters()} == {"bad", "goes on"}


def test_a_constraint_that_is_checked_at_the_end_only_is_one_documents_fault(make_tables):
    tables = make_tables(STORING)
    tables.database.fill(10)
    tables.database.put("orphan", n=1, shop="none such")
    tables.project.catch_up(code=4)
    assert len(tables.orders()) == 10
    assert [one["doc_id"] for one in tables.letters()] == ["orphan"]


def test_deletions_and_updates_are_followed(make_tables):
    tables = make_tables(STORING)
    tables.database.fill(3)
    worker = tables.project.start("--all")
    wait_until(lambda: len(tables.orders()) == 3)
    tables.database.put("doc000001", n=-1)
    tables.database.delete("doc000002")
    wait_until(lambda: tables.orders() == {"doc000000": 0, "doc000001": -1})
    assert worker.stop() == 0
    deletion = tables.rows("Call")[-1]
    assert (deletion["doc_id"], deletion["delete"]) == ("doc000002", True)
    assert deletion["rev"].startswith("2-")


def test_what_will_pass_has_the_whole_batch_written_again(make_tables):
    tables = make_tables(STORING)
    (tables.project.folder / "down").touch()
    tables.database.put("a", n=1)
    tables.database.put("b", n=2, down=True)
    worker = tables.project.start("--all")
    worker.wait_for("document 'b': TransientError: the price service is down")
    assert tables.orders() == {}
    (tables.project.folder / "down").unlink()
    wait_until(lambda: tables.orders() == {"a": 1, "b": 2})
    assert worker.stop() == 0
    assert len(tables.rows("Call")) == 2


def test_a_forgotten_django_database_is_filled_from_0(make_tables):
    tables = make_tables(STORING)
    tables.database.fill(5)
    tables.project.catch_up()
    assert tables.project.manage("flush", "--noinput").returncode == 0
    log = tables.project.catch_up()
    assert "remembers no position" in log
    assert len(tables.orders()) == 5


def test_a_process_that_slept_while_another_took_over_commits_nothing_more(make_tables):
    tables = make_tables(COUNTING, LEASE_SECONDS=2.0)
    tables.database.fill(50)
    first = tables.project.start("--all")
    first.wait_for("caught up")
    second = tables.project.start("--all")
    second.wait_for("runs this pillow")
    tables.project.pause(first)
    tables.database.fill(50, prefix="later")
    second.wait_for("follows")
    wait_until(lambda: len(tables.rows("Call")) >= 100)
    first.process.send_signal(signal.SIGCONT)
    first.wait_for("stands by: ")
    tables.database.fill(10, prefix="last")
    wait_until(lambda: len(tables.rows("Call")) >= 110)
    assert second.stop() == 0
    assert first.stop() == 0
    assert len(tables.rows("Call")) == 110


RELATED = """
from django.db import transaction
from pillowtop.listener import SQLPillow

def fail():
    raise RuntimeError("the mail server is down")

class OrderPillow(SQLPillow):
    couch_db = {database!r}

    def process_sql(self, document, delete=False):
        from shop.models import Call, Order, Shop
        Call.objects.create(doc_id=document["_id"], rev=document["_rev"], delete=delete)
        if document.get("mail"):
            transaction.on_commit(fail)
        if document["type"] == "shop":
            Shop.objects.create(name=document["_id"])
        else:
            Order.objects.create(doc_id=document["_id"], n=1, shop_id=document["shop"])
"""

ORPHAN = "from shop.models import Order; Order.objects.create(doc_id='old', n=0, shop_id='gone')"


def test_one_orphan_takes_no_other_document_with_it(make_tables):
    """Not those whose shop comes later in the batch, and not for what was broken before."""
    tables = make_tables(RELATED)
    for number in range(5):
        tables.database.put(f"a{number}", type="order", shop=f"shop{number}")
    tables.database.put("bad", type="order", shop="none such")
    for number in range(5):
        tables.database.put(f"shop{number}", type="shop")
    if "postgresql" not in tables.project.env({}).get("PYTEST_CURRENT_TEST", ""):
        code = (
            f"from django.db import connection; connection.disable_constraint_checking(); {ORPHAN}"
        )
        assert tables.project.manage("shell", "--no-imports", "-c", code).returncode == 0
    tables.project.catch_up(code=4)
    assert [one["doc_id"] for one in tables.letters()] == ["bad"]
    assert tables.orders().keys() - {"old"} == {f"a{number}" for number in range(5)}


def test_what_fails_on_commit_is_said_and_nothing_is_written_twice(make_tables):
    tables = make_tables(RELATED)
    tables.database.put("a", type="shop", mail=True)
    log = tables.project.catch_up()
    assert "what was to be done on commit failed" in log
    assert "the mail server is down" in log
    worker = tables.project.start("--all")
    worker.wait_for("caught up")
    said = tables.project.manage("ptop_run_docs", "OrderPillow", "a")
    assert "'a': dead letter (transport: IntegrityError" in said.stdout
    assert worker.stop() == 0
    assert len(tables.rows("Call")) == 1
