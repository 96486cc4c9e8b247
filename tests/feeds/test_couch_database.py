from __future__ import annotations

import json

import pytest

from pillowtop.exceptions import (
    DatabaseMissing,
    ServerBusy,
)
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_values import DatabaseInfo, quote_id
from pillowtop.testing.scripted import ScriptedServer
from tests.real_servers import request

from .scripts import INFO, database_at, in_turn, page, replying

NOT_FOUND = {"error": "not_found", "reason": "missing"}
GONE = {"error": "not_found", "reason": "Database does not exist."}


def test_information():
    with ScriptedServer(replying(200, INFO)) as server:
        assert database_at(server.url).info() == DatabaseInfo(10, 1000, "9-u", "1700000000")
        server.answer = replying(200, {"db_name": "db"})
        assert database_at(server.url).info() == DatabaseInfo(0, 0, None, "")


def test_a_name_is_quoted_and_a_path_of_the_server_kept():
    with ScriptedServer(replying(200, INFO)) as server:
        database_at(f"{server.url}/couch", "a/b+c").info()
    assert server.requests[0].path == "/couch/a/b+c"
    assert database_at("http://h", "a/b").path == "/a%2Fb"


@pytest.mark.parametrize(
    ("doc_id", "path"),
    [
        ("a/b", "a%2Fb"),
        ("_design/x y", "_design/x%20y"),
        ("_local/a/b", "_local/a%2Fb"),
        ("ü?", "%C3%BC%3F"),
    ],
)
def test_ids_are_quoted(doc_id, path):
    assert quote_id(doc_id) == path


def test_documents():
    with ScriptedServer(replying(200, {"_id": "a"})) as server:
        database = database_at(server.url)
        assert database.get("a") == {"_id": "a"}
        server.answer = replying(404, NOT_FOUND)
        assert database.get("a") is None
        assert database.get_local("a") is None
        server.answer = replying(404, GONE)
        for read in (database.get, database.get_local):
            with pytest.raises(DatabaseMissing, match="'db'"):
                read("a")


def test_local_documents_are_written_over_what_is_there():
    written = [replying(201, {"ok": True, "rev": f"0-{number}"}) for number in (1, 2)]
    with ScriptedServer(in_turn(*written)) as server:
        database = database_at(server.url)
        database.put_local("x", {"new": 2})
        database.put_local("x", {"new": 3})
    first, second = server.requests
    assert (first.method, first.path) == ("PUT", "/db/_local/x")
    assert first.headers["content-type"] == "application/json"
    assert first.json() == {"new": 2}
    assert second.json() == {"new": 3, "_rev": "0-1"}


def test_a_conflict_on_a_local_document_is_read_again():
    conflict = replying(409, {"error": "conflict", "reason": "Document update conflict."})
    stored, done = replying(200, {"_rev": "0-1"}), replying(201, {"ok": True, "rev": "0-2"})
    gone = replying(404, NOT_FOUND)
    with ScriptedServer(in_turn(conflict, stored, done, conflict, gone, done)) as server:
        database = database_at(server.url)
        database.put_local("x", {"a": 1})
        database.put_local("x", {"a": 2})
    assert [r.json() for r in server.requests if r.method == "PUT"] == [
        {"a": 1},
        {"a": 1, "_rev": "0-1"},
        {"a": 2, "_rev": "0-2"},
        {"a": 2},
    ]


def test_endless_conflicts_are_tried_again_later():
    def answer(request, connection):
        if request.method == "GET":
            connection.reply(200, {"_rev": "0-1"})
        else:
            connection.reply(409, {"error": "conflict", "reason": "conflict"})

    with ScriptedServer(answer) as server, pytest.raises(ServerBusy, match="_local/x"):
        database_at(server.url).put_local("x", {})


def test_whether_there_are_changes():
    answers = [{"results": [{"seq": "6-x", "id": "a", "changes": []}]}, {"results": []}]

    def answer(request, connection):
        assert request.query == {"limit": "1", "since": "5-x"}
        connection.reply(200, answers.pop(0))

    with ScriptedServer(answer) as server:
        database = database_at(server.url)
        assert database.has_changes("5-x")
        assert not database.has_changes("5-x")


def test_pending():
    with ScriptedServer(replying(200, page([], "5-x", 42))) as server:
        database = database_at(server.url)
        assert database.pending("5-x") == 42
        assert database.pending([1, "g"]) == 42
        assert database.pending(None) == 42
    assert server.requests[0].query == {"limit": "0", "since": "5-x"}
    assert [r.query["since"] for r in server.requests[1:]] == ['[1,"g"]', "0"]


def found(doc):
    return {"docs": [{"ok": doc}]}


def failed(error, reason):
    return {"docs": [{"error": {"id": "x", "rev": "undefined", "error": error, "reason": reason}}]}


