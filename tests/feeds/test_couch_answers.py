"""What a follower makes of answers that are not the feed it asked for."""

from __future__ import annotations

import pytest

from pillowtop.exceptions import (
    AccessDenied,
    ConfigurationError,
    DatabaseMissing,
    FeedInterrupted,
    SequenceRefused,
    ServerBusy,
    ServerUnreachable,
)
from pillowtop.feeds.couch import CouchFeed
from pillowtop.testing.scripted import ScriptedServer

from .scripts import (
    answering,
    database_at,
    feed_of,
    ids,
    page,
    replying,
    row,
    until_error,
)


def rows(*numbers):
    return [row(number) for number in numbers]


COMPLAINTS = {
    "anonymous": (401, "unauthorized", "You are not authorized", AccessDenied, "COUCHDB_PASSWORD"),
    "not a member": (403, "forbidden", "not a member", AccessDenied, "_security"),
    "no database": (404, "not_found", "Database does not exist.", DatabaseMissing, "'db'"),
    "no file": (404, "not_found", "no_db_file", DatabaseMissing, "'db'"),
    "bad seq": (
        400,
        "bad_request",
        "Malformed sequence supplied in 'since' parameter.",
        SequenceRefused,
        "checkpoint",
    ),
    "bad name": (400, "illegal_database_name", "Name: 'X'.", ConfigurationError, "couch_db"),
    "broken": (500, "badmatch", "first\n  stack" + 400 * "\n", ServerBusy, "badmatch: first stack"),
    "busy": (429, "too_many_requests", "slow down", ServerBusy, "429"),
    "overloaded": (503, "service_unavailable", "later", ServerBusy, "503"),
    "no idea": (418, "teapot", "short and stout", ServerBusy, "418"),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_status_is_mapped_to_what_the_engine_does_about_it(name):
    status, error, reason, kind, words = COMPLAINTS[name]
    answer = replying(status, {"error": error, "reason": reason})
    secret = {"username": "me", "password": "hush-hush"}
    with feed_of(answer, database=secret) as (feed, server):
        _, raised = until_error(feed.read("1-x", follow=False), kind)
        assert type(raised) is kind
    message = str(raised)
    assert words in message
    assert f"127.0.0.1:{server.port}" in message
    assert "hush" not in message
    assert "\n" not in message
    if kind is AccessDenied:
        assert "'me'" in message
        assert "'db'" in message


FILTERS = {
    "no design document": (404, "not_found", "missing", ConfigurationError),
    "a deleted one": (404, "not_found", "deleted", ConfigurationError),
    "no such function": (404, "not_found", "missing json key: filters", ConfigurationError),
    "the same as 500": (500, "not_found", "missing json key: filters", ConfigurationError),
    "the database is gone": (404, "not_found", "Database does not exist.", DatabaseMissing),
    "it raises": (500, "compilation_error", "Expression does\n{stack}", ServerBusy),
    "it is refused": (400, "bad_request", "no filter", ConfigurationError),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_that_is_missing_or_broken(name):
    status, error, reason, kind = FILTERS[name]
    answer = replying(status, {"error": error, "reason": reason})
    with feed_of(answer, filter="shop/orders") as (feed, _):
        _, raised = until_error(feed.read(0, follow=False), kind)
    if kind is not DatabaseMissing:
        assert "shop/orders" in str(raised)
    assert "\n" not in str(raised)


@pytest.mark.parametrize("include_docs", [True, False])
@pytest.mark.parametrize("status", [400, 404, 405, 503])
def test_an_error_without_a_reason_is_something_elses(status, include_docs):
    """Elasticsearch's; who answers is asked."""
    refusal = {"error": "no handler found for uri [/db] and method [GET]"}
    with ScriptedServer(replying(status, refusal)) as server:
        feed = CouchFeed(database_at(server.url), include_docs=include_docs)
        _, raised = until_error(feed.read(0, follow=False), ServerBusy)
    assert f"something else than CouchDB listens at 127.0.0.1:{server.port}" in str(raised)
    assert server.requests[-1].path == "/"


@pytest.mark.parametrize("status", [200, 404, 500, 502])
def test_html_is_something_else_than_couchdb(status):
    html = {"Content-Type": "text/html"}
    with ScriptedServer(replying(status, b"<html><h1>Welcome</h1>", html)) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        _, raised = until_error(feed.read(0, follow=False), ServerBusy)
    assert f"something else than CouchDB listens at 127.0.0.1:{server.port}" in str(raised)


def test_a_proxy_that_has_no_couchdb_behind_it_is_busy():
    def answer(request, connection):
        if request.path == "/":
            connection.reply(200, {"couchdb": "Welcome"})
        else:
            connection.reply(502, b"<html>Bad Gateway", {"Content-Type": "text/html"})

    with ScriptedServer(answer) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        _, raised = until_error(feed.read(0, follow=False), ServerBusy)
    assert "answered 502" in str(raised)


def test_another_service_on_that_port():
    def answer(request, connection):
        if request.path == "/":
            connection.reply(200, {"tagline": "You Know, for Search"})
        else:
            error = {"type": "index_not_found_exception"}
            connection.reply(404, {"error": error, "status": 404})

    with ScriptedServer(answer) as server:
        for include_docs in (True, False):
            feed = CouchFeed(database_at(server.url), include_docs=include_docs)
            _, raised = until_error(feed.read(0, follow=False), ServerBusy)
            assert "something else than CouchDB" in str(raised)


def test_rows_that_are_no_json_at_all_are_an_interruption():
    with feed_of(replying(200, b"<html>\n" * 50)) as (feed, _):
        _, error = until_error(feed.read(0, follow=False), FeedInterrupted)
    assert "no changes feed" in str(error)


@pytest.mark.parametrize("greeting", [b"220 mail ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02", b"\n\n"])
def test_what_is_not_http(greeting):
    def answer(request, connection):
        connection.send(greeting * 3)
        connection.close()

    with ScriptedServer(answer) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        _, raised = until_error(feed.read(0, follow=False), (ServerBusy, FeedInterrupted))
    if greeting.strip():
        assert "does not speak HTTP: is it CouchDB?" in str(raised)


def test_headers_without_an_end():
    def answer(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.send(b"X-Header: " + b"x" * 1000 + b"\r\n")

    with ScriptedServer(answer) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        until_error(feed.read(0, follow=False), ServerBusy)


def test_a_connection_that_is_closed_before_an_answer():
    with ScriptedServer(lambda request, connection: connection.close()) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        _, raised = until_error(feed.read(0, follow=False), ServerUnreachable)
    assert (raised.host, raised.port) == ("127.0.0.1", server.port)


def test_a_redirect_is_not_followed():
    where = {"Location": "https://user:secret@elsewhere:6984/db/_changes?x=secret"}
    for include_docs in (True, False):
        with ScriptedServer(replying(301, b"", where)) as server:
            feed = CouchFeed(database_at(server.url), include_docs=include_docs)
            _, raised = until_error(feed.read(0, follow=False), ConfigurationError)
        assert "redirects to https://elsewhere:6984/db/_changes" in str(raised)
        assert "COUCHDB_URL" in str(raised)
        assert "secret" not in str(raised)
        assert len(server.requests) == 1


def test_a_server_that_refuses_and_comes_back():
    with ScriptedServer(replying(500)) as gone:
        port = gone.port
    feed = CouchFeed(database_at(f"http://127.0.0.1:{port}"))
    for include_docs in (True, False):
        feed = CouchFeed(database_at(f"http://127.0.0.1:{port}"), include_docs=include_docs)
        _, raised = until_error(feed.read(0, follow=False), ServerUnreachable)
        assert (raised.host, raised.port) == ("127.0.0.1", port)
        assert "refused" in str(raised)
        assert "object at 0x" not in str(raised)
    with ScriptedServer(answering(replying(200, page(rows(1))))) as server:
        feed.database = database_at(server.url)
        assert ids(feed.read(0, follow=False)) == ["d1"]


def test_a_host_that_does_not_exist():
    for include_docs in (True, False):
        feed = CouchFeed(database_at("http://couch.invalid:5984"), include_docs=include_docs)
        _, raised = until_error(feed.read(0, follow=False), ServerUnreachable)
        assert raised.host == "couch.invalid"


def test_informational_responses_are_passed_over():
    def changes(request, connection):
        connection.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        connection.reply(200, page(rows(1)))

    with feed_of(changes) as (feed, _):
        assert ids(feed.read(0, follow=False)) == ["d1"]


def test_an_endless_refusal_takes_no_memory():
    def changes(request, connection):
        connection.start(500)
        while True:
            connection.chunk(b"x" * 10_000)

    with feed_of(changes) as (feed, _):
        until_error(feed.read(0, follow=False), ServerBusy)


def test_a_connection_that_breaks_while_it_waits_for_an_answer():
    with ScriptedServer(lambda request, connection: connection.reset()) as server:
        feed = CouchFeed(database_at(server.url), include_docs=False)
        _, raised = until_error(feed.read(0, follow=False), ServerUnreachable)
    assert raised.port == server.port


def test_a_kept_connection_that_is_reset_before_the_answer_is_replaced():
    asked_for = []

    def changes(request, connection):
        asked_for.append(request.query["since"])
        if asked_for == ["0", "1-p"]:
            connection.reset()
        elif request.query["since"] == "0":
            connection.reply(200, page(rows(1), "1-p"))
        else:
            connection.reply(200, page([], "2-p"))

    with feed_of(changes, page_rows=1) as (feed, _):
        assert list(feed.read(0, follow=False))[-1].seq == "2-p"
    assert asked_for == ["0", "1-p", "1-p"]


def test_an_answer_without_a_status_line_of_its_own_is_an_interruption():
    def changes(request, connection):
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.close()

    with feed_of(changes) as (feed, _):
        until_error(feed.read(0, follow=False), FeedInterrupted)
