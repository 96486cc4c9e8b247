"""Bulks to real servers, in all the states that it can be brought into."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from dev.servers import SearchServer
from pillowtop.elastic.index import AliasedIndex, FixedIndex
from pillowtop.engine.items import Verdict
from pillowtop.exceptions import (
    DocumentRefused,
    ServerBusy,
    ServerUnreachable,
    TargetUnusable,
    WrittenByLaterLife,
)
from tests.elastic.making import VERSION, change, packed, transport
from tests.real_servers import request, running

DELIVERED, AGAIN, REJECTED = Verdict.DELIVERED, Verdict.AGAIN, Verdict.REJECTED
# Elasticsearch's name for it, or OpenSearch's.
PARSING = "(document|mapper)_parsing_exception"
REJECTING = "(es_)?rejected_execution_exception"
SHORT_BODIES = {"http.max_content_length": "128kb"}
LITTLE_ROOM = {"indexing_pressure.memory.limit": "64kb"}
STRICT = {"dynamic": "strict", "properties": {"n": {"type": "long"}}}


@pytest.fixture
def target(index_name):
    return AliasedIndex(index_name, STRICT)


@pytest.fixture
def to(elasticsearch_url, target):
    made = transport(elasticsearch_url, target)
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def es(elasticsearch_url):
    def send(method, path, body=None):
        return request(method, f"{elasticsearch_url}/{path}", body).json()

    return send


def verdicts(outcomes):
    return {outcome.item.id: outcome.verdict for outcome in outcomes}


def deletion(to, doc_id, version=VERSION):
    return to.pack_deletion(change(doc_id, deleted=True), version)


def test_documents_are_written(to, target, es):
    made = [
        *packed(to, "a", 'ä/" \n', fields={"n": 1}),
        to.pack(change("b"), {"_id": "b", "_rev": "1-abc", "n": 2}, VERSION),
    ]
    assert set(verdicts(to.deliver(made)).values()) == {DELIVERED}
    es("POST", f"{target.alias}/_refresh")
    hits = es("GET", f"{target.alias}/_search")["hits"]["hits"]
    assert {hit["_id"]: hit["_source"]["n"] for hit in hits} == {"a": 1, 'ä/" \n': 1, "b": 2}
    assert hits[0]["_source"]["pillowtop"]["database"] == "orders"


def test_rejected_documents_leave_the_others_alone(to):
    made = [
        *packed(to, "good", fields={"n": 1}),
        *packed(to, "wrong", fields={"n": "no number"}),
        *packed(to, "strict", fields={"m": 1}),
        *packed(to, "x" * 513),
        deletion(to, "never there"),
        deletion(to, "x" * 513 + "deleted"),
    ]
    outcomes = to.deliver(made)
    assert verdicts(outcomes) == {
        "good": DELIVERED,
        "wrong": REJECTED,
        "strict": REJECTED,
        "x" * 513: REJECTED,
        "never there": DELIVERED,
        "x" * 513 + "deleted": REJECTED,
    }
    by_id = {outcome.item.id: outcome for outcome in outcomes}
    assert re.fullmatch(PARSING, by_id["wrong"].error_type)
    assert 'For input string: "no number"' in by_id["wrong"].reason
    assert by_id["strict"].error_type == "strict_dynamic_mapping_exception"


@pytest.mark.parametrize("doc_id", ["x" * 512, "ä" * 256, "😀" * 128])
def test_the_longest_ids(to, doc_id):
    assert verdicts(to.deliver(packed(to, doc_id))) == {doc_id: DELIVERED}


def test_what_comes_late_does_not_win(to, target, es):
    to.deliver(packed(to, "a", fields={"n": 2}, version=VERSION + 2))

    late = packed(to, "a", fields={"n": 1}, version=VERSION + 1)

    assert verdicts(to.deliver(late)) == {"a": DELIVERED}
    assert verdicts(to.deliver([deletion(to, "a", VERSION + 1)])) == {"a": DELIVERED}
    assert es("GET", f"{target.alias}/_doc/a")["_source"]["n"] == 2


@pytest.mark.parametrize("first_is_deletion", [False, True])
@pytest.mark.parametrize("deletes", [False, True])
def test_what_a_later_life_has_written(to, first_is_deletion, deletes):
    later = 3 * VERSION + 1
    first = [deletion(to, "a", later)] if first_is_deletion else packed(to, "a", version=later)
    assert verdicts(to.deliver(first)) == {"a": DELIVERED}
    with pytest.raises(WrittenByLaterLife) as raised:
        to.deliver([deletion(to, "a")] if deletes else packed(to, "a", fields={"n": 1}))
    assert raised.value.token == 3


def test_a_write_that_is_repeated(to, target, es):
    for _ in range(2):
        made = packed(to, "a", fields={"n": 2})
        assert verdicts(to.deliver(made)) == {"a": DELIVERED}
    assert es("GET", f"{target.alias}/_doc/a")["_version"] == VERSION


def test_a_late_write_does_not_bring_back_what_is_deleted(to, target, es):
    to.deliver(packed(to, "a", version=VERSION + 1))
    to.deliver([deletion(to, "a", VERSION + 2)])

    to.deliver(packed(to, "a", version=VERSION + 1))

    assert es("GET", f"{target.alias}/_doc/a")["found"] is False


def test_one_at_a_time_and_the_worker_after_it(to, target, es):
    to.deliver(packed(to, "a", fields={"n": 1}))
    to.write_one("a", {"_id": "a", "_rev": "2-x", "n": 2})
    assert es("GET", f"{target.alias}/_doc/a")["_source"]["n"] == 2
    to.deliver(packed(to, "a", fields={"n": 3}, version=VERSION + 1))
    assert es("GET", f"{target.alias}/_doc/a")["_source"]["n"] == 3
    to.write_one("a", None)
    to.write_one("a", None)
    assert es("GET", f"{target.alias}/_doc/a")["found"] is False
    with pytest.raises(DocumentRefused, match=PARSING):
        to.write_one("a", {"n": "no number"})


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
@pytest.mark.parametrize("deletes", [True, False])
def test_no_bulk_makes_an_index(kind, deletes, elasticsearch_url, index_name, es):
    to = transport(elasticsearch_url, target := kind(index_name))
    to.prepare()
    es("DELETE", target.index)
    made = [deletion(to, "a")] if deletes else packed(to, "a")
    with pytest.raises(TargetUnusable, match="index_not_found_exception"):
        to.deliver(made)
    assert es("GET", f"{index_name}*") == {}


def test_a_closed_index(to, target, es):
    es("POST", f"{target.index}/_close")
    with pytest.raises(TargetUnusable, match="index_closed_exception"):
        to.deliver(packed(to, "a"))


def test_an_alias_without_a_write_index(to, target, es):
    es("PUT", f"{target.alias}_other", {"aliases": {target.alias: {"is_write_index": False}}})
    alias = {"index": target.index, "alias": target.alias, "is_write_index": False}
    es("POST", "_aliases", {"actions": [{"add": alias}]})
    with pytest.raises(TargetUnusable, match="no write index is defined"):
        to.deliver(packed(to, "a"))


def test_a_pipeline_that_is_missing(to, target, es):
    es("PUT", f"{target.index}/_settings", {"index.default_pipeline": "never-made"})
    with pytest.raises(TargetUnusable, match="pipeline"):
        to.deliver(packed(to, "a"))


@pytest.mark.parametrize("name", ["never-made", "not & made"])
def test_a_pipeline_of_the_pillow_that_is_missing(to, target, elasticsearch_url, name):
    with closing(transport(elasticsearch_url, target, pipeline=name)) as piped:
        with pytest.raises(TargetUnusable, match=rf"pipeline with id \[{name}\] does not exist"):
            piped.deliver(packed(piped, "a"))
        assert verdicts(piped.deliver([deletion(piped, "a")])) == {"a": DELIVERED}


def test_a_pipeline(to, target, elasticsearch_url, es, search_kind):
    # What is developed with has no processors in Elasticsearch.
    sets = [{"set": {"field": "n", "value": 7}}] if search_kind.startswith("os") else []
    assert es("PUT", f"_ingest/pipeline/{target.alias}", {"processors": sets})["acknowledged"]
    with closing(transport(elasticsearch_url, target, pipeline=target.alias)) as piped:
        both = [*packed(piped, "a", fields={"n": 1}), deletion(piped, "b")]
        assert verdicts(piped.deliver(both)) == {"a": DELIVERED, "b": DELIVERED}
    assert es("GET", f"{target.alias}/_doc/a")["_source"]["n"] == (7 if sets else 1)
    es("DELETE", f"_ingest/pipeline/{target.alias}")


@pytest.mark.parametrize("block", ["read_only_allow_delete", "write", "read_only"])
def test_a_server_that_protects_itself(to, target, es, block):
    es("PUT", f"{target.index}/_settings", {f"index.blocks.{block}": True})
    (outcome,) = to.deliver(packed(to, "a"))
    assert outcome.verdict is AGAIN
    assert outcome.error_type == "cluster_block_exception"
    es("PUT", f"{target.index}/_settings", {f"index.blocks.{block}": None})
    assert verdicts(to.deliver(packed(to, "a"))) == {"a": DELIVERED}


def test_documents_that_all_fail_for_one_reason(to):
    with pytest.raises(TargetUnusable, match=r"refuses every document.*\[n\]"):
        to.deliver([
            made for number in range(12)
            for made in packed(to, f"doc-{number}", fields={"n": f"no number {number}"})
        ])  # fmt: skip


def test_tls_where_there_is_none(elasticsearch_url):
    over_tls = transport(elasticsearch_url.replace("http:", "https:"))
    with pytest.raises(ServerBusy, match="does not speak TLS: is it https"):
        over_tls.deliver(packed(over_tls, "a"))
    with pytest.raises(ServerBusy, match="does not speak TLS: is it https"):
        over_tls.prepare()


def of_size(to, doc_id, size):
    return packed(to, doc_id, fields={"text": "x" * size})[0]


def test_a_body_over_the_limit_goes_in_halves(search_kind):
    with running(SearchServer(kind=search_kind, settings=SHORT_BODIES)) as server:
        to = prepared(server)
        made = [of_size(to, f"doc-{number}", 10_000) for number in range(20)]
        made.insert(7, of_size(to, "giant", 200_000))
        outcomes = to.deliver(made)
        to.close()
    (letter,) = [outcome for outcome in outcomes if outcome.verdict is REJECTED]
    assert (letter.item.id, letter.error_type) == ("giant", "content_too_large")
    assert list(verdicts(outcomes).values()).count(DELIVERED) == 20


def test_a_server_without_room(search_kind):
    """Nothing is taken for written, and nothing for refused."""
    with running(SearchServer(kind=search_kind, settings=LITTLE_ROOM)) as server:
        to = prepared(server)
        made = [of_size(to, f"doc-{number}", 10_000) for number in range(9)]
        with pytest.raises(ServerBusy, match=f" {REJECTING}"):
            to.deliver(made)
        to.close()


def prepared(server):
    made = transport(server.url, AliasedIndex("orders"))
    made.prepare()
    return made


def test_the_guard_writes_nothing(to, target, es):
    """Not even where a document has its id."""
    to.deliver(packed(to, "pillowtop", fields={"n": 1}))
    assert verdicts(to.deliver([deletion(to, "a")])) == {"a": DELIVERED}
    assert es("GET", f"{target.alias}/_doc/pillowtop")["_version"] == VERSION
    assert verdicts(to.deliver([deletion(to, "pillowtop")])) == {"pillowtop": DELIVERED}
    assert es("GET", f"{target.alias}/_doc/pillowtop")["found"] is False


def test_a_server_that_is_down_and_comes_back(search_server):
    target = FixedIndex("orders-down")
    to = transport(search_server.url, target)
    to.prepare()
    search_server.kill()
    with pytest.raises(ServerUnreachable):
        to.deliver(packed(to, "a"))
    with pytest.raises(ServerUnreachable):
        to.identity()
    search_server.start()
    assert verdicts(to.deliver(packed(to, "a"))) == {"a": DELIVERED}
