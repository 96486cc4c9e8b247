"""Answers of any form: understood, or one of our own errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import (
    ConfigurationError,
    FeedInterrupted,
    SequenceRefused,
    ServerBusy,
)
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.couch_errors import Answer, Request, error_of
from pillowtop.feeds.couch_server import CouchServer
from pillowtop.feeds.couch_values import encode_seq
from pillowtop.feeds.http_stream import Response
from pillowtop.testing.scripted import ScriptedServer
from tests.feeds.scripts import database_at, feed_of, page, row, until_error
from tests.fuzzing import attempted, cut, json_values, mutated, nested, objects

ENDPOINT = Endpoint.parse("http://couch:5984")
KEYS = ["db_name", "doc_count", "sizes", "external", "update_seq", "instance_start_time"]
KEYS_OF_ROWS = ["results", "pending", "rows", "key", "id", "value", "docs", "ok", "error", "reason"]
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
)
RESPONSES = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde",
    b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED,
    b"HTTP/1.0 404 Object Not Found\r\nX: \xff\r\n\r\nabcde",
    b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxy",
]


class Server(CouchServer):
    """Answers everything with one body."""

    def __init__(self, status, body):
        super().__init__(ENDPOINT)
        self.answer = Answer(status, {}, body)

    def _send(self, *args, **more):
        return self.answer


QUESTIONS = [
    lambda database: database.info(),
    lambda database: database.pending("1-x"),
    lambda database: database.has_changes("1-x"),
    lambda database: database.get("a"),
    lambda database: database.get_local("a"),
    lambda database: database.put_local("a", {}),
    lambda database: database.load(["a", "b"]),
    lambda database: database.gone(["a"]),
    lambda database: database.ids_with_prefix("a"),
]

bodies = (
    objects(KEYS).map(lambda text: text.encode(errors="surrogatepass"))
    | objects(KEYS_OF_ROWS, json_values | st.lists(json_values, max_size=3)).map(str.encode)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=50)
)


@given(st.sampled_from([200, 201, 302, 400, 401, 404, 409, 500]), bodies)
@settings(deadline=None, max_examples=100)
def test_whatever_is_answered_is_understood_or_an_error_of_ours(status, body):
    database = CouchDatabase(ENDPOINT, "db", Server(status, body))
    for ask in QUESTIONS:
        _, error = attempted(ask, database)
        assert error is None or str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"db_name": "db", "doc_count": "many"},
        {"db_name": "db", "doc_count": [1]},
        {"db_name": "db", "sizes": "large"},
        {"db_name": "db", "doc_count": 1, "sizes": {"external": -500}},
        {"db_name": "db", "sizes": {"external": 10**400}},
        {"doc_count": 1},
    ],
)
def test_sizes_of_another_form_are_not_believed(body):
    database = CouchDatabase(ENDPOINT, "db", Server(200, json.dumps(body).encode()))
    with pytest.raises(ServerBusy, match="something else than CouchDB"):
        database.info()


@pytest.mark.parametrize("body", [{}, {"pending": "x"}, {"results": [], "pending": -1}])
def test_a_count_of_another_form_is_not_taken_for_none(body):
    database = CouchDatabase(ENDPOINT, "db", Server(200, json.dumps(body).encode()))
    for ask in (database.pending, database.has_changes):
        with pytest.raises(ServerBusy):
            ask("1-x")


def test_a_revision_with_a_generation_of_5000_digits_is_no_crash():
    leaf = {"ok": {"_id": "a", "_rev": "9" * 5000 + "-x"}}
    other = {"ok": {"_id": "a", "_rev": "1-a"}}
    body = json.dumps({"results": [{"id": "a", "docs": [leaf, other]}]}).encode()
    database = CouchDatabase(ENDPOINT, "db", Server(200, body))
    assert database.load(["a"])["a"].doc is not None


@pytest.mark.parametrize("location", ["http://[::1", "//[", "", "\xff"])
def test_a_redirect_to_what_is_no_url(location):
    answer = Answer(302, {"location": location}, b"")
    error = error_of(answer, Request(ENDPOINT, "db"))
    assert isinstance(error, ConfigurationError)
    assert "redirects to" in str(error)


@pytest.mark.parametrize("depth", range(100, 1100, 50))
def test_a_reason_nested_deep(depth):
    body = f'{{"error":"x","reason":{nested(depth)}}}'.encode()
    assert isinstance(error_of(Answer(500, {}, body), Request(ENDPOINT, "db")), ServerBusy)


def test_now_is_no_position():
    """CouchDB takes it: everything up to the moment of the request would be left out."""
    with pytest.raises(SequenceRefused, match="no position"):
        encode_seq("now")
    with ScriptedServer(lambda *_: None) as server, pytest.raises(SequenceRefused):
        database_at(server.url).pending("now")


@given(cut(mutated(RESPONSES)))
@settings(deadline=None, max_examples=200)
def test_a_response_does_not_depend_on_how_it_is_cut(blocks):
    whole, parts = Response(), Response()
    body = whole.feed(b"".join(blocks))
    found = b""
    for block in blocks:
        found += parts.feed(block)
        if parts.complete or parts.garbled:
            break
    assert found == body
    assert parts.status == whole.status
    if parts.complete and not parts.garbled:
        assert whole.complete


def test_an_answer_behind_the_answer_is_no_part_of_it():
    body = page([row(1)])

    def answer(request, connection):
        connection.reply(200, body)
        connection.reply(200, page([row(2)]))

    def both(request, connection):
        one = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        connection.send(one + one)

    with feed_of(both, include_docs=False) as (feed, _):
        reads, error = until_error(feed.read(0, follow=False), FeedInterrupted)
    assert [change.id for read in reads for change in read.changes] == ["d1"]
    assert "nobody asked for" in str(error)
