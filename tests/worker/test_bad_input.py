"""Bad input: a clear line that names pillow, document and cause; the others go on."""

from __future__ import annotations

import re
import sqlite3

import pytest

from dev.proxy import Proxy, is_page
from dev.servers import CouchServer
from pillowtop.testing.scripted import ScriptedServer
from tests.couch import call
from tests.real_servers import running

STRICT = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    default_mapping = {{"dynamic": "strict", "properties": {{"n": {{"type": "integer"}}}}}}
"""

RAISING = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        if document["n"] == 7:
            raise ValueError("no sevens")
        return document
"""


def letters(one):
    connection = sqlite3.connect(one.project.folder / "db.sqlite3")
    connection.row_factory = sqlite3.Row
    with connection:
        rows = connection.execute("SELECT * FROM pillowtop_deadletter ORDER BY doc_id").fetchall()
    connection.close()
    return [dict(row) for row in rows]


def test_a_document_that_the_index_rejects(setup):
    one = setup(STRICT)
    one.database.fill(30)
    one.database.put("bad", n="not a number")
    log = one.project.catch_up(code=4)
    assert re.search(r"OrderPillow: document 'bad' failed at transport.*n", log)
    assert len(one.index.documents()) == 30
    (row,) = letters(one)
    assert (row["pillow"], row["doc_id"], row["stage"]) == ("OrderPillow", "bad", "transport")
    assert row["error_type"] == "document_parsing_exception"
    assert row["rev"].startswith("1-")
    assert row["stream"] == one.database.name
    assert row["attempts"] == 1
    assert row["next_attempt_at"]


def test_a_hook_that_raises(setup):
    one = setup(RAISING)
    one.database.fill(30)
    log = one.project.catch_up(code=4)
    assert "OrderPillow: document 'doc000007' failed at transform" in log
    assert "no sevens" in log
    assert len(one.index.documents()) == 29
    (row,) = letters(one)
    assert row["stage"] == "transform"
    assert "pillows.py" in row["traceback"]


def test_a_document_that_goes_through_later_clears_its_letter(setup):
    one = setup(RAISING)
    one.database.fill(30)
    one.project.catch_up(code=4)
    one.database.put("doc000007", n=8)
    one.project.catch_up()
    assert letters(one) == []
    assert one.in_step()


def test_an_id_that_elasticsearch_does_not_take(setup):
    one = setup()
    one.database.fill(5)
    one.database.put("x" * 513, n=1)
    one.project.catch_up(code=4)
    assert len(one.index.documents()) == 5
    assert letters(one)[0]["doc_id"] == "x" * 513


def garbling(request, body):
    """Spoils one row and takes the id out of another."""
    if is_page(request):
        body = body.replace(b'"id":"doc000003"', b'"id":"doc000003')
        body = body.replace(b'"id":"doc000004",', b"")
    return body


def test_a_row_that_is_no_json_and_one_without_an_id(setup, database):
    with Proxy(database.server) as proxy:
        proxy.rewrite = garbling
        one = setup(COUCHDB_URL=proxy.url)
        one.database.fill(10)
        one.project.catch_up(code=4)
    assert len(one.index.documents()) == 8
    rows = letters(one)
    assert [row["stage"] for row in rows] == ["feed", "feed"]
    assert all(row["doc_id"].startswith("sha256:") for row in rows)
    assert any("doc000003" in row["reason"] for row in rows)


def test_a_mapping_that_contradicts_the_index_stands_by(setup):
    one = setup(STRICT)
    one.database.put("a", n=1)
    one.project.catch_up()
    source = (one.project.folder / "pillows.py").read_text()
    (one.project.folder / "pillows.py").write_text(source.replace("integer", "keyword"))
    one.database.put("b", n=2)
    log = one.project.catch_up(code=4)
    assert "OrderPillow: needs reindex" in log
    assert one.index.documents().keys() == {"a"}
    (one.project.folder / "pillows.py").write_text(source)
    one.project.catch_up()
    assert one.in_step()


def test_a_wrong_password(setup, couch_server_with_password, database):
    one = setup(
        COUCHDB_URL=couch_server_with_password.url,
        COUCHDB_USERNAME="ann",
        COUCHDB_PASSWORD="s3cret-and-wrong",
    )
    log = one.project.catch_up(code=3)
    assert "OrderPillow: stopped" in log
    assert "COUCHDB_PASSWORD" in log
    assert "s3cret" not in log
    worker = one.project.start("--all")
    assert worker.wait() == 3


@pytest.fixture
def couch_server_with_password():
    with running(CouchServer(admin="ann:right")) as server:
        yield server


@pytest.mark.parametrize(
    "command",
    [
        ["run_ptop", "--all"],
        ["ptop_verify", "OrderPillow"],
        ["ptop_checkpoint", "show", "OrderPillow"],
        ["ptop_run_docs", "OrderPillow", "a"],
    ],
)
def test_a_password_that_would_be_sent_in_clear(setup, command):
    one = setup()
    one.reconfigure(COUCHDB_URL="http://couch.invalid", COUCHDB_PASSWORD="s3cret")
    result = one.project.manage(*command)
    assert result.returncode != 0
    assert "would be sent in clear" in result.stderr
    assert "s3cret" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_database(setup):
    one = setup()
    call("DELETE", one.database.url)
    log = one.project.catch_up(code=4)
    assert "OrderPillow: stands by" in log
    assert one.database.name in log
    call("PUT", one.database.url)


