"""Documents that several want: fetched once, whoever asks first, fails, leaves or comes late."""

from __future__ import annotations

import time

import gevent
import msgspec
import pytest
from gevent.event import Event

from pillowtop.awaited import Answers, keep_in
from pillowtop.changes import Change, Revision
from pillowtop.exceptions import ServerBusy
from pillowtop.feeds.couch_values import Loaded
from pillowtop.worker import fetching
from pillowtop.worker.fetching import Fetcher

SECONDS = 10.0
KEPT_BYTES = 10_000


class Server:
    """Answers at once, or what it is told to when it is told to."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self.failure = None
        self.goes_on = Event()
        self.goes_on.set()

    def load(self, doc_ids):
        self.asked.append(doc_ids)
        failure = self.failure
        self.goes_on.wait()
        if failure:
            raise failure
        usual = {one: Loaded(one, "2-b", doc=msgspec.Raw(b'{"x":1}')) for one in doc_ids}
        return {one: self.answers.get(one, usual[one]) for one in doc_ids}


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def fetcher():
    return Fetcher(KEPT_BYTES)


@pytest.fixture
def spawn():
    greenlets = []

    def start(function, *args):
        greenlets.append(gevent.spawn(function, *args))
        gevent.sleep(0)
        return greenlets[-1]

    yield start
    gevent.killall(greenlets)


def changes(doc_ids):
    return [Change(doc_id, "1-x", [Revision("1-a")]) for doc_id in doc_ids]


def test_who_asks_meanwhile_waits_and_asks_for_the_rest(server, fetcher, spawn):
    a, b, c = changes("abc")
    server.goes_on.clear()
    first = spawn(fetcher.fetch, [a, b], server.load)
    second = spawn(fetcher.fetch, [b, c], server.load)
    server.goes_on.set()
    mine, theirs = first.get(timeout=SECONDS), second.get(timeout=SECONDS)
    assert server.asked == [["a", "b"], ["c"]]
    assert list(mine) == [a, b]
    assert set(theirs) == {b, c}
    # The very same, which is decoded once for all.
    assert mine[b] is theirs[b]
    assert (mine[b].document, mine[b].rev, b.has_document) == ({"x": 1}, "2-b", False)


def test_who_asks_later_gets_what_came(server, fetcher):
    (a,) = changes("a")
    assert fetcher.fetch([a], server.load)[a] is fetcher.fetch([a], server.load)[a]
    assert server.asked == [["a"]]


def test_of_another_change_a_document_is_fetched_anew(server, fetcher):
    """Though it says the same: it may have come behind what was fetched for the first."""
    (first,), (second,) = changes("a"), changes("a")
    fetcher.fetch([first], server.load)
    fetcher.fetch([second], server.load)
    assert server.asked == [["a"], ["a"]]


def test_who_waits_asks_himself_where_that_failed(server, fetcher, spawn):
    (a,) = changes("a")
    server.goes_on.clear()
    server.failure = ServerBusy("down")
    first = spawn(fetcher.fetch, [a], server.load)
    second = spawn(fetcher.fetch, [a], server.load)
    server.failure = None
    server.goes_on.set()
    with pytest.raises(ServerBusy):
        first.get(timeout=SECONDS)
    assert second.get(timeout=SECONDS)[a].has_document
    assert server.asked == [["a"], ["a"]]


def test_who_waits_asks_himself_where_the_other_is_gone(server, fetcher, spawn):
    (a,) = changes("a")
    server.goes_on.clear()
    first = spawn(fetcher.fetch, [a], server.load)
    second = spawn(fetcher.fetch, [a], server.load)
    first.kill()
    server.goes_on.set()
    assert second.get(timeout=SECONDS)[a].has_document


def test_who_waits_is_seen_to_wait_for_couchdb(server, fetcher, spawn):
    (a,) = changes("a")
    answers = Answers()

    def wait():
        keep_in(answers)
        fetcher.fetch([a], server.load)

    server.goes_on.clear()
    spawn(fetcher.fetch, [a], server.load)
    second = spawn(wait)
    (awaited,) = answers.awaited
    assert "CouchDB" in awaited.server
    server.goes_on.set()
    second.get(timeout=SECONDS)
    assert not answers.awaited


def test_a_deletion_is_known_to_all_and_what_cannot_be_had_is_asked_for_again(server, fetcher):
    gone, missing = changes(["gone", "missing"])
    server.answers = {
        "gone": Loaded("gone", "3-x", deleted=True, reason="deleted"),
        "missing": Loaded("missing", reason="missing"),
    }
    for _ in range(2):
        found = fetcher.fetch([gone, missing], server.load)
        assert found[missing] is missing
        assert (found[gone].deleted, gone.deleted) == (True, False)
    assert server.asked == [["gone", "missing"], ["missing"]]


@pytest.mark.parametrize("document", [b'{"x":"%s"}' % (b"x" * 900), None])
def test_no_more_is_kept_than_it_may(server, fetcher, document):
    for number in range(100):
        (one,) = changes([str(number)])
        server.answers[one.id] = Loaded(
            one.id, "2-b", document is None, document and msgspec.Raw(document)
        )
        fetcher.fetch([one], server.load)
    assert 1 < len(fetcher._kept) < 30
    (last,) = [each for each in fetcher._kept if each.id == "99"]
    fetcher.fetch([last], server.load)
    assert len(server.asked) == 100


def test_where_nothing_is_kept_it_fetches_all_the_same(server):
    a, b = changes("ab")
    found = Fetcher(kept_bytes=0).fetch([a, b], server.load)
    assert [one.has_document for one in found.values()] == [True, True]
    assert server.asked == [["a", "b"]]


def test_what_was_asked_for_too_early_is_fetched_anew(server, fetcher, spawn):
    """As where the pillow has written what is newer meanwhile, though it be coming still."""
    (a,) = changes("a")
    fetcher.fetch([a], server.load)
    fetcher.fetch([a], server.load, time.monotonic())
    server.goes_on.clear()
    first = spawn(fetcher.fetch, [a], server.load, time.monotonic())
    second = spawn(fetcher.fetch, [a], server.load, time.monotonic())
    server.goes_on.set()
    assert first.get(timeout=SECONDS)[a] is not second.get(timeout=SECONDS)[a]
    assert server.asked == [["a"]] * 4


def test_what_is_kept_has_its_time(server, fetcher, monkeypatch):
    (a,) = changes("a")
    fetcher.fetch([a], server.load)
    monkeypatch.setattr(fetching, "KEPT_SECONDS", -1.0)
    fetcher.fetch([a], server.load)
    assert server.asked == [["a"], ["a"]]
    assert len(fetcher._kept) == 1


def test_what_cannot_be_had_is_said_to_all_who_wait(server, fetcher, spawn):
    (a,) = changes("a")
    server.answers = {"a": Loaded("a", reason="missing")}
    server.goes_on.clear()
    waiting = [spawn(fetcher.fetch, [a], server.load) for _ in range(5)]
    server.goes_on.set()
    assert [one.get(timeout=SECONDS)[a] for one in waiting] == [a] * 5
    assert server.asked == [["a"]]


def test_what_is_too_large_displaces_nothing(server, fetcher):
    small, large = changes(["small", "large"])
    huge = msgspec.Raw(b'{"x":"%s"}' % (b"x" * KEPT_BYTES))
    server.answers = {"large": Loaded("large", "2-b", doc=huge)}
    for one in (small, large, small):
        fetcher.fetch([one], server.load)
    assert server.asked == [["small"], ["large"]]
