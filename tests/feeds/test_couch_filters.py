"""Feeds that CouchDB filters."""

from __future__ import annotations

import time

import pytest

from pillowtop.exceptions import (
    ConfigurationError,
    FeedInterrupted,
)
from pillowtop.feeds.couch import CouchFeed

from .scripts import (
    asked,
    database_at,
    feed_of,
    page,
    replying,
    row,
    take,
    until_error,
)


def filtered(last_seqs):
    """A database of which no row passes a filter; each page moves on."""
    numbers = iter(last_seqs)

    def answer(request, connection):
        if request.query["feed"] == "normal":
            connection.reply(200, page([], next(numbers)))
        else:
            assert "filter" not in request.query
            assert "include_docs" not in request.query
            connection.reply(200, page([row(1, doc=None)], "not this"))

    return answer


def test_a_filtered_feed_moves_on_without_a_row():
    seqs = [f"{n}-p" for n in range(1, 100)]
    started = time.monotonic()
    with feed_of(
        filtered(seqs), filter="a/b", filter_parameters={"x": "y z", "n": 1, "l": [2]}
    ) as (feed, server):
        reads = take(feed.read(0, follow=True), lambda taken: taken[-1].seq == "5-p")
        queries = asked(server)
    assert time.monotonic() - started > 0.19  # no more than twenty a second
    assert [read.seq for read in reads if read.seq] == seqs[:5]
    assert all(read.caught_up for read in reads if read.seq)
    pages = [query for query in queries if query["feed"] == "normal"]
    waits = [query for query in queries if query["feed"] == "longpoll"]
    assert [query["since"] for query in pages] == ["0", *seqs[:4]]
    assert [query["since"] for query in waits] == seqs[:4]
    assert (pages[0]["filter"], pages[0]["x"], pages[0]["n"], pages[0]["l"]) == (
        "a/b",
        "y z",
        "1",
        "[2]",
    )
    assert waits[0]["heartbeat"] == "2000"


@pytest.mark.parametrize(
    ("name", "parameters", "body", "query"),
    [
        (
            "_selector",
            {"selector": {"a": 1}, "fields": ["a"]},
            {"selector": {"a": 1}, "fields": ["a"]},
            {},
        ),
        ("_doc_ids", {"doc_ids": ["a", "b"]}, {"doc_ids": ["a", "b"]}, {}),
        ("_view", {"view": "d/v"}, None, {"view": "d/v"}),
        ("_design", {}, None, {}),
    ],
)
def test_filters_of_couchdb_itself(name, parameters, body, query):
    with feed_of(replying(200, page([])), filter=name, filter_parameters=parameters) as (
        feed,
        server,
    ):
        list(feed.read(0, follow=False))
    request = server.requests[-1]
    assert request.method == ("GET" if body is None else "POST")
    assert body is None or request.json() == body
    assert body is None or request.headers["content-type"] == "application/json"
    assert request.query["filter"] == name
    assert request.query.items() >= query.items()


def test_a_longpoll_that_ends_without_a_row_is_an_interruption():
    def changes(request, connection):
        connection.reply(200, page([], "1-p"))

    with feed_of(changes, filter="a/b") as (feed, _):
        _, error = until_error(feed.read(0, follow=True), FeedInterrupted)
    assert "ended" in str(error)


def test_an_unreadable_row_wakes_a_filtered_feed_like_any_other():
    def changes(request, connection):
        longpoll = request.query["feed"] == "longpoll"
        connection.reply(200, page([b"garbage"] if longpoll else [], "1-p"))

    with feed_of(changes, filter="a/b") as (feed, _):
        reads = take(feed.read(0, follow=True), lambda taken: sum(r.caught_up for r in taken) == 3)
    assert not any(read.unreadable for read in reads)


def test_waiting_for_news_gives_control_back():
    def changes(request, connection):
        if request.query["feed"] == "normal":
            connection.reply(200, page([], "1-p"))
            return
        connection.start()
        for _ in range(100):
            connection.chunk(b"\n")
            time.sleep(0.01)

    with feed_of(changes, filter="a/b") as (feed, _):
        reads = take(feed.read(0, follow=True), lambda taken: len(taken) > 20)
    assert not any(read.more for read in reads[3:])


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("a/b", {"since": "3"}, "'since'"),
        ("a/b", {"feed": "normal"}, "'feed'"),
        ("filter", {}, "design/filter"),
        ("_view", {}, "'view'"),
        ("_doc_ids", {}, "'doc_ids'"),
        ("_selector", {"doc_ids": []}, "'selector'"),
    ],
)
def test_parameters_that_cannot_work(name, parameters, words):
    with pytest.raises(ConfigurationError, match=words):
        CouchFeed(database_at("http://h"), filter=name, filter_parameters=parameters)
