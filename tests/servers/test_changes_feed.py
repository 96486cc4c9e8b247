"""The server behaves on its feeds as CouchDB 3 does."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.real_servers import request
from tests.servers.feed import OpenFeed, rows


def changes(url, parameters="", **options):
    return request(options.pop("method", "GET"), f"{url}/_changes?{parameters}", **options)


def ids(reply):
    return [row["id"] for row in reply.json()["results"]]


def delete(url, doc_id):
    rev = request("GET", f"{url}/{doc_id}").json()["_rev"]
    assert request("DELETE", f"{url}/{doc_id}?rev={rev}").status == 200


class TestNormal:
    def test_frames_one_row_a_line(self, ten_docs):
        body = changes(ten_docs, "limit=2").data

        assert body.startswith(b'{"results":[\n{"seq":"')
        assert body.count(b"},\r\n{") == 1
        assert re.search(rb'\n\],\n"last_seq":"[\w-]+","pending":8\}\n$', body)

    def test_row_has_its_keys_in_order(self, ten_docs):
        delete(ten_docs, "d3")

        row = changes(ten_docs, "include_docs=true").json()["results"][-1]

        assert list(row) == ["seq", "id", "changes", "deleted", "doc"]
        assert list(row["doc"])[:2] == ["_id", "_rev"]
        assert row["doc"]["_deleted"] is True

    def test_deleted_doc_moves_to_the_end(self, ten_docs):
        delete(ten_docs, "d3")

        assert ids(changes(ten_docs)) == ["d0", "d1", "d2", *(f"d{n}" for n in range(4, 10)), "d3"]

    def test_pages_by_last_seq(self, ten_docs):
        first = changes(ten_docs, "limit=4").json()
        second = changes(ten_docs, f"limit=100&since={first['last_seq']}").json()

        assert [row["id"] for row in second["results"]] == [f"d{n}" for n in range(4, 10)]
        assert second["pending"] == 0

    def test_limit_zero_counts_what_is_pending(self, ten_docs):
        reply = changes(ten_docs, "limit=0").json()

        assert reply["results"] == []
        assert reply["pending"] == 10

    def test_negative_limit_is_none(self, ten_docs):
        assert len(ids(changes(ten_docs, "limit=-1"))) == 10

    def test_seq_interval_leaves_most_rows_without_seq(self, ten_docs):
        reply = changes(ten_docs, "seq_interval=4").json()

        with_seq = [n for n, row in enumerate(reply["results"]) if row["seq"]]
        assert with_seq == [0, 4, 8]
        assert reply["last_seq"]

    def test_since_now_has_no_rows(self, ten_docs):
        assert ids(changes(ten_docs, "since=now")) == []

    def test_descending(self, ten_docs):
        assert ids(changes(ten_docs, "descending=true&limit=2")) == ["d9", "d8"]

    def test_line_separators_stay_unescaped(self, couch_database):
        text = "one\u2028two\u0085three"
        request("PUT", f"{couch_database}/d", {"text": text})

        body = changes(couch_database, "include_docs=true").data

        assert text.encode() in body

    def test_large_document(self, couch_database):
        text = "x" * 8_000_000
        assert request("PUT", f"{couch_database}/large", {"text": text}).status == 201

        reply = changes(couch_database, "include_docs=true").json()

        assert reply["results"][0]["doc"]["text"] == text


class TestLive:
    def test_continuous_ends_at_its_limit(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=continuous&limit=3") as feed:
            lines = rows(feed.read_to_end())

        assert [line.get("id") for line in lines] == ["d0", "d1", "d2", None]
        assert set(lines[-1]) == {"last_seq", "pending"}

    def test_continuous_ends_at_its_timeout(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=continuous&since=now&timeout=100") as feed:
            lines = rows(feed.read_to_end())

        assert set(lines[0]) == {"last_seq", "pending"}

    def test_continuous_announces_itself_with_an_empty_line(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=continuous&since=now") as feed:
            assert feed.read_until(b"\n") == b"\n"

    def test_heartbeats_override_the_timeout(self, ten_docs):
        url = f"{ten_docs}/_changes?feed=continuous&since=now&heartbeat=100&timeout=50"
        with OpenFeed(url) as feed:
            assert feed.read_until(b"\n\n\n\n") == b"\n\n\n\n"

    def test_continuous_tells_of_a_write(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=continuous&since=now&heartbeat=1000") as feed:
            feed.read_until(b"\n")
            request("PUT", f"{ten_docs}/new", {})

            assert rows(feed.read_until(b"}\n"))[0]["id"] == "new"

    def test_longpoll_returns_at_the_first_write(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=longpoll&since=now") as feed:
            feed.read_until(b'{"results":[\n\n')
            request("PUT", f"{ten_docs}/new", {})

            assert json.loads(feed.read_to_end())["results"][0]["id"] == "new"

    def test_eventsource(self, ten_docs):
        url = f"{ten_docs}/_changes?feed=eventsource&heartbeat=100"
        with OpenFeed(url) as feed:
            body = feed.read_until(b"event: heartbeat\ndata: \n\n")

        assert feed.reply.headers["Content-Type"] == "text/event-stream"
        assert re.match(rb'data: \{"seq":"[^\n]*\}\nid: "[\w-]+"\n\n', body)

    def test_deleted_database_ends_its_feeds_cleanly(self, ten_docs):
        with OpenFeed(f"{ten_docs}/_changes?feed=continuous&heartbeat=1000") as feed:
            feed.read_until(b'"d9"')
            request("DELETE", ten_docs)

            assert set(rows(feed.read_to_end())[-1]) == {"last_seq", "pending"}


class TestFilters:
    def test_doc_ids(self, ten_docs):
        body = {"doc_ids": ["d1", "d7"]}

        assert ids(changes(ten_docs, "filter=_doc_ids", method="POST", body=body)) == ["d1", "d7"]
        assert ids(changes(ten_docs, "filter=_doc_ids&doc_ids=%5B%22d4%22%5D")) == ["d4"]

    def test_selector(self, ten_docs):
        body = {"selector": {"number": {"$gt": 7}}}

        assert ids(changes(ten_docs, "filter=_selector", method="POST", body=body)) == ["d8", "d9"]

    def test_design(self, ten_docs):
        request("PUT", f"{ten_docs}/_design/x", {})

        assert ids(changes(ten_docs, "filter=_design")) == ["_design/x"]

    def test_design_document_filter(self, ten_docs):
        code = "function (doc, request) { return doc.number === Number(request.query.wanted); }"
        request("PUT", f"{ten_docs}/_design/x", {"filters": {"one": code}})

        assert ids(changes(ten_docs, "filter=x/one&wanted=6")) == ["d6"]

    def test_last_seq_passes_what_was_filtered_out(self, ten_docs):
        reply = changes(ten_docs, "filter=_design").json()

        assert ids(changes(ten_docs, f"since={reply['last_seq']}")) == []


class TestRefusals:
    @pytest.mark.parametrize("since", ["7", "garbage", "", "3-g1AAAA"])
    def test_malformed_since(self, ten_docs, since):
        reply = changes(ten_docs, f"since={since}")

        assert reply.status == 400
        assert reply.json()["reason"].startswith("Malformed sequence supplied in 'since'")

    @pytest.mark.parametrize("parameters", ["feed=x", "heartbeat=0", "filter=x", "filter=_doc_ids"])
    def test_bad_request(self, ten_docs, parameters):
        assert changes(ten_docs, parameters).status == 400

    @pytest.mark.parametrize("parameters", ["limit=abc", "timeout=abc&feed=longpoll"])
    def test_numbers_are_not_checked(self, ten_docs, parameters):
        assert changes(ten_docs, parameters).status == 500

    def test_missing_filter(self, ten_docs):
        assert changes(ten_docs, "filter=x/y").status == 404

    def test_missing_database(self, couch_url):
        reply = changes(f"{couch_url}/missing")

        assert reply.status == 404
        assert reply.json() == {"error": "not_found", "reason": "Database does not exist."}


def test_old_seq_of_a_database_made_again_means_from_the_start(ten_docs):
    old = changes(ten_docs).json()["last_seq"]
    request("DELETE", ten_docs)
    request("PUT", ten_docs)
    request("PUT", f"{ten_docs}/new", {})

    assert ids(changes(ten_docs, f"since={old}")) == ["new"]


def test_db_updates_tells_of_the_last_event_of_a_database(couch_url, couch_database):
    name = couch_database.rsplit("/", 1)[1]
    request("PUT", f"{couch_database}/d", {})

    deadline = time.monotonic() + 10
    event = None
    while event != "updated":
        assert time.monotonic() < deadline
        updates = request("GET", f"{couch_url}/_db_updates").json()["results"]
        event = {row["db_name"]: row["type"] for row in updates}.get(name)
