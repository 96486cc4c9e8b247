"""Documents that stand in one of several places, on real servers."""

from __future__ import annotations

from contextlib import closing

import pytest

from pillowtop.elastic.index import FixedIndex, SeveralIndices
from pillowtop.elastic.placing import RoutingTransport, SeveralTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import Held, Place, Verdict
from pillowtop.exceptions import (
    DocumentRefused,
    TargetUnusable,
    WrittenByLaterLife,
)
from tests.elastic.making import VERSION, change
from tests.real_servers import request

SHARDS = {"number_of_shards": 5, "number_of_replicas": 0}


@pytest.fixture
def es(elasticsearch_url):
    def send(method, path, body=None):
        return request(method, f"{elasticsearch_url}/{path}", body).json()

    return send


@pytest.fixture
def by_month(elasticsearch_url, index_name):
    """Documents in an index for each month."""

    def target_for(change):
        return f"{index_name}_{change.document['month']}", change.document.get("by")

    target = SeveralIndices(index_name, {"properties": {"n": {"type": "long"}}}, SHARDS)
    made = SeveralTransport(
        Endpoint.parse(elasticsearch_url), target, "OrderPillow", target_for=target_for
    )
    with closing(made):
        assert made.prepare() == index_name
        yield made


@pytest.fixture
def by_country(elasticsearch_url, index_name):
    """Documents in one index, by routing."""
    target = FixedIndex(index_name, {}, SHARDS, "address.country")
    made = RoutingTransport(
        Endpoint.parse(elasticsearch_url), target, "OrderPillow", routing="address.country"
    )
    with closing(made):
        assert " by " in made.prepare()
        yield made


def deliver(to, *items):
    outcomes = to.deliver(items)
    assert {one.verdict for one in outcomes} == {Verdict.DELIVERED}, outcomes
    assert {one.item for one in outcomes} == set(items)


def document(to, doc_id, version, **fields):
    return to.pack_bytes(change(doc_id, fields), VERSION + version)


def deletion(to, doc_id, version):
    return to.pack_deletion(change(doc_id, deleted=True), VERSION + version)


def standing(to):
    """Where documents stand."""
    to.holdings.refresh()
    return sorted(
        (one.doc_id, one.place.index.rpartition("_")[2], one.place.routing)
        for one in to.holdings.page("orders", "")
    )


def test_a_document_that_moves_stands_once(by_month):
    deliver(
        by_month, document(by_month, "a", 1, month="10"), document(by_month, "b", 2, month="10")
    )
    assert standing(by_month) == [("a", "10", ""), ("b", "10", "")]
    deliver(by_month, document(by_month, "a", 3, month="11"))
    assert standing(by_month) == [("a", "11", ""), ("b", "10", "")]
    deliver(by_month, document(by_month, "a", 4, month="10"))
    assert standing(by_month) == [("a", "10", ""), ("b", "10", "")]


def test_a_deletion_removes_a_document_wherever_it_stands(by_month):
    deliver(by_month, document(by_month, "a", 1, month="10", by="x"))
    deliver(by_month, deletion(by_month, "a", 2), deletion(by_month, "never", 3))
    assert standing(by_month) == []
    deliver(by_month, document(by_month, "a", 1, month="10", by="x"))
    assert standing(by_month) == []


def test_what_is_late_does_not_come_back_to_where_it_was(by_month):
    early = document(by_month, "a", 1, month="10")
    deliver(by_month, early)
    deliver(by_month, document(by_month, "a", 2, month="11"))
    deliver(by_month, early)
    assert standing(by_month) == [("a", "11", "")]


def test_what_an_outlived_life_writes_elsewhere_is_removed(by_month):
    deliver(by_month, by_month.pack_bytes(change("a", {"month": "11"}), 3 * VERSION))
    with pytest.raises(WrittenByLaterLife):
        by_month.deliver([document(by_month, "a", 1, month="10")])
    assert standing(by_month) == [("a", "11", "")]
    with pytest.raises(WrittenByLaterLife):
        by_month.deliver([deletion(by_month, "a", 1)])
    assert standing(by_month) == [("a", "11", "")]


def test_what_indices_are_made_with(by_month, index_name, es):
    deliver(by_month, document(by_month, "a", 1, month="10"))
    name = f"{index_name}_10"
    made = es("GET", name)[name]
    assert made["aliases"] == {
        f"{name}-pillowtop": {"is_write_index": True},
        index_name: {"is_write_index": False},
    }
    assert made["mappings"]["properties"]["n"] == {"type": "long"}
    assert made["settings"]["index"]["number_of_shards"] == "5"
    assert made["settings"]["index"]["gc_deletes"] == "1h"
    es("POST", f"{index_name}/_doc?refresh", {"n": 1})
    assert es("GET", f"{index_name}/_count")["count"] == 1


