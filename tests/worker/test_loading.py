"""Chunks between a feed and the intake: what is loaded when, and in which order it goes on."""

from __future__ import annotations

import gevent
import msgspec
import pytest
from gevent.event import Event

from pillowtop.changes import Change, Revision
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Way
from pillowtop.exceptions import FeedInterrupted, ServerBusy
from pillowtop.feeds.couch_values import DatabaseInfo, Loaded
from pillowtop.feeds.reading import Read, Unreadable
from pillowtop.listener import BasicPillow
from pillowtop.testing import FakeDatabase
from pillowtop.worker import loading
from pillowtop.worker.fetching import Fetcher
from pillowtop.worker.gates import Gates
from pillowtop.worker.loading import CHUNKS_AHEAD, Loader
from pillowtop.worker.patience import Patience

SECONDS = 10.0
LINGER_SECONDS = 0.1


class Database:
    """Answers when it is told to: no server can be made to answer in a given order."""

    name = "orders"

    def __init__(self, document_bytes=1000):
        self.document_bytes = document_bytes
        self.asked = []
        self.held = {}
        self.answers = {}
        self.failures = []

    def info(self):
        return DatabaseInfo(10, 10 * self.document_bytes, "9-x", "1")

    def hold(self, doc_id):
        """Have the request for a document wait for what is returned."""
        self.held[doc_id] = Event()
        return self.held[doc_id]

    def load(self, doc_ids, at_most):
        self.asked.append(doc_ids)
        if self.failures:
            raise self.failures.pop()
        for doc_id in doc_ids:
            if doc_id in self.held:
                self.held[doc_id].wait()
        return {doc_id: self.answers.get(doc_id) or self.found(doc_id) for doc_id in doc_ids}

    def found(self, doc_id):
        body = b'{"_id":"%s","x":"%s"}' % (doc_id.encode(), b"x" * self.document_bytes)
        return Loaded(doc_id, "9-new", doc=msgspec.Raw(body))


def change(doc_id, seq=None, **fields):
    return Change(doc_id, seq, [Revision("1-a")], **fields)


def changes(*doc_ids):
    return [change(doc_id) for doc_id in doc_ids]


def read(*doc_ids, seq=None, **fields):
    return Read("orders", changes(*doc_ids), seq, **fields)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(loading, "CHUNK_DOCUMENTS", 3)


@pytest.fixture
def spawned():
    """Greenlets, which end with the test."""
    greenlets = []
    yield greenlets
    gevent.killall(greenlets)


@pytest.fixture
def spawn(spawned):
    def start(function, *args):
        spawned.append(gevent.spawn(function, *args))
        return spawned[-1]

    return start


@pytest.fixture
def make(spawn):
    def loader(database, pillow=None, versions=None, linger_seconds=SECONDS * 10, fetcher=None):
        patience = Patience("P", Gates(0.01), 0.01)
        made = Loader(
            Way(pillow or BasicPillow(), BasicPillow),
            database,
            versions or Versions(1),
            patience,
            spawn,
            linger_seconds,
            lambda: fetcher or Fetcher(kept_bytes=0),
        )
        made.measure()
        return made

    return loader


def taken(loader, reads):
    with gevent.Timeout(SECONDS):
        return list(loader.through(iter(reads)))


def ids(reads):
    return [[one.id for one in a_read.changes] for a_read in reads]


def until(condition):
    with gevent.Timeout(SECONDS):
        while not condition():
            gevent.sleep(0.001)


def test_documents_come_in_their_newest_revision(make):
    (one,) = taken(make(Database()), [read("a", "b", seq="2-x")])
    assert [change.rev for change in one.changes] == ["9-new", "9-new"]
    assert one.changes[0].document["_id"] == "a"
    assert one.seq == "2-x"


def test_chunks_are_gathered_over_reads_and_go_when_nothing_more_comes(make):
    database = Database()
    reads = [
        read("a", "b", seq="2", more=True),
        read("c", "d", seq="4", more=True),
        read(seq="5", caught_up=True),
    ]
    got = taken(make(database), reads)
    assert database.asked == [["a", "b", "c"], ["d"]]
    assert ids(got) == [["a", "b", "c"], ["d"]]
    # A seq vouches for a whole read: it comes with the chunk in which that ends.
    assert [one.seq for one in got] == ["2", "5"]
    assert [(one.more, one.caught_up) for one in got] == [(True, False), (False, True)]


