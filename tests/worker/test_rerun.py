"""`ptop_run_docs`: single documents again, by the worker."""

from __future__ import annotations

import time

import pytest

from tests.couch import call

STRICT = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        if document.get("bad"):
            raise ValueError("bad as ever")
        return document
"""

WITHOUT_DOCS = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    include_docs = False
"""

FILTERED = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    couch_filter = "f/paid"
"""

SQL = """
from pillowtop.listener import SQLPillow

class OrderPillow(SQLPillow):
    couch_db = {database!r}

    def process_sql(self, document, delete=False):
        from shop.models import Call
        Call.objects.create(doc_id=document["_id"])
"""

MODELS = """
from django.db import models

class Call(models.Model):
    doc_id = models.CharField(max_length=100)
"""


def run_docs(one, *args, code=0, text=""):
    result = one.project.manage("ptop_run_docs", "OrderPillow", *args, text=text)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result.stdout + result.stderr


def edit(one, doc_id):
    """Spoil a document in the index, behind the worker's back."""
    call("POST", f"{one.index.url}/_update/{doc_id}?refresh=true", {"doc": {"_rev": "spoilt"}})


def test_documents_are_taken_again_while_the_worker_runs(setup):
    one = setup()
    one.database.fill(20)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    for number in range(3):
        edit(one, f"doc{number:06}")
    (one.project.folder / "ids").write_text("doc000001\r\n\ndoc000002\n")
    assert "OrderPillow: 1 delivered" in run_docs(one, "doc000000")
    assert "OrderPillow: 2 delivered" in run_docs(one, "--file=ids")
    one.wait_until_in_step()
    one.database.put("doc000003", n=-3)
    one.wait_until_in_step()
    assert worker.stop() == 0


def test_what_is_deleted_missing_or_bad(setup):
    one = setup(STRICT)
    one.database.put("gone", n=1)
    one.database.put("bad", bad=True)
    worker = one.project.start("--all")
    worker.wait_for("caught up")
    worker.wait_for("'bad' failed")
    one.database.delete("gone")
    one.database.put("good", n=1)
    said = run_docs(one, "--file=-", text="gone\nbad\nnever\ngood\n_design/x\n", code=4)
    assert "'bad': dead letter (transform: ValueError: bad as ever)" in said
    assert "'never': missing" in said
    assert "1 dead letter, 1 deleted, 1 delivered, 2 missing" in said
    one.database.put("bad", bad=False)
    run_docs(one, "bad")
    assert one.index.documents().keys() == {"bad", "good"}
    assert worker.stop() == 0


def test_what_happens_while_a_document_is_read_again_has_the_last_word(proxied):
    """The feed's news have versions before the reply is there, as documents are loaded ahead."""
    one, couch, _ = proxied(pillow=WITHOUT_DOCS)
    names = [f"doc{number:06}" for number in range(8)]
    one.database.fill(len(names))
    worker = one.project.start("--all")
    one.wait_until_in_step()
    asked = []

    def change_meanwhile(request, body):
        if request.path.endswith("/_bulk_get") and asked:
            name = asked.pop()
            one.database.put(name, n=-1) if name in names[::2] else one.database.delete(name)
            time.sleep(0.2)  # the reply is on its way
        return body

    couch.rewrite = change_meanwhile
    for name in names:
        asked.append(name)
        run_docs(one, name)
    one.wait_until_in_step()
    assert worker.stop() == 0
    one.project.catch_up()
    assert one.in_step()


def test_what_is_asked_while_no_worker_runs_is_done_by_the_next(setup):
    one = setup()
    one.database.fill(3)
    one.project.catch_up()
    edit(one, "doc000001")
    assert "1 queued" in run_docs(one, "doc000001", "--wait=0")
    assert "1 queued" in run_docs(one, "doc000001", "--wait=0.2", code=4)
    one.project.catch_up()
    assert one.in_step()


def test_a_table_gets_it_again_and_the_position_stays(make_project, database):
    source = SQL.format(database=database.name)
    tuned = {"COUCHDB_URL": database.server, "CHECKPOINT_SECONDS": 0.2}
    project = make_project(tuned, ["pillows.OrderPillow"], source, models=MODELS)
    database.fill(2)
    worker = project.start("--all")
    worker.wait_for("caught up")
    assert project.manage("ptop_run_docs", "OrderPillow", "doc000000").returncode == 0
    assert worker.stop() == 0
    project.catch_up()
    code = "from shop.models import Call; print(Call.objects.count())"
    assert project.manage("shell", "--no-imports", "-c", code).stdout.strip() == "3"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["OrderPillow"], 2, "name documents"),
        (["OrderPilow", "a"], 3, "did you mean 'OrderPillow'"),
        (["OrderPillow", "--file=none"], 2, "none cannot be read"),
        (["OrderPillow", "a", "--wait=-1"], 2, "from 0 on"),
        (["OrderPillow", "a", "--wait=nan"], 2, "from 0 on"),
        (["OrderPillow", "-"], 2, "--file=-"),
        (["OrderPillow", b"a\xff"], 2, "is no UTF-8"),
    ],
)
def test_mistakes_on_the_command_line(setup, args, code, words):
    result = setup().project.manage("ptop_run_docs", *args)
    assert result.returncode == code
    assert words in result.stderr


def test_a_filter_of_couchdbs_is_not_passed_by(setup):
    one = setup(FILTERED)
    assert "would pass by" in run_docs(one, "a", code=3)


def test_dead_letters_are_tried_when_somebody_asks(setup):
    one = setup(STRICT)
    one.database.put("bad", bad=True)
    worker = one.project.start("--all")
    worker.wait_for("'bad' failed")
    source = one.project.folder / "pillows.py"
    source.write_text(source.read_text().replace("bad as ever", "worse"))
    assert worker.stop() == 0
    worker = one.project.start("--all")
    assert "1 due now" in one.project.manage("ptop_errors", "retry", "bad").stdout
    worker.wait_for("tried dead letters again: 1 dead letter")
    assert "worse" in one.project.manage("ptop_errors", "list").stdout
    source.write_text(source.read_text().replace('document.get("bad")', "False"))
    assert worker.stop() == 0
    worker = one.project.start("--all")
    one.project.manage("ptop_errors", "retry")
    worker.wait_for("tried dead letters again: 1 delivered")
    assert "no dead letters" in one.project.manage("ptop_errors", "list").stdout
    assert one.in_step()
    assert worker.stop() == 0
