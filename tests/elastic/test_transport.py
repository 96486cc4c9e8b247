"""Batches against a server that answers by script."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from pillowtop.elastic.bulk import GUARD
from pillowtop.engine.items import Held, Verdict
from pillowtop.exceptions import AccessDenied, DocumentRefused, ServerBusy, TargetUnusable
from pillowtop.testing import FakeElasticsearch, ScriptedServer, answer_with, disordered, reject
from tests.elastic.making import VERSION, change, packed, transport

IDS = [f"doc-{number}" for number in range(8)]


def actions(request):
    """The action lines of a bulk."""
    lines = [json.loads(line) for line in request.body.splitlines()]
    return [line for line in lines if line.keys() & {"index", "delete"} and len(line) == 1]


def ids(request):
    return [details["_id"] for action in actions(request) for details in action.values()]


def all_well(request):
    return {
        "errors": False,
        "items": [
            {kind: {"_id": details["_id"], "status": 201}}
            for action in actions(request)
            for kind, details in action.items()
        ],
    }


def spoiled_by(culprits, status, body):
    """A server that refuses each request in which one of the culprits is."""

    def answer(request, connection):
        if set(ids(request)) & set(culprits):
            connection.reply(status, body)
        else:
            connection.reply(200, all_well(request))

    return answer


REFUSAL = {"error": {"type": "action_request_validation_exception", "reason": "why"}, "status": 400}


def test_what_is_sent():
    with ScriptedServer(lambda request, connection: connection.reply(200, all_well(request))) as (
        server
    ):
        to = transport(server.url)
        sent = [*packed(to, "a", "b"), to.pack_deletion(change("c", deleted=True), VERSION + 1)]
        outcomes = to.deliver(sent)
    (request,) = server.requests
    assert request.body == b"".join(item.payload + b"\n" for item in sent)
    assert [item.size for item in sent] == [len(item.payload) for item in sent]
    version = {"version_type": "external_gte", "version": VERSION}
    assert actions(request) == [
        {"index": {"_id": "a", **version}},
        {"index": {"_id": "b", **version}},
        {"delete": {"_id": "c", **version, "version": VERSION + 1}},
    ]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 3


def test_items_know_where_they_are_from():
    to = transport("http://x:1", index_id=lambda change: f"{change.database}/{change.id}")
    made = [
        to.pack(change("a", rev="2-b"), {"n": 1}, 5),
        to.pack_bytes(change("a", rev="2-b"), 5),
        to.pack_deletion(change("a", rev="2-b"), 5),
    ]
    for item in made:
        assert (item.id, item.doc_id, item.version, item.rev) == ("orders/a", "a", 5, "2-b")
        assert item.seq == "1-x"
        assert b'"_id":"orders/a"' in item.payload
    assert [item.deletion for item in made] == [False, False, True]
    assert b'"pillowtop":{"id":"a"' in made[0].payload
    assert b'"pillowtop":{"id":"a"' in made[1].payload


def test_a_removal_is_of_the_id_in_the_index():
    removal = transport("http://x:1").pack_removal(Held("a", "orders/a", 4), 5)
    assert (removal.id, removal.doc_id, removal.version) == ("orders/a", "a", 5)
    assert removal.deletion
    assert json.loads(removal.payload) == {
        "delete": {"_id": "orders/a", "version": 5, "version_type": "external_gte"}
    }
    assert removal.size == len(removal.payload)


def test_an_index_id_that_is_no_string():
    to = transport("http://x:1", index_id=lambda change: 7)
    with pytest.raises(TypeError, match="index_id must return a string, not 7"):
        to.pack_bytes(change("a"), 5)


def test_what_hooks_may_return():
    with pytest.raises(TypeError, match="not a list"):
        transport("http://x:1").pack(change("a"), [{"n": 1}], 5)


@pytest.mark.parametrize(("status", "body"), [(413, b""), (400, REFUSAL)])
@pytest.mark.parametrize("culprits", [["doc-0"], ["doc-7"], ["doc-2", "doc-3"], ["doc-0", "doc-7"]])
def test_halving_finds_the_culprit(status, body, culprits):
    with ScriptedServer(spoiled_by(culprits, status, body)) as server:
        to = transport(server.url)
        outcomes = to.deliver(packed(to, *IDS))
    assert [outcome.item.id for outcome in outcomes] == IDS
    rejected = [outcome for outcome in outcomes if outcome.verdict is Verdict.REJECTED]
    assert [outcome.item.id for outcome in rejected] == culprits
    assert all(outcome.error_type and outcome.reason for outcome in rejected)
    assert all(
        outcome.verdict is Verdict.DELIVERED for outcome in outcomes if outcome not in rejected
    )


def test_a_batch_that_is_refused_whatever_is_in_it():
    """Twenty letters would be twenty lies."""
    many = [f"doc-{number}" for number in range(20)]
    with ScriptedServer(spoiled_by(many, 400, REFUSAL)) as server:
        to = transport(server.url)
        with pytest.raises(TargetUnusable):
            to.deliver(packed(to, *many))


@pytest.fixture
def es():
    """A server with room for small requests, whose index `orders` stands ready."""
    with FakeElasticsearch(max_content_bytes=2000) as server:
        with closing(transport(server.url)) as keeper:
            keeper.prepare()
        server.requests.clear()
        yield server


def test_documents_that_are_too_large_each(es):
    to = transport(es.url)
    outcomes = to.deliver(packed(to, *IDS, fields={"text": "x" * 2000}))
    assert {(o.verdict, o.error_type) for o in outcomes} == {
        (Verdict.REJECTED, "content_too_large")
    }
    assert es.documents("orders") == {}


def test_a_server_that_gets_busy_between_halves(es):
    """The whole is tried again: versions make that harmless."""
    es.fail_next(answer_with(413))
    es.fail_next(disordered())
    es.fail_next(answer_with(503))
    to = transport(es.url)
    with pytest.raises(ServerBusy):
        to.deliver(packed(to, "a", "b"))
    assert es.documents("orders").keys() == {"a"}
    assert {outcome.verdict for outcome in to.deliver(packed(to, "a", "b"))} == {Verdict.DELIVERED}


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessDenied), (403, AccessDenied), (503, ServerBusy)]
)
def test_whole_requests(es, status, error):
    es.fail_next(answer_with(status))
    to = transport(es.url)
    with pytest.raises(error):
        to.deliver(packed(to, "a"))
    assert len(es.requests) == 1


def test_ids_that_are_too_long_are_not_sent(es):
    to = transport(es.url)
    outcomes = to.deliver(packed(to, "x" * 513, "a", ""))
    assert to.deliver(packed(to, "x" * 513))[0].verdict is Verdict.REJECTED
    assert to.deliver([]) == []
    assert [ids(request) for request in es.requests] == [["a"]]
    assert {outcome.item.id: outcome.verdict for outcome in outcomes} == {
        "x" * 513: Verdict.REJECTED,
        "a": Verdict.DELIVERED,
        "": Verdict.REJECTED,
    }


def one_item(kind, status, error=None):
    answer = {"_id": "a", "status": status, **({"error": error} if error else {})}
    return lambda _, connection: connection.reply(200, {"items": [{kind: answer}]})


def test_writing_one():
    with ScriptedServer(one_item("index", 201)) as server:
        transport(server.url).write_one("a", {"_id": "a", "_rev": "3-x", "n": 1}, "orders")
    action, source = map(json.loads, server.requests[0].body.splitlines())
    assert action == {"index": {"_id": "a"}}
    assert source == {
        "_rev": "3-x",
        "n": 1,
        "pillowtop": {"id": "a", "rev": "3-x", "database": "orders", "pillow": "OrderPillow"},
    }


def test_deleting_one():
    with ScriptedServer(one_item("delete", 200)) as server:
        transport(server.url).write_one("a", None)
    assert server.requests[0].body == b'{"delete":{"_id":"a"}}\n' + GUARD + b"\n"


@pytest.mark.parametrize(
    ("status", "error"), [(400, DocumentRefused), (429, ServerBusy), (409, ServerBusy)]
)
def test_one_that_is_not_written(es, status, error):
    es.fail_next(reject("a", status=status, error_type="version_conflict_engine_exception"))
    with pytest.raises(error, match="'a': version_conflict"):
        transport(es.url).write_one("a", {})