@pytest.mark.parametrize("key", ["COUCHDB_URL", "ELASTICSEARCH_URL"])
def test_something_else_listens_there(setup, key):
    def web_page(request, connection):
        connection.reply(200, b"<html>hello</html>", {"Content-Type": "text/html"})

    with ScriptedServer(web_page) as server:
        one = setup(**{key: server.url})
        worker = one.project.start("--all")
        worker.wait_for(f"127.0.0.1:{server.port}")
        assert "OrderPillow: " in worker.log
        assert "something else than" in worker.log
        worker.process.kill()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ([], 2, "say what to run"),
        (["--pillow-key=OrderPilow"], 3, "did you mean 'OrderPillow'"),
        (["--all", "--list"], 2, "not allowed with"),
        (["--al"], 2, "unrecognized arguments"),
    ],
)
def test_mistakes_on_the_command_line(setup, args, code, words):
    result = setup().project.manage("run_ptop", *args)
    assert result.returncode == code, result.stderr
    if words:
        assert re.search(words, result.stderr), result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--all", "--pillow-key=a", "--list", "--list-checkpoints"])
def test_an_empty_setting_is_an_error_with_words(setup, option):
    one = setup()
    one.project.configure(one.settings, [])
    result = one.project.manage("run_ptop", option)
    assert result.returncode == 3
    assert "PILLOWTOPS is empty" in result.stderr


def test_a_server_url_that_names_the_database_too_is_no_database_that_was_made_again(setup):
    one = setup()
    one.database.fill(3)
    one.project.catch_up()
    one.reconfigure(COUCHDB_URL=one.database.url)
    result = one.project.manage("run_ptop", "--all", "--until-caught-up")
    assert result.returncode == 4
    assert "does not exist" in result.stderr
    assert "may be too much" in result.stderr


COPIED = """
from pillowtop.listener import AliasedElasticPillow, PythonPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

class PaidPillow(PythonPillow, OrderPillow):
    def python_fitler(self, document):
        return document["paid"]

class EvenPillow(PythonPillow, OrderPillow):
    def python_filter(self, document):
        return document["n"] % 2 == 0
"""


def test_pillows_that_would_delete_each_others_documents_do_not_start(setup):
    one = setup(COPIED)
    one.database.fill(3)
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.EvenPillow"])
    result = one.project.manage("run_ptop", "--all", "--until-caught-up")
    assert result.returncode == 3
    assert "under the same ids" in result.stderr
    assert not one.index.exists()


def test_a_misspelt_hook_is_warned_of(setup):
    one = setup(COPIED)
    one.project.configure(one.settings, ["pillows.PaidPillow"])
    log = one.project.catch_up()
    assert "WARNING PaidPillow: python_fitler is no hook" in log


def test_a_database_that_was_not_migrated(setup):
    one = setup()
    (one.project.folder / "db.sqlite3").unlink()
    result = one.project.manage("run_ptop", "--all")
    assert result.returncode == 3
    assert "manage.py migrate" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_list(setup):
    result = setup().project.manage("run_ptop", "--list")
    assert result.stdout.split() == [
        "group",
        "pillow",
        "class",
        "OrderPillow",
        "pillows.OrderPillow",
    ]


@pytest.mark.parametrize(
    ("args", "text", "code", "words"),
    [
        (["reset", "OrderPilow", "--noinput"], "", 3, "did you mean 'OrderPillow'"),
        (["forget", "OrderPillow"], "", 2, "invalid choice"),
        (["reset", "OrderPillow"], "no\n", 2, "nothing was changed"),
        (["reset", "OrderPillow"], "", 2, "nothing was changed"),
    ],
)
def test_mistakes_about_checkpoints(setup, args, text, code, words):
    result = setup().project.manage("ptop_checkpoint", *args, text=text)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_checkpoint_before_migrate(setup):
    one = setup()
    (one.project.folder / "db.sqlite3").unlink()
    result = one.project.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    assert result.returncode == 3
    assert "manage.py migrate" in result.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(0)",
        "import asyncio; raise asyncio.CancelledError",
        "import gevent; raise gevent.Timeout(1)",
        "return [document]",
        "return {1: object()}",
    ],
)
def test_whatever_a_hook_does_is_a_letter(setup, code):
    one = setup(
        """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}

    def change_transform(self, document):
        if document["_id"] == "bad":
            """
        + code.replace("{", "{{").replace("}", "}}")
        + "\n        return document\n"
    )
    one.database.put("a", n=1)
    one.database.put("bad", n=1)
    one.database.put("z", n=1)
    log = one.project.catch_up(code=4)
    assert "1 dead letter remains" in log
    assert [row["doc_id"] for row in letters(one)] == ["bad"]
    assert one.index.documents().keys() == {"a", "z"}


def test_json_nested_too_deep_for_anybody(setup):
    one = setup()
    one.database.put("a", n=1)
    deep = b'{"_id": "deep", "x": ' + b"[" * 1000 + b"]" * 1000 + b"}"
    call("POST", one.database.url, deep)
    one.database.put("z", n=1)
    one.project.catch_up(code=4)
    assert one.index.documents().keys() == {"a", "z"}
    assert letters(one)[0]["error_type"] == "UnreadableLine"


def test_a_django_database_that_is_locked_is_waited_for(setup):
    one = setup()
    one.database.put("a", n=1)
    lock = sqlite3.connect(one.project.folder / "db.sqlite3", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    worker = one.project.start("--all")
    worker.wait_for("the Django database does not answer")
    lock.execute("ROLLBACK")
    lock.close()
    one.wait_until_in_step()
    assert "Traceback" not in worker.log
    assert worker.stop() == 0
