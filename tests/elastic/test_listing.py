from __future__ import annotations

import re

import pytest

from pillowtop.elastic import listing
from pillowtop.elastic.index import AliasedIndex
from pillowtop.engine.items import Held, Verdict
from pillowtop.exceptions import ServerBusy, TargetUnusable
from pillowtop.testing.scripted import ScriptedServer
from tests.elastic.making import VERSION, change, packed, transport

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
HITS = [
    {"_id": "orders/a", "_version": 7, "sort": ["a"], "fields": {"pillowtop.rev": ["1-a"]}},
    {"_id": "orders/b", "_version": 2**32, "sort": ["b"]},
]
WHOLE = {"timed_out": False, "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0}}


def listed(*, search=WHOLE, refresh=WHOLE, after="", upto=""):
    """What is listed, and the requests that it took."""

    def answer(request, connection):
        if request.path.endswith("_refresh"):
            connection.reply(200, refresh, PRODUCT)
        else:
            connection.reply(200, {**search, "hits": {"hits": HITS}}, PRODUCT)

    with ScriptedServer(answer) as server:
        holdings = transport(server.url).holdings
        holdings.refresh()
        return holdings.page("orders", after, upto), server.requests


def test_what_is_asked_for():
    held, (_, refresh, search) = listed()
    assert held == [Held("a", "orders/a", 7, "1-a"), Held("b", "orders/b", 2**32, "")]
    # Of the index, and not of all behind its alias.
    assert re.fullmatch("/orders_[0-9a-f]{8}/_refresh", refresh.path)
    assert re.fullmatch("/orders_[0-9a-f]{8}/_search", search.path)
    assert search.query["allow_partial_search_results"] == "false"
    asked = search.json()
    assert (asked["version"], asked["_source"], asked["size"]) == (
        True,
        False,
        listing.LISTED_DOCUMENTS,
    )
    assert asked["search_after"] == [""]
    assert asked["query"]["bool"]["filter"] == [
        {"term": {"pillowtop.pillow": "OrderPillow"}},
        {"term": {"pillowtop.database": "orders"}},
    ]


def test_what_is_held_between_ids():
    _, (*_, search) = listed(after="b", upto="d")
    assert search.json()["search_after"] == ["b"]
    assert search.json()["query"]["bool"]["filter"][-1] == {
        "range": {"pillowtop.id": {"gt": "b", "lte": "d"}}
    }


FAILED = {"_shards": {"total": 2, "successful": 1, "failed": 1}}


@pytest.mark.parametrize(
    "answers", [{"search": FAILED}, {"refresh": FAILED}, {"search": {**WHOLE, "timed_out": True}}]
)
def test_a_part_of_what_is_held_is_not_listed(answers):
    with pytest.raises(ServerBusy, match="some shards"):
        listed(**answers)


@pytest.fixture
def to(elasticsearch_url, index_name):
    """A transport to an index of a real server, under other ids than the documents'."""
    made = transport(
        elasticsearch_url, AliasedIndex(index_name), index_id=lambda change: f"x/{change.id}"
    )
    made.prepare()
    return made


IDS = ["a", "B", "ä", "c/d", "\U0001f600", "\uffee", *(f"n{number:04}" for number in range(50))]


def all_held(to):
    found, after = [], ""
    while page := to.holdings.page("orders", after):
        found += page
        after = page[-1].doc_id
    return found


def test_all_that_an_index_holds_comes_in_the_order_of_bytes(to, monkeypatch):
    monkeypatch.setattr(listing, "LISTED_DOCUMENTS", 7)
    assert all_held(to) == []
    other = [to.pack_bytes(change(doc_id, database="other"), VERSION) for doc_id in ("o", "p")]
    to.deliver([*packed(to, *IDS, version=VERSION + 5), *other])
    to.holdings.refresh()
    held = all_held(to)
    assert [one.doc_id for one in held] == sorted(IDS, key=str.encode)
    assert set(held) == {Held(doc_id, f"x/{doc_id}", VERSION + 5, "1-abc") for doc_id in IDS}

    removals = [to.pack_removal(one, VERSION + 6) for one in held[:2]]
    assert {outcome.verdict for outcome in to.deliver(removals)} == {Verdict.DELIVERED}
    to.holdings.refresh()
    assert all_held(to) == held[2:]


def deliver_copies(to, doc_id, count):
    """Documents of the index that all come from one of the database."""
    for number in range(count):
        item = to.pack_bytes(change(doc_id), VERSION)
        item.payload = item.payload.replace(b"x/", b"%d/" % number, 1)
        item.id = f"{number}/{doc_id}"
        to.deliver([item])
    to.holdings.refresh()


def test_what_comes_from_one_document_comes_together(to, monkeypatch):
    monkeypatch.setattr(listing, "LISTED_DOCUMENTS", 4)
    to.deliver(packed(to, "a", "c"))
    deliver_copies(to, "b", 3)
    pages = [[one.doc_id for one in to.holdings.page("orders", after)] for after in ("", "a", "b")]
    assert pages == [["a"], ["b", "b", "b"], ["c"]]
    assert {one.target_id for one in to.holdings.of("orders", ["b", "x"])} == {"0/b", "1/b", "2/b"}


def test_more_from_one_document_than_a_page_takes(to, monkeypatch):
    monkeypatch.setattr(listing, "LISTED_DOCUMENTS", 3)
    deliver_copies(to, "b", 3)
    with pytest.raises(TargetUnusable, match="3 documents or more that come from 'b'"):
        to.holdings.page("orders", "")


def test_some_documents_by_their_ids(to, monkeypatch):
    monkeypatch.setattr(listing, "LISTED_DOCUMENTS", 4)
    to.deliver(packed(to, *IDS))
    to.holdings.refresh()
    held = to.holdings.of("orders", [*IDS[:10], "no such document"])
    assert {one.doc_id for one in held} == set(IDS[:10])
    assert to.holdings.of("other", IDS[:3]) == []


def test_a_sample(to):
    to.deliver(packed(to, *IDS))
    to.holdings.refresh()
    drawn = to.holdings.sample("orders", 10)
    assert len(set(drawn)) == 10
    assert set(drawn) <= set(IDS)
    assert set(to.holdings.sample("orders", 1000)) == set(IDS)
    assert to.holdings.sample("other", 10) == []
