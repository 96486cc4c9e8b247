"""Against a real server: the CouchDB of COUCHDB_URL, or the one made for development."""

from __future__ import annotations

import json
import threading
import uuid
from urllib.parse import urlsplit

import pytest

from dev.servers import CouchServer as DevelopmentServer
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    AccessDenied,
    ConfigurationError,
    DatabaseMissing,
    FeedInterrupted,
    SequenceRefused,
    StandBy,
    TransientError,
)
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from tests.couch import Database, call
from tests.real_servers import request, running

from .scripts import ids, until_error

DEADLINE_SECONDS = 30


def connect(url: str, **options) -> CouchDatabase:
    server, _, name = url.rpartition("/")
    return CouchDatabase(Endpoint.parse(server, **options), name)


@pytest.fixture
def writer(couch_database):
    return Database(couch_database)


@pytest.fixture
def database(couch_database):
    return connect(couch_database)


@pytest.fixture
def follow():
    """Follows a feed in a thread: `seen = follow(feed)`, then `seen.wait(lambda: …)`."""
    started = []

    def start(feed, since=0):
        follower = Follower(feed, since)
        started.append(follower)
        return follower

    yield start
    for follower in started:
        follower.stop()


class Follower:
    def __init__(self, feed, since):
        self.reads = []
        self.errors = []
        self.error_kinds = (TransientError, StandBy)
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(feed, since), daemon=True)
        self._thread.start()

    @property
    def changes(self):
        return [change for read in self.reads for change in read.changes]

    @property
    def caught_up(self):
        return any(read.caught_up for read in self.reads)

    @property
    def follows(self):
        """Whether the long connection is open: it gives reads behind the one that is caught up."""
        return bool(self.reads) and self.caught_up and not self.reads[-1].caught_up

    def wait(self, condition):
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_SECONDS), (self.reads, self.errors)

    def stop(self):
        self._stopping = True
        self._thread.join(10)

    def _run(self, feed, since):
        while not self._stopping:
            try:
                for read in feed.read(since, follow=True):
                    since = since if read.seq is None else read.seq
                    self._note(self.reads, read)
                    if self._stopping:
                        return
            except self.error_kinds as error:
                self._note(self.errors, error)

    def _note(self, kept, one):
        with self._changed:
            kept.append(one)
            self._changed.notify_all()


def latest(changes):
    """The state that changes lead to: the revision of each live document."""
    state = {}
    for change in changes:
        if change.deleted:
            state.pop(change.id, None)
        else:
            state[change.id] = change.rev
    return state


def test_pages_lead_to_the_latest_state(writer, database):
    writer.fill(3000, text="\u2028 and \u0085")
    revs = writer.revs()
    updates = [{"_id": f"doc{n:06}", "_rev": revs[f"doc{n:06}"], "n": -n} for n in range(500)]
    deletions = [
        {"_id": f"doc{n:06}", "_rev": revs[f"doc{n:06}"], "_deleted": True}
        for n in range(1000, 1200)
    ]
    writer.put_many(updates + deletions)
    feed = CouchFeed(database, page_rows=700)
    reads = list(feed.read(0, follow=False))
    changes = [change for read in reads for change in read.changes]
    assert latest(changes) == writer.revs()
    assert sum(change.deleted for change in changes) == 200
    assert [read.caught_up for read in reads] == [False] * (len(reads) - 1) + [True]
    documents = {change.id: change.document for change in changes if not change.deleted}
    assert documents["doc000003"]["n"] == -3
    assert documents["doc002999"]["text"] == "\u2028 and \u0085"
    # From the end on there is nothing, whatever a page's seqs looked like.
    assert not ids(feed.read(reads[-1].seq, follow=False))
    assert database.pending(reads[-1].seq) == 0
    assert database.pending(0) >= 2800


def test_each_seq_of_a_read_resumes_without_a_gap(writer, database):
    writer.fill(300)
    everything = set(ids(CouchFeed(database).read(0, follow=False)))
    feed = CouchFeed(database, page_rows=50, include_docs=False)
    before = set()
    for read in feed.read(0, follow=False):
        before |= set(ids([read]))
        if read.seq is not None:
            after = set(ids(CouchFeed(database).read(read.seq, follow=False)))
            assert before | after == everything


def test_following_sees_updates_and_deletions(writer, database, follow):
    writer.fill(10)
    seen = follow(CouchFeed(database))
    seen.wait(lambda: seen.caught_up)
    rev = writer.put("doc000001", n="new")
    seen.wait(lambda: seen.changes[-1].rev == rev)
    assert seen.changes[-1].document["n"] == "new"
    writer.delete("doc000002")
    seen.wait(lambda: seen.changes[-1].deleted)
    assert latest(seen.changes) == writer.revs()
    assert not seen.errors