def test_an_index_that_an_operator_removes(by_month, index_name, es):
    deliver(
        by_month, document(by_month, "a", 1, month="10"), document(by_month, "b", 2, month="11")
    )
    es("DELETE", f"{index_name}_10")
    assert by_month.identity() == index_name
    deliver(by_month, deletion(by_month, "a", 3))
    assert list(es("GET", f"{index_name}*")) == [f"{index_name}_11"]
    deliver(by_month, document(by_month, "c", 4, month="10"))
    assert standing(by_month) == [("b", "11", ""), ("c", "10", "")]
    assert len(es("GET", f"{index_name}_10")[f"{index_name}_10"]["aliases"]) == 2


def test_an_index_that_goes_before_the_next_write(by_month, index_name, es):
    deliver(by_month, document(by_month, "a", 1, month="10"))
    es("DELETE", f"{index_name}_10")
    again = [document(by_month, "b", 2, month="10")]
    with pytest.raises(Exception, match="was removed meanwhile"):
        by_month.deliver(again)
    assert es("GET", f"{index_name}*") == {}
    deliver(by_month, *again)
    assert standing(by_month) == [("b", "10", "")]


def test_an_index_that_goes_before_a_removal_is_not_made_again(by_month, index_name, es):
    deliver(
        by_month, document(by_month, "a", 1, month="10"), document(by_month, "b", 2, month="11")
    )
    gone = by_month.pack_removal(Held("a", "a", 1, "", Place(f"{index_name}_10")), VERSION + 5)
    there = by_month.pack_removal(Held("b", "b", 1, "", Place(f"{index_name}_11")), VERSION + 5)
    es("DELETE", f"{index_name}_10")
    with pytest.raises(Exception, match="was removed meanwhile"):
        by_month.deliver([gone, there])
    with pytest.raises(Exception, match="was removed meanwhile"):
        by_month.deliver([gone, document(by_month, "c", 9, month="11")])
    assert list(es("GET", f"{index_name}*")) == [f"{index_name}_11"]
    assert standing(by_month) == [("c", "11", "")]


def test_the_alias_must_be_none_of_an_index(by_month, index_name, es):
    es("PUT", index_name)
    with pytest.raises(TargetUnusable, match="is an index, and where target_for"):
        by_month.prepare()


def test_an_index_of_others(by_month, index_name, es):
    es("PUT", f"{index_name}_10", {"aliases": {"mine": {}}, "settings": SHARDS})
    deliver(by_month, document(by_month, "a", 1, month="10"))
    assert standing(by_month) == [("a", "10", "")]
    assert len(es("GET", f"{index_name}_10")[f"{index_name}_10"]["aliases"]) == 3


def test_a_closed_index_is_no_empty_one(by_month, index_name, es):
    deliver(by_month, document(by_month, "a", 1, month="10"))
    es("POST", f"{index_name}_10/_close")
    with pytest.raises(TargetUnusable, match="index_closed"):
        by_month.deliver([document(by_month, "a", 2, month="11")])


def routed(to, doc_id, version, country, **fields):
    return document(to, doc_id, version, address={"country": country}, **fields)


def test_a_routing_that_changes(by_country):
    countries = ["fr", "de", None, 7, 1.5, "ä,ö", "", "it", "us"]
    for number, country in enumerate(countries, start=1):
        deliver(by_country, routed(by_country, "a", number, country))
        assert standing(by_country) == [("a", "", "" if country is None else str(country))]
    deliver(by_country, deletion(by_country, "a", 50))
    assert standing(by_country) == []


def test_what_loses_in_its_shard_removes_nothing(by_country):
    """`fr` and `de` lead to one shard, and `fr` and `0` to two."""
    for country in ("de", "0"):
        deliver(by_country, routed(by_country, "a", 5, "fr"))
        deliver(by_country, routed(by_country, "a", 1, country))
        assert standing(by_country) == [("a", "", "fr")]


def test_documents_are_found_by_their_routing(by_country, index_name, es):
    deliver(
        by_country,
        routed(by_country, "a", 1, "fr"),
        routed(by_country, "b", 2, "de"),
        document(by_country, "c", 3),
        document(by_country, "d", 4, address=None),
    )
    assert es("GET", f"{index_name}/_doc/a?routing=fr")["found"]
    assert es("GET", f"{index_name}/_doc/c")["found"]
    assert standing(by_country) == [("a", "", "fr"), ("b", "", "de"), ("c", "", ""), ("d", "", "")]


@pytest.mark.parametrize("country", [True, ["fr"], {"a": 1}])
def test_what_is_no_routing(by_country, country):
    with pytest.raises(DocumentRefused, match=r"'address\.country'.*text or a number"):
        routed(by_country, "a", 1, country)


def write_one(to, **fields):
    to.write_one("a", {"_id": "a", **fields})
    to.write_one("a", {"_id": "a", "month": "11"})
    to.holdings.refresh()
    (held,) = to.holdings.called("a")
    assert held.place.routing == ""
    to.write_one("a", None)
    to.holdings.refresh()
    assert to.holdings.called("a") == []


def test_writing_one_by_its_routing(by_country):
    write_one(by_country, address={"country": "fr"})


def test_writing_one_into_its_index(by_month):
    write_one(by_month, month="10", by="x")