def test_a_read_that_ends_with_its_chunk_still_says_that_nothing_more_comes(make):
    got = taken(make(Database()), [read("a", "b", "c", seq="3", caught_up=True)])
    assert ids(got) == [["a", "b", "c"], []]
    assert (got[1].seq, got[1].more, got[1].caught_up) == ("3", False, True)


def test_a_document_is_in_a_chunk_once_under_its_last_change(make):
    database = Database()
    first, last = change("a"), change("a", deleted=True)
    reads = [Read("orders", [first, change("b", deleted=True), change("b"), last], "4")]
    loader = make(database)
    with gevent.Timeout(SECONDS):
        (one,) = loader.through(iter(reads))
    assert database.asked == [["b"]]
    assert [(each.id, each.deleted) for each in one.changes] == [("b", False), ("a", True)]
    assert one.version == 2**31 + 1


def test_the_order_of_the_feed_is_kept_though_a_later_chunk_is_loaded_first(make, spawn):
    database = Database()
    slow = database.hold("b")
    reads = [read("a", "b", "c", "d", "e", "f", seq="6")]
    result = spawn(taken, make(database), reads)
    until(lambda: len(database.asked) == 2)
    slow.set()
    assert ids(result.get(timeout=SECONDS)) == [["a", "b", "c"], ["d", "e", "f"], []]


def test_chunks_are_loaded_while_the_one_before_them_is_packed(make, spawn):
    database = Database()
    loader = make(database)
    endless = iter(
        [read(*[f"{n}-{i}" for i in range(3)], seq=str(n), more=True) for n in range(1000)]
    )
    through = loader.through(endless)
    with gevent.Timeout(SECONDS):
        for number in range(10):
            next(through)
            # What is packed now, and those ahead of it: memory holds the documents of no more.
            assert len(database.asked) <= number + 1 + CHUNKS_AHEAD
    until(lambda: len(database.asked) >= 10 + 1)


def test_a_chunk_does_not_wait_for_more_than_its_time(make):
    def silent():
        yield read("a", seq="1", more=True)
        Event().wait()

    with gevent.Timeout(SECONDS):
        one = next(make(Database(), linger_seconds=LINGER_SECONDS).through(silent()))
    assert (ids([one]), one.more) == ([["a"]], False)


def test_a_document_that_changes_all_the_time_is_passed_on_in_time(make):
    endless = (read("a", seq=str(n), more=True) for n in range(10**9))
    database = Database()
    with gevent.Timeout(SECONDS):
        one = next(make(database, linger_seconds=LINGER_SECONDS).through(endless))
    assert database.asked == [["a"]]
    assert one.seq != "0"


def test_what_is_loaded_does_not_wait_for_the_feed(make):
    def silent():
        yield read("a", "b", "c", "d", seq="4", more=True)
        Event().wait()

    through = make(Database(), linger_seconds=LINGER_SECONDS).through(silent())
    with gevent.Timeout(SECONDS):
        assert [ids([next(through)]) for _ in range(2)] == [[["a", "b", "c"]], [["d"]]]


def test_what_came_before_an_interruption_goes_first(make):
    def cut():
        yield read("a", seq="1", more=True)
        yield read("b", more=True)
        raise FeedInterrupted("cut")

    through = make(Database()).through(cut())
    with gevent.Timeout(SECONDS):
        one = next(through)
        with pytest.raises(FeedInterrupted, match="cut"):
            next(through)
    assert (ids([one]), one.seq) == ([["a", "b"]], "1")


def test_nobody_reads_on_for_one_who_has_left(make, spawned):
    endless = (read(f"{n}", seq=str(n), more=True) for n in range(10**9))
    through = make(Database()).through(endless)
    next(through)
    through.close()
    until(spawned[0].ready)


