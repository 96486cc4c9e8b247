"""Documents that may stand in more than one place, against servers that answer by script."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from pillowtop.elastic import placing
from pillowtop.elastic.index import AliasedIndex, FixedIndex, SeveralIndices
from pillowtop.elastic.placing import RoutingTransport, SeveralTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import HERE, Held, Place, Verdict
from pillowtop.exceptions import ConfigurationError, DocumentRefused, ServerBusy
from pillowtop.testing import FakeElasticsearch, answer_with, busy, late, reject
from tests.elastic.making import VERSION, change, transport


def by_month(change):
    return f"orders_{change.document['month']}", None


def several(url, target_for=by_month, **more):
    return SeveralTransport(
        Endpoint.parse(url), SeveralIndices("orders"), "OrderPillow", target_for=target_for, **more
    )


def routing(url, target=None, field="country"):
    target = target or FixedIndex("orders")
    return RoutingTransport(Endpoint.parse(url), target, "OrderPillow", routing=field)


@pytest.fixture
def es():
    with FakeElasticsearch() as server:
        yield server


@pytest.fixture
def to(es):
    with closing(several(es.url)) as made:
        made.prepare()
        yield made


def document(to, doc_id, version=1, **fields):
    return to.pack_bytes(change(doc_id, fields), VERSION + version)


def deletion(to, doc_id, version):
    return to.pack_deletion(change(doc_id, deleted=True), VERSION + version)


def verdicts(outcomes):
    return {one.item.id: one.verdict for one in outcomes}


def standing(es):
    return {name: set(es.documents(name)) for name in es.aliases()}


def test_what_is_packed():
    to = several("http://x:1", lambda change: ("orders_10", "fr"))
    change_of_a = change("a", {"n": 1})
    for item in (to.pack_bytes(change_of_a, 5), to.pack(change_of_a, {"n": 1}, 5)):
        assert (item.id, item.doc_id, item.version, item.rev) == ("a", "a", 5, "1-abc")
        assert (item.place, item.database) == (Place("orders_10", "fr"), "orders")
        action, source = map(json.loads, item.payload.splitlines())
        assert action == {"index": {"_id": "a", "version": 5, "version_type": "external_gte",
                                    "_index": "orders_10-pillowtop", "routing": "fr"}}  # fmt: skip
        assert source["n"] == 1
        assert item.size == len(item.payload)
    gone = to.pack_deletion(change("a", deleted=True), 5)
    assert (gone.deletion, gone.payload, gone.size, gone.place) == (True, b"", 0, HERE)


def test_a_removal_names_the_place():
    removal = several("http://x:1").pack_removal(Held("a", "b", 4, "", Place("i", "r")), 5)
    assert json.loads(removal.payload)["delete"] == {
        "_id": "b", "version": 5, "version_type": "external_gte", "_index": "i", "routing": "r",
    }  # fmt: skip
    plain = transport("http://x:1").pack_removal(Held("a", "a", 4, "", Place("", "r")), 5)
    assert json.loads(plain.payload)["delete"]["routing"] == "r"


def test_hooks_have_changed_their_document():
    """What `target_for` gets is the document in the database."""
    to, came = several("http://x:1"), change("a", {"month": "10"})
    came.document["month"] = "changed by a transform"
    assert to.pack(came, came.document, 5).place.index == "orders_10"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("orders_10", TypeError, "must return the name of an index and a routing"),
        (("orders_10", 5), TypeError, "must be text, not 5"),
        (("Orders", None), DocumentRefused, "'Orders', which Elasticsearch does not take"),
        ((None, None), DocumentRefused, "None"),
        (("orders", None), ConfigurationError, "which is es_index"),
    ],
)
def test_what_target_for_must_not_return(answer, error, words):
    with pytest.raises(error, match=words):
        several("http://x:1", lambda _change: answer).pack_bytes(change("a"), 5)


def test_the_field_has_the_routing_where_target_for_has_none():
    answers = iter([("i", None), ("i", "de"), ("i", "")])
    to = several("http://x:1", lambda _change: next(answers), routing="country")
    routings = [document(to, "a", country="fr").place.routing for _ in range(3)]
    assert routings == ["fr", "de", ""]


def test_documents_stand_once(es, to):
    assert es.aliases() == {}
    to.deliver([document(to, "a", month="10"), document(to, "b", month="10")])
    to.deliver([document(to, "a", 2, month="11"), deletion(to, "b", 3), deletion(to, "c", 4)])
    assert standing(es) == {"orders_10": set(), "orders_11": {"a"}}
    assert es.aliases()["orders_10"] == ["orders_10-pillowtop", "orders"]


def test_a_batch_of_deletions_before_there_is_anything(es, to):
    assert verdicts(to.deliver([deletion(to, "a", 1)])) == {"a": Verdict.DELIVERED}
    assert es.aliases() == {}


def test_what_is_late_does_not_come_back(es, to):
    first = document(to, "a", month="10")
    es.fail_next(late())
    with pytest.raises(Exception, match="cannot be reached"):
        to.deliver([first])
    to.deliver([first])
    to.deliver([document(to, "a", 2, month="11")])
    es.apply_late()
    assert standing(es) == {"orders_10": set(), "orders_11": {"a"}}


@pytest.mark.parametrize("path", ["_refresh", "_search"])
def test_what_was_written_is_not_found(es, to, path):
    to.deliver([document(to, "a", month="10")])
    es.fail_next(answer_with(503), path)
    moved = document(to, "a", 2, month="11")
    with pytest.raises(ServerBusy):
        to.deliver([moved])
    assert standing(es) == {"orders_10": {"a"}, "orders_11": {"a"}}
    to.deliver([moved])
    assert standing(es) == {"orders_10": set(), "orders_11": {"a"}}


@pytest.mark.parametrize(("fault", "verdict"), [
    (busy("a"), Verdict.AGAIN),
    (reject("a"), Verdict.REJECTED),
])  # fmt: skip
def test_what_is_not_removed(es, to, fault, verdict):
    """The write is done, and yet it is not delivered: the document stands twice."""
    to.deliver([document(to, "a", month="10"), document(to, "b", month="10")])
    moved = [document(to, "a", 2, month="11"), deletion(to, "b", 3)]
    sent = to._sent

    def failing(items, alias):
        if all(one.deletion for one in items):
            es.fail_next(fault)
        return sent(items, alias)

    to._sent = failing
    outcomes = to.deliver(moved)
    assert verdicts(outcomes) == {"a": verdict, "b": Verdict.DELIVERED}
    assert {one.item for one in outcomes} == set(moved)
    to._sent = sent
    assert verdicts(to.deliver(moved[:1])) == {"a": Verdict.DELIVERED}
    assert standing(es) == {"orders_10": set(), "orders_11": {"a"}}


def test_what_is_refused_stays_as_it_was(es, to):
    to.deliver([document(to, "a", month="10")])
    es.fail_next(reject("a"))
    outcomes = to.deliver([document(to, "a", 2, month="11")])
    assert verdicts(outcomes) == {"a": Verdict.REJECTED}
    assert standing(es) == {"orders_10": {"a"}, "orders_11": set()}


def test_more_places_than_a_page_has(es, to, monkeypatch):
    monkeypatch.setattr(placing, "LISTED_DOCUMENTS", 3)
    monkeypatch.setattr("pillowtop.elastic.listing.LISTED_DOCUMENTS", 3)
    names = [f"orders_{number}" for number in range(8)]
    source = {"pillowtop": {"id": "a", "database": "orders", "pillow": "OrderPillow"}}
    for number, name in enumerate(names):
        to.deliver([document(to, f"other-{number}", month=name[7:])])
        es._indices.behind(name)[0].index("a", source, 1)
    gone = deletion(to, "a", 99)
    for _ in range(2):
        with pytest.raises(ServerBusy, match="stands in 3 places or more"):
            to.deliver([gone, deletion(to, "b", 100)])
    to.deliver([gone])
    assert not any("a" in ids for ids in standing(es).values())


def test_each_copy_of_a_document_under_another_id(es):
    ids = iter(["v1", "v2", "v1"])
    to = several(es.url, index_id=lambda _change: next(ids))
    to.deliver([document(to, "a", 1, month="10")])
    to.deliver([document(to, "a", 2, month="10")])
    assert standing(es) == {"orders_10": {"v2"}}
    to.deliver([deletion(to, "a", 3)])
    assert standing(es) == {"orders_10": set()}


def test_what_others_hold_is_left_alone(es, to):
    other = several(es.url)
    other._pillow_name = "OtherPillow"
    other._sources._pillow_name = "OtherPillow"
    to.deliver([document(to, "a", month="10")])
    elsewhere = to.pack_bytes(change("a", {"month": "12"}, database="invoices"), VERSION)
    to.deliver([elsewhere])
    to.deliver([deletion(to, "a", 9)])
    assert standing(es) == {"orders_10": set(), "orders_12": {"a"}}


def test_both_indices_of_a_move_have_documents_once(es):
    """`ptop_reindex` has the old index kept in step, too."""
    old, new = AliasedIndex("orders", {}, {}, 1), AliasedIndex("orders", {}, {}, 2)
    to = routing(es.url, old)
    to.prepare()
    to.deliver([document(to, "a", country="fr")])
    to.close()
    to = routing(es.url, FixedIndex(new.index))
    to.prepare()
    to.write_to_both(old.index)
    es._indices.behind(old.index)[0].aliases[f"{old.index}-pillowtop"] = {"is_write_index": True}
    to.deliver([document(to, "a", 2, country="de")])
    assert standing(es) == {old.index: {"a"}, new.index: {"a"}}
    to.deliver([deletion(to, "a", 3)])
    assert standing(es) == {old.index: set(), new.index: set()}
    assert to.lost == ""


def test_which_requests_it_takes(es, to):
    to.deliver([document(to, "a", month="10")])
    es.requests.clear()
    to.deliver([document(to, "a", 2, month="10"), deletion(to, "b", 3)])
    paths = [(one.method, one.path) for one in es.requests]
    assert paths == [
        ("POST", "/orders/_bulk"), ("POST", "/orders/_refresh"), ("POST", "/orders/_search"),
    ]  # fmt: skip


def test_names_of_indices_differ_by_routing_only_where_there_is_one():
    assert AliasedIndex("orders").index == AliasedIndex("orders", routing="").index
    assert AliasedIndex("orders").index != AliasedIndex("orders", routing="country").index
