"""Pillows that follow the `Database` of couchdbkit, against a real server."""

from __future__ import annotations

import subprocess
import sys
import uuid
import warnings
from urllib.parse import quote

import pytest

from dev.servers import CouchServer
from pillowtop.exceptions import AccessDenied, ConfigurationError
from pillowtop.listener import BasicPillow
from tests.real_servers import request, running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the client below it
    import couchdbkit

# What couchdbkit's own requests leave behind is couchdbkit's.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def guarded():
    """The URL of a server that asks for a password."""
    with running(CouchServer(admin="me:hush-hush")) as server:
        yield server.url


def pillow_of(database):
    class OrderPillow(BasicPillow):
        couch_db = database

    return OrderPillow()


def ids(pillow):
    reads = pillow.get_feed().read("0", follow=False)
    return [change.id for read in reads for change in read.changes]


@pytest.mark.parametrize("name", ["plain", "a/b", "x+y", "a/b+c$d(e)-f_g"])
def test_a_database_is_followed_whatever_its_name(couch_url, settings, name):
    settings.PILLOWTOP = {"COUCHDB_URL": "http://127.0.0.1:9"}  # the object knows better
    database = couchdbkit.Server(couch_url).create_db(f"test-{uuid.uuid4().hex}-{name}")
    try:
        database.save_doc({"_id": "a", "n": 1})
        pillow = pillow_of(database)
        assert pillow.get_database().name == database.cloudant_dbname
        assert ids(pillow) == ["a"]
        assert pillow.get_database().get("a")["n"] == 1
    finally:
        request("DELETE", f"{couch_url}/{quote(database.cloudant_dbname, safe='')}")


def test_an_empty_database_is_a_database(couch_database, settings):
    settings.PILLOWTOP = {}
    server, _, name = couch_database.rpartition("/")
    assert ids(pillow_of(couchdbkit.Server(server)[name])) == []


def test_its_credentials_come_from_the_settings(guarded, settings):
    server = couchdbkit.Server(guarded.replace("://", "://me:hush-hush@"))
    database = server.create_db("x+y")
    database.save_doc({"_id": "a"})
    assert "hush" not in database.uri
    settings.PILLOWTOP = {"COUCHDB_USERNAME": "me", "COUCHDB_PASSWORD": "hush-hush"}
    assert ids(pillow_of(database)) == ["a"]
    settings.PILLOWTOP = {}
    with pytest.raises(AccessDenied, match="anonymous"):
        ids(pillow_of(database))


def test_its_documents_are_wrapped(couch_database, settings):
    settings.PILLOWTOP = {}

    class Order(couchdbkit.Document):
        amount = couchdbkit.IntegerProperty()

    server, _, name = couch_database.rpartition("/")
    database = couchdbkit.Server(server)[name]
    Order.set_db(database)
    Order(_id="a", amount=5).save()
    got = []

    class OrderPillow(BasicPillow):
        couch_db = database
        document_class = Order
        include_docs = False

        def change_transform(self, order):
            order.amount += 1
            return order

        def change_transport(self, document):
            got.append(document)

    pillow = OrderPillow()
    for read in pillow.get_feed().read("0", follow=False):
        for change in read.changes:
            pillow.process_change(change)
    assert [(type(one), one["amount"], one["doc_type"]) for one in got] == [(dict, 6, "Order")]


@pytest.mark.parametrize("given", [object(), 5, None, ""])
def test_something_else_is_refused(given):
    with pytest.raises(ConfigurationError, match="set couch_db to the name or the URL"):
        pillow_of(given).get_database()


def test_nobody_imports_couchdbkit_but_those_who_use_it():
    source = (
        "import sys, pillowtop.listener, pillowtop.engine.way, pillowtop.feeds.couch\n"
        "sys.exit(bool({'couchdbkit', 'cloudant', 'jsonobject'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", source], check=False)
    assert done.returncode == 0