def test_versions_are_drawn_before_documents_are_read(make, spawn):
    database, versions = Database(), Versions(1)
    slow = database.hold("a")
    result = spawn(list, make(database, versions=versions).through(iter([read("a", "b")])))
    until(lambda: database.asked)
    between = versions.draw()
    slow.set()
    (one,) = result.get(timeout=SECONDS)
    assert one.version is not None
    assert one.version + 1 < between


def test_only_what_is_wanted_is_loaded(make):
    class Odd(BasicPillow):
        def filter(self, change):
            if change.id == "broken":
                raise ValueError
            return change.id != "refused"

    database = Database()
    got = taken(
        make(database, Odd()),
        [
            Read(
                "orders",
                [
                    *changes("refused", "broken", "_design/x"),
                    change("gone", deleted=True),
                    change("here", doc=msgspec.Raw(b'{"_id":"here"}')),
                    change("a"),
                ],
                "9",
            )
        ],
    )
    assert database.asked == [["a"]]
    assert sum(map(len, ids(got))) == 6


def test_what_was_deleted_meanwhile_is_a_deletion_and_what_is_missing_stays(make):
    database = Database()
    database.answers = {
        "deleted": Loaded("deleted", "3-x", deleted=True, reason="deleted"),
        "missing": Loaded("missing", reason="missing"),
    }
    (one,) = taken(make(database), [read("deleted", "missing")])
    deleted, missing = one.changes
    assert (deleted.deleted, deleted.has_document) == (True, False)
    assert (missing.deleted, missing.has_document, missing.rev) == (False, False, "1-a")


def test_a_server_that_is_down_is_waited_for(make):
    database = Database()
    database.failures = [ServerBusy("down"), ServerBusy("down")]
    (one,) = taken(make(database), [read("a")])
    assert one.changes[0].has_document
    assert database.asked == [["a"]] * 3


def test_unreadable_lines_travel_with_their_read(make):
    line = Unreadable(b"x", "d", "no JSON")
    (one,) = taken(make(Database()), [read("a", seq="1", unreadable=[line])])
    assert one.unreadable == [line]


@pytest.mark.parametrize(("document_bytes", "full"), [(1, 3), (10**6 // 2, 2), (10**9, 1)])
def test_chunks_of_large_documents_have_few_of_them(make, document_bytes, full):
    database = Database()
    loader = make(Database(document_bytes))
    loader._database = database
    taken(loader, [read(*"abcdef")])
    assert {len(asked) for asked in database.asked} == {full}


def test_what_is_too_much_for_a_chunk_is_left_to_the_trigger(monkeypatch, make):
    monkeypatch.setattr(loading, "CHUNK_BYTES_AT_MOST", 150)
    database = FakeDatabase("orders")
    for doc_id in "abc":
        database.put({"_id": doc_id, "x": "x" * 60})
    reads = taken(make(database), [read(*"abc", seq="1")])
    found = [change.has_document for one in reads for change in one.changes]
    assert found == [True, False, False]


def test_chunks_become_small_when_documents_turn_out_to_be_large(make):
    database = Database(document_bytes=10)
    loader = make(database)
    database.document_bytes = 1024 * 1024
    taken(loader, [read(*"abc"), read(*"defg")])
    assert [len(asked) for asked in database.asked] == [3, 1, 1, 1, 1]
    database.document_bytes = 10
    taken(loader, [read("h"), read(*"ijk")])
    assert [len(asked) for asked in database.asked][5:] == [1, 3]


def test_what_others_asked_for_before_a_document_was_run_again_serves_no_more(make):
    """Else the older state would have the higher version, where the feed says nothing more."""
    database, fetcher = Database(), Fetcher(kept_bytes=10**6)
    (one,) = changes("a")
    first, second = (make(database, fetcher=fetcher) for _ in range(2))
    taken(first, [Read("orders", [one], "1")])
    database.answers = {"a": Loaded("a", reason="missing")}
    second.load_anew()
    (again,) = taken(second, [Read("orders", [one], "1")])
    assert not again.changes[0].has_document
    assert database.asked == [["a"], ["a"]]
