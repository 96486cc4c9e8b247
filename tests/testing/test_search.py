"""Faults of the fake Elasticsearch, as the real transport meets them."""

from __future__ import annotations

import re

import pytest

from pillowtop.elastic.index import AliasedIndex, FixedIndex
from pillowtop.engine.items import Held, Verdict
from pillowtop.exceptions import (
    AccessDenied,
    ServerBusy,
    ServerUnreachable,
    TargetUnusable,
    TransientError,
    WrittenByLaterLife,
)
from pillowtop.testing import (
    FakeElasticsearch,
    answer_with,
    blocked,
    busy,
    disordered,
    late,
    reject,
    reset,
    shortened,
    truncated,
)
from tests.elastic.making import VERSION, change, packed, transport
from tests.real_servers import request

DELIVERED, AGAIN, REJECTED = Verdict.DELIVERED, Verdict.AGAIN, Verdict.REJECTED
TARGET = AliasedIndex("orders", {"properties": {"n": {"type": "long"}}})


@pytest.fixture
def es():
    with FakeElasticsearch() as server:
        yield server


@pytest.fixture
def to(es):
    made = transport(es.url, TARGET)
    made.prepare()
    yield made
    made.close()


def verdicts(outcomes):
    return {outcome.item.id: outcome.verdict for outcome in outcomes}


def test_documents_are_written_and_deleted(es, to):
    to.deliver(packed(to, "a", "b", fields={"n": 1}))
    to.deliver([to.pack_deletion(change("b", deleted=True), VERSION + 1)])
    assert es.documents("orders").keys() == {"a"}
    assert es.documents(TARGET.index)["a"]["n"] == 1
    assert es.versions("orders") == {"a": VERSION}
    assert es.mapping("orders")["properties"]["n"] == {"type": "long"}
    assert es.aliases() == {TARGET.index: ["orders"]}


def test_a_name_that_leads_nowhere(es, to):
    with pytest.raises(
        LookupError, match=r"no index and no alias is called 'x'; there are .*order"
    ):
        es.documents("x")


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
def test_an_index_keeper_is_content(es, kind):
    first = transport(es.url, kind("orders")).prepare()
    grown = transport(es.url, kind("orders", {"properties": {"x": {"type": "long"}}}))
    if kind is FixedIndex:
        assert grown.prepare() == first == grown.identity()
        assert es.mapping("orders")["properties"]["x"] == {"type": "long"}


def test_what_is_held(es, to):
    to.deliver(packed(to, *"cab"))
    to.holdings.refresh()
    held = [Held(doc_id, doc_id, VERSION, "1-abc") for doc_id in "abc"]
    assert to.holdings.page("orders", "") == held
    assert to.holdings.page("orders", "a") == held[1:]
    assert to.holdings.page("customers", "") == []
    assert to.holdings.of("orders", ["b", "x"]) == held[1:2]


def test_rejected_items_leave_the_others_alone(es, to):
    es.fail_next(reject("bad"))
    (bad,) = [one for one in to.deliver(packed(to, "a", "bad")) if one.verdict is REJECTED]
    assert (bad.item.id, bad.error_type) == ("bad", "mapper_parsing_exception")
    assert es.documents("orders").keys() == {"a"}
    assert verdicts(to.deliver(packed(to, "bad"))) == {"bad": DELIVERED}


@pytest.mark.parametrize("fault", [busy, blocked])
def test_items_that_are_put_off(es, to, fault):
    es.fail_next(fault("a"))
    assert verdicts(to.deliver(packed(to, "a", "b"))) == {"a": AGAIN, "b": DELIVERED}
    es.fail_next(fault())
    assert set(verdicts(to.deliver(packed(to, "a", "b"))).values()) == {AGAIN}
    assert es.documents("orders").keys() == {"b"}


def test_a_deletion_that_is_put_off(es, to):
    """The guard beside it is answered as ever."""
    to.deliver(packed(to, "a"))
    es.fail_next(busy())
    deletion = to.pack_deletion(change("a", deleted=True), VERSION + 1)
    assert verdicts(to.deliver([deletion])) == {"a": AGAIN}
    assert verdicts(to.deliver([deletion])) == {"a": DELIVERED}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answer_with(503), ServerBusy),
        (answer_with(429, "es_rejected_execution_exception"), ServerBusy),
        (answer_with(401, "security_exception", "missing credentials"), AccessDenied),
        (answer_with(403, "security_exception", "no rights"), AccessDenied),
        (reject(status=403, error_type="security_exception"), AccessDenied),
        (reset(written=False), ServerUnreachable),
    ],
)
def test_requests_of_which_nothing_is_written(es, to, fault, error):
    es.fail_next(fault)
    with pytest.raises(error):
        to.deliver(packed(to, "a"))
    assert es.documents("orders") == {}
    assert verdicts(to.deliver(packed(to, "a"))) == {"a": DELIVERED}