def test_loading():
    results = [
        {"id": "live", **found({"_id": "live", "_rev": "2-a", "ü": "\u2028"})},
        {"id": "tombstone", **found({"_id": "tombstone", "_rev": "3-a", "_deleted": True})},
        {"id": "deleted", **failed("not_found", "deleted")},
        {"id": "missing", **failed("not_found", "missing")},
        {"id": "secret", **failed("forbidden", "no")},
        {"id": "empty", "docs": []},
    ]
    body = json.dumps({"results": results}, ensure_ascii=False).encode()
    with ScriptedServer(replying(200, body)) as server:
        asked = ["live", "tombstone", "deleted", "missing", "secret", "empty", "unmentioned"]
        loaded = database_at(server.url).load(asked)
        assert database_at(server.url).load([]) == {}
    assert list(loaded) == asked
    live = loaded["live"]
    assert (live.rev, live.deleted, live.reason) == ("2-a", False, "")
    assert json.loads(bytes(live.doc)) == results[0]["docs"][0]["ok"]
    assert "\u2028".encode() in bytes(live.doc)
    assert {key: (one.deleted, one.doc, one.reason) for key, one in loaded.items()} == {
        "live": (False, live.doc, ""),
        "tombstone": (True, None, "deleted"),
        "deleted": (True, None, "deleted"),
        "missing": (False, None, "missing"),
        "secret": (False, None, "forbidden: no"),
        "empty": (False, None, "missing"),
        "unmentioned": (False, None, "missing"),
    }
    (request,) = server.requests
    assert request.json() == {"docs": [{"id": doc_id} for doc_id in asked]}


def leaf(rev, **fields):
    return {"ok": {"_id": "a", "_rev": rev, **fields}}


DELETED = {"_deleted": True}
UNREAD = {"error": {"id": "a", "rev": "9-a", "error": "internal_error", "reason": "timeout"}}
ABSENT = {"error": {"id": "a", "rev": "9-a", "error": "not_found", "reason": "missing"}}


@pytest.mark.parametrize(
    ("leaves", "rev", "deleted"),
    [
        # As CouchDB 3.5 sends them: all leaves, and a deleted one first if its history is longer.
        ([leaf("2-b", **DELETED), leaf("1-a")], "1-a", False),
        ([leaf("1-a"), leaf("1-b")], "1-b", False),
        ([leaf("10-a"), leaf("9-b")], "10-a", False),
        ([leaf("2-a", **DELETED), leaf("2-b", **DELETED)], "2-b", True),
        ([ABSENT, leaf("1-a")], "1-a", False),
    ],
)
def test_of_conflicting_revisions_the_winner_is_loaded(leaves, rev, deleted):
    answer = {"results": [{"id": "a", "docs": leaves}]}
    for docs in (leaves, leaves[::-1]):
        answer["results"][0]["docs"] = docs
        with ScriptedServer(replying(200, answer)) as server:
            one = database_at(server.url).load(["a"])["a"]
        assert (one.rev, one.deleted, one.doc is None) == (rev, deleted, deleted)


def test_a_leaf_that_could_not_be_read_may_be_the_winner():
    answer = {"results": [{"id": "a", "docs": [leaf("1-a"), UNREAD]}]}
    with ScriptedServer(replying(200, answer)) as server:
        one = database_at(server.url).load(["a"])["a"]
    assert (one.doc, one.deleted, one.reason) == (None, False, "internal_error: timeout")


def test_loading_from_a_database_that_is_gone_is_no_deletion():
    with ScriptedServer(replying(404, GONE)) as server:
        for ask in ("load", "gone"):
            with pytest.raises(DatabaseMissing):
                getattr(database_at(server.url), ask)(["a"])


NESTED = b"[" * 1000 + b"]" * 1000
SPOILT = {
    "nested too deep": b'{"_id":"bad","x":%s}' % NESTED,
    "no JSON": b'{"_id":"bad","x":nope}',
    "no UTF-8": b'{"_id":"bad","x":"\xff"}',
    "a strange rev": b'{"_id":"bad","_rev":5}',
}


def bulk_got(spoilt, request):
    """What `_bulk_get` answers where the document called `bad` cannot be decoded."""
    asked = [wanted["id"] for wanted in request.json()["docs"]]
    docs = [spoilt if i == "bad" else b'{"_id":"%s","_rev":"1-a"}' % i.encode() for i in asked]
    results = [
        b'{"id":"%s","docs":[{"ok":%s}]}' % (doc_id.encode(), doc)
        for doc_id, doc in zip(asked, docs, strict=True)
    ]
    return b'{"results":[' + b",".join(results) + b"]}"