def test_a_document_of_eight_megabytes(writer, database, follow):
    writer.put("small")
    seen = follow(CouchFeed(database))
    seen.wait(lambda: seen.caught_up)
    text = "é" * (8_000_000 // 2 - 1000)  # CouchDB's own limit, max_document_size
    writer.put("large", text=text)
    seen.wait(lambda: seen.changes[-1].id == "large")
    assert seen.changes[-1].document["text"] == text
    assert "large" in ids(CouchFeed(database).read(0, follow=False))


DESIGN = {
    "_id": "_design/d",
    "filters": {"even": "function(doc, req) { return doc.n % 2 == 0 && req.query.x == 'y' }"},
    "views": {"odd": {"map": "function(doc) { if (doc.n % 2 == 1) emit(doc._id) }"}},
}
FILTERS = {
    "design": ("d/even", {"x": "y"}, {"a0", "a2"}, {"b0"}),
    "selector": ("_selector", {"selector": {"n": {"$gt": 1}}}, {"a2", "a3"}, set()),
    "ids": ("_doc_ids", {"doc_ids": ["a1", "b1"]}, {"a1"}, {"b1"}),
    "designs": ("_design", {}, {"_design/d"}, set()),
    "view": ("_view", {"view": "d/odd"}, {"a1", "a3"}, {"b1"}),
}


@pytest.mark.parametrize("kind", FILTERS)
def test_filters_of_each_kind(writer, database, follow, kind):
    name, parameters, first, then = FILTERS[kind]
    writer.put_many([DESIGN, *({"_id": f"a{n}", "n": n} for n in range(4))])
    seen = follow(CouchFeed(database, filter=name, filter_parameters=parameters))
    seen.wait(lambda: seen.caught_up)
    assert {change.id for change in seen.changes} == first
    position = next(read.seq for read in seen.reads if read.caught_up)
    writer.put_many([{"_id": "b0", "n": 0}, {"_id": "b1", "n": 1}])
    seen.wait(lambda: {change.id for change in seen.changes} == first | then)
    # What is filtered out moves the position all the same.
    seen.wait(lambda: any(read.seq not in (None, position) for read in list(seen.reads)))
    assert not seen.errors


def test_a_filter_that_is_not_there(database, writer):
    writer.put_many([DESIGN])
    for name in ("nothing/here", "d/nothing"):
        _, error = until_error(
            CouchFeed(database, filter=name).read(0, follow=False), ConfigurationError
        )
        assert name in str(error)


def test_a_seq_that_is_none(database):
    until_error(CouchFeed(database).read("what?", follow=False), SequenceRefused)


def test_a_database_that_is_deleted_and_made_again_while_it_is_followed(writer, database, follow):
    writer.put("old")
    seen = follow(CouchFeed(database))
    seen.wait(lambda: seen.follows)
    call("DELETE", writer.url)
    seen.wait(lambda: any(isinstance(error, FeedInterrupted) for error in seen.errors))
    seen.wait(lambda: any(isinstance(error, DatabaseMissing) for error in seen.errors))
    call("PUT", writer.url)
    writer.put("new")
    seen.wait(lambda: seen.changes[-1].id == "new")


def test_what_is_asked_of_a_database(writer, database, couch_url):
    writer.fill(5)
    writer.delete("doc000001")
    assert database.info().doc_count == 4
    loaded = database.load(["doc000000", "doc000001", "nothing"])
    live = loaded["doc000000"]
    assert json.loads(bytes(live.doc)) == database.get("doc000000")
    assert live.rev == writer.revs()["doc000000"]
    assert loaded["doc000001"].deleted
    assert (loaded["nothing"].deleted, loaded["nothing"].reason) == (False, "missing")
    assert database.get("doc000001") is None
    assert database.gone(["doc000000", "doc000001", "nothing"]) == {
        "doc000001", "nothing",
    }  # fmt: skip
    missing = connect(f"{couch_url}/test-{uuid.uuid4().hex}")
    for ask in (missing.info, lambda: missing.load(["a"]), lambda: missing.get_local("a")):
        with pytest.raises(DatabaseMissing):
            ask()


def test_local_documents(database):
    assert database.get_local("pillowtop-x") is None
    for value in (1, 2, 3):
        database.put_local("pillowtop-x", {"value": value})
    assert database.get_local("pillowtop-x")["value"] == 3
    assert not ids(CouchFeed(database).read(0, follow=False))


def test_a_server_that_is_killed_and_comes_back(couch_server, follow):
    writer = Database(f"{couch_server.url}/orders")
    call("PUT", writer.url)
    writer.fill(20)
    seen = follow(CouchFeed(connect(writer.url)))
    seen.wait(lambda: seen.caught_up)
    couch_server.kill()
    seen.wait(lambda: bool(seen.errors))
    couch_server.start()
    writer.put("after")
    seen.wait(lambda: seen.changes[-1].id == "after")
    assert latest(seen.changes) == writer.revs()


@pytest.fixture(scope="module")
def guarded():
    """The address of a server that lets nobody in but `me` with `hush-hush`."""
    with running(DevelopmentServer(admin="me:hush-hush")) as server:
        place = urlsplit(server.url).netloc
        assert request("PUT", f"http://me:hush-hush@{place}/orders").status == 201
        assert request("PUT", f"http://me:hush-hush@{place}/orders/a", {}).status == 201
        yield f"http://{place}/orders"


@pytest.mark.parametrize("authentication", ["basic", "cookie"])
def test_signing_in(guarded, authentication):
    options = {"username": "me", "authentication": authentication}
    database = connect(guarded, password="hush-hush", **options)
    assert database.info().doc_count == 1
    assert ids(CouchFeed(database).read(0, follow=False)) == ["a"]
    wrong = connect(guarded, password="hush", **options)
    for include_docs in (True, False):
        feed = CouchFeed(wrong, include_docs=include_docs)
        _, error = until_error(feed.read(0, follow=False), AccessDenied)
        assert "'me'" in str(error)
        assert "hush" not in str(error)


def test_nobody_is_let_in_without_credentials(guarded):
    _, error = until_error(
        CouchFeed(connect(guarded), include_docs=False).read(0, follow=False), AccessDenied
    )
    assert "anonymous" in str(error)


def test_a_session_ends_and_is_opened_again(guarded):
    database = connect(guarded, username="me", password="hush-hush", authentication="cookie")
    database.info()
    database.server._cookie = "AuthSession=expired"
    assert ids(CouchFeed(database, include_docs=False).read(0, follow=False)) == ["a"]
    database.server._cookie = "AuthSession=expired"
    assert database.get("a") is not None