@pytest.mark.parametrize("fault", [truncated(), reset()])
def test_requests_of_which_the_reply_is_lost(es, to, fault):
    es.fail_next(fault)
    with pytest.raises(TransientError):
        to.deliver(packed(to, "a"))
    assert es.documents("orders").keys() == {"a"}


def test_a_reply_that_says_too_little(es, to):
    es.fail_next(shortened(by=2))
    outcomes = to.deliver(packed(to, "a", "b", "c"))
    assert verdicts(outcomes) == {"a": DELIVERED, "b": AGAIN, "c": AGAIN}
    assert es.documents("orders").keys() == {"a", "b", "c"}


def test_a_reply_in_another_order(es, to):
    es.fail_next(disordered())
    wrong = packed(to, "wrong", fields={"n": "no number"})
    outcomes = to.deliver([*packed(to, "a", "b"), *wrong])
    assert verdicts(outcomes) == {"a": DELIVERED, "b": DELIVERED, "wrong": REJECTED}


def test_a_request_that_is_carried_out_when_nobody_waits_any_more(es, to):
    es.fail_next(late())
    old = packed(to, "a", fields={"n": 1})
    with pytest.raises(TransientError):
        to.deliver(old)
    to.deliver(packed(to, "a", fields={"n": 2}, version=VERSION + 1))
    es.apply_late()
    assert es.documents("orders")["a"]["n"] == 2


def test_bodies_over_the_limit():
    with FakeElasticsearch(max_content_bytes=2000) as es:
        to = transport(es.url, TARGET)
        to.prepare()
        giant = packed(to, "giant", fields={"text": "x" * 3000})
        outcomes = to.deliver([*packed(to, *"abcdefghijkl"), *giant])
        assert verdicts(outcomes) == dict.fromkeys("abcdefghijkl", DELIVERED) | {"giant": REJECTED}
        to.close()


def test_an_index_or_an_alias_that_is_gone(es, to):
    es.remove_alias("orders")
    with pytest.raises(TargetUnusable, match="is not an alias"):
        to.deliver(packed(to, "a"))
    with pytest.raises(TargetUnusable, match="without its alias"):
        to.identity()
    es.delete_index(TARGET.index)
    with pytest.raises(TargetUnusable, match="index_not_found"):
        to.deliver([to.pack_deletion(change("a", deleted=True), VERSION)])
    assert es.aliases() == {}
    first = to.prepare()
    es.delete_index("orders")
    assert to.prepare() != first


def test_what_a_later_life_has_written(es, to):
    to.deliver(packed(to, "a", version=3 * VERSION))
    with pytest.raises(WrittenByLaterLife):
        to.deliver(packed(to, "a"))


def test_faults_of_other_requests_than_bulks(es):
    es.fail_next(answer_with(503), path="orders")
    es.fail_next(busy("a"))
    to = transport(es.url, TARGET)
    with pytest.raises(ServerBusy):
        to.prepare()
    to.prepare()
    assert verdicts(to.deliver(packed(to, "a"))) == {"a": AGAIN}
    to.close()


def test_names_and_ids_with_a_slash(es, to):
    to.deliver(packed(to, "a/b ü"))
    assert request("GET", f"{es.url}/orders/_doc/a%2Fb%20%C3%BC").json()["found"]


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PATCH", "orders", None, "does not know PATCH /orders"),
        ("GET", "_cat/indices", None, "does not know GET /_cat/indices"),
        ("POST", "orders/_search", {"query": {"match": {"n": 1}}}, r"query \[match\]"),
        ("POST", "orders/_bulk", b'{"create":{}}\n', "not create"),
        ("POST", "orders/_bulk", b'{"index":{"version":1}}\n{}\n', "external_gte only"),
    ],
)
def test_what_it_does_not_know_it_says(es, to, method, path, body, words):
    reply = request(method, f"{es.url}/{path}", body)
    assert reply.status == 400
    assert re.search(words, reply.json()["error"]["reason"])


def test_it_says_what_it_is(es):
    reply = request("GET", es.url)
    assert reply.headers["x-elastic-product"] == "Elasticsearch"
    assert reply.json()["version"]["number"].startswith("8.")