@pytest.mark.parametrize("kind", SPOILT)
def test_a_document_that_cannot_be_decoded_spoils_no_other(kind):
    def answer(request, connection):
        connection.reply(200, bulk_got(SPOILT[kind], request))

    asked = ["a", "b", "c", "bad", "d", "e", "f"]
    with ScriptedServer(answer) as server:
        loaded = database_at(server.url).load(asked)
    assert list(loaded) == asked
    bad = loaded.pop("bad")
    assert (bad.doc, bad.deleted, bad.rev) == (None, False, "")
    assert "cannot be decoded" in bad.reason
    assert all(one.doc is not None and not one.reason for one in loaded.values())
    assert len(server.requests) == 7  # 7 ids, then 3 and 4, then 2 and 2 of these, then 1 and 1


def test_no_more_is_loaded_than_is_wanted_at_once():
    """Of documents that are too many only the first are asked for again, at least one."""

    def answer(request, connection):
        sizes = [5000 if one["id"] == "big" else 100 for one in request.json()["docs"]]
        docs = [
            {"id": one["id"], "docs": [{"ok": {"_id": one["id"], "_rev": "1-a", "x": "x" * size}}]}
            for one, size in zip(request.json()["docs"], sizes, strict=True)
        ]
        connection.reply(200, {"results": docs})

    def loaded(asked, at_most):
        with ScriptedServer(answer) as server:
            found = database_at(server.url).load(asked, at_most)
            return list(found), [len(request.json()["docs"]) for request in server.requests]

    assert loaded(["a", "c", "d"], 1000) == (["a", "c", "d"], [3])
    assert loaded(["a", "b", "c", "big", "d"], 1000) == (["a", "b"], [5, 2])
    assert loaded(["big", "a"], 1000) == (["big"], [2, 1])


def test_gone():
    rows = [
        {"id": "a", "key": "a", "value": {"rev": "1-a"}},
        {"id": "b", "key": "b", "value": {"rev": "2-a", "deleted": True}, "doc": None},
        {"key": "c", "error": "not_found"},
    ]
    with ScriptedServer(replying(200, {"total_rows": 1, "rows": rows})) as server:
        assert database_at(server.url).gone(["a", "b", "c"]) == {"b", "c"}
        assert database_at(server.url).gone([]) == set()
    assert [request.json() for request in server.requests] == [{"keys": ["a", "b", "c"]}]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, "'nothing'"),
        ({}, "'nothing'"),
        ({"key": "b", "error": "timeout"}, "'timeout'"),
        ({"key": "b", "id": "b", "error": "forbidden", "value": {"rev": "1-a"}}, "'forbidden'"),
        ({"key": "b", "id": "b", "value": None}, "''"),
        ({"key": "x", "error": "not_found"}, "'nothing'"),
    ],
)
def test_nothing_is_gone_that_the_database_does_not_say_so_of(row, words):
    rows = [{"key": "a", "error": "not_found"}, *([] if row is None else [row])]
    with (
        ScriptedServer(replying(200, {"rows": rows})) as server,
        pytest.raises(ServerBusy, match=f"says {words} of document 'b'"),
    ):
        database_at(server.url).gone(["a", "b"])


def test_no_rows_at_all():
    with ScriptedServer(replying(200, {"rows": []})) as server, pytest.raises(ServerBusy):
        database_at(server.url).gone(["a"])


@pytest.mark.parametrize("body", [b"[1]", b"not json", b"", b'{"results":"rows":}', b'{"a":1}'])
def test_answers_that_are_not_couchdbs(body):
    with ScriptedServer(replying(200, body)) as server:
        database = database_at(server.url)
        for ask in (lambda: database.load(["a"]), lambda: database.gone(["a"])):
            with pytest.raises(ServerBusy, match="something else than CouchDB"):
                ask()
        with pytest.raises(ServerBusy, match="something else than CouchDB"):
            database.info()


def test_elasticsearch_is_not_couchdb(elasticsearch_url, index_name):
    assert request("PUT", f"{elasticsearch_url}/{index_name}").status == 200
    for name in (index_name, "test-missing"):
        database = database_at(elasticsearch_url, name)
        for ask in (
            database.info,
            lambda database=database: database.pending(0),
            lambda database=database: database.get("a"),
            lambda database=database: database.load(["a"]),
            lambda database=database: database.gone(["a"]),
            lambda database=database: database.put_local("x", {}),
            lambda database=database: list(
                CouchFeed(database, include_docs=False).read(0, follow=False)
            ),
        ):
            with pytest.raises(ServerBusy, match="something else than CouchDB listens at"):
                ask()


def test_documents_too_many_for_a_request_are_loaded_in_smaller_ones():
    def at_most_two(request, connection):
        asked = request.json()["docs"]
        if len(asked) > 2:
            connection.reply(
                413, {"error": "too_large", "reason": "the request entity is too large"}
            )
            return
        results = [
            {"id": one["id"], "docs": [{"ok": {"_id": one["id"], "_rev": "1-a"}}]} for one in asked
        ]
        connection.reply(200, {"results": results})

    with ScriptedServer(at_most_two) as server:
        loaded = database_at(server.url).load("abcde")
    assert {one.rev for one in loaded.values()} == {"1-a"}
