"""Indices and aliases on real servers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pillowtop.elastic.index import AliasedIndex, FixedIndex
from pillowtop.exceptions import IndexElsewhere, ServerBusy, TargetUnusable
from tests.elastic.making import transport
from tests.real_servers import request

LONG, TEXT = {"properties": {"n": {"type": "long"}}}, {"properties": {"n": {"type": "text"}}}


@pytest.fixture
def es(elasticsearch_url):
    """Sends a request that must succeed."""

    def send(method, path, body=None):
        reply = request(method, f"{elasticsearch_url}/{path}", body)
        assert reply.status == 200, reply.data
        return reply.json()

    return send


@pytest.fixture
def preparing(elasticsearch_url):
    def prepare(target):
        return transport(elasticsearch_url, target).prepare()

    return prepare


def uuid_of(es, index):
    return es("GET", index)[index]["settings"]["index"]["uuid"]


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
def test_an_index_is_made_with_its_alias(kind, elasticsearch_url, index_name, es):
    target = kind(index_name, {"dynamic": "strict", **LONG}, {"refresh_interval": "7s"})
    to = transport(elasticsearch_url, target)

    identity = to.prepare()

    ((name, made),) = es("GET", target.write_alias).items()
    settings = made["settings"]["index"]
    assert name == target.index
    assert made["aliases"] == {target.write_alias: {"is_write_index": True}}
    assert settings["uuid"] == identity == to.identity() == to.prepare()
    assert (settings["gc_deletes"], settings["refresh_interval"]) == ("1h", "7s")
    keyword = {"type": "keyword"}
    assert made["mappings"] == {
        "dynamic": "strict",
        "properties": {
            "_rev": keyword,
            "n": {"type": "long"},
            "pillowtop": {
                "properties": dict.fromkeys(["id", "rev", "database", "pillow"], keyword)
            },
        },
    }


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
def test_many_at_once_make_one_index(kind, index_name, preparing, es):
    target = kind(index_name, LONG)
    with ThreadPoolExecutor(8) as pool:
        identities = set(pool.map(preparing, [target] * 8))
    assert identities == {uuid_of(es, target.index)}
    assert list(es("GET", f"{index_name}*")) == [target.index]


def test_versions_at_once_make_one_index(index_name, preparing, es):
    """Two versions of a pillow are started: the alias is on one of their indices."""

    def attempt(version):
        try:
            return preparing(AliasedIndex(index_name, LONG, index_version=version))
        except ServerBusy as error:  # "alias … has more than one write index": tried again
            return str(error) and attempt(version)
        except IndexElsewhere:
            return "stands by"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, [1, 2]))
    assert results.count("stands by") == 1
    assert len(es("GET", index_name)) == 1


def test_an_alias_on_the_index_of_another_hash(index_name, preparing, es):
    old, new = AliasedIndex(index_name, TEXT), AliasedIndex(index_name, LONG)
    preparing(old)
    with pytest.raises(IndexElsewhere) as raised:
        preparing(new)
    for name in (index_name, old.index, new.index):
        assert repr(name) in str(raised.value)
    assert list(es("GET", f"{index_name}*")) == [old.index]


def test_an_alias_that_moves_away_under_a_running_pillow(elasticsearch_url, index_name, es):
    target = AliasedIndex(index_name)
    to = transport(elasticsearch_url, target)
    to.prepare()
    es("PUT", f"{index_name}_other")
    es("POST", "_aliases", {"actions": [
        {"remove": {"index": target.index, "alias": index_name}},
        {"add": {"index": f"{index_name}_other", "alias": index_name}},
    ]})  # fmt: skip
    with pytest.raises(IndexElsewhere):
        to.identity()


def test_an_alias_on_many_indices(index_name, preparing, es):
    target = AliasedIndex(index_name)
    identity = preparing(target)
    es("PUT", f"{index_name}_other", {"aliases": {index_name: {}}})
    assert preparing(target) == identity

    es("POST", "_aliases", {"actions": [
        {"add": {"index": target.index, "alias": index_name, "is_write_index": False}},
    ]})  # fmt: skip
    with pytest.raises(TargetUnusable, match="no write index"):
        preparing(target)


def test_an_index_without_its_alias(index_name, preparing, es):
    target = AliasedIndex(index_name)
    identity = preparing(target)
    es("DELETE", f"{target.index}/_alias/{index_name}")
    with pytest.raises(TargetUnusable, match="without its alias") as raised:
        preparing(target)

    typed = str(raised.value).partition("POST /_aliases ")[2].partition("), or")[0]
    es("POST", "_aliases", json.loads(typed))
    assert preparing(target) == identity


def test_an_index_with_the_name_of_the_alias(index_name, preparing, es):
    es("PUT", index_name)
    with pytest.raises(TargetUnusable, match=f"{index_name!r} is an index"):
        preparing(AliasedIndex(index_name))


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
@pytest.mark.parametrize(
    ("mapping", "words"),
    [({"properties": {"n": {"type": "nope"}}}, "nope"), ({"n": {"type": "long"}}, "n")],
)
def test_a_mapping_that_is_refused(kind, mapping, words, index_name, preparing):
    with pytest.raises(TargetUnusable, match=words):
        preparing(kind(index_name, mapping))


def test_a_name_that_is_refused(preparing):
    with pytest.raises(TargetUnusable, match="must be lowercase"):
        preparing(FixedIndex("Orders-Not-Lowercase"))


def test_an_index_that_others_made(index_name, preparing, es):
    es("PUT", index_name, {"mappings": LONG})
    uuid = uuid_of(es, index_name)
    mapping = {"properties": {"n": {"type": "long"}, "m": {"type": "keyword"}}}

    assert preparing(FixedIndex(index_name, mapping)) == uuid

    made = es("GET", index_name)[index_name]
    assert made["aliases"] == {f"{index_name}-pillowtop": {"is_write_index": True}}
    assert set(made["mappings"]["properties"]) == {"_rev", "n", "m", "pillowtop"}


def test_an_index_that_others_filled(index_name, preparing, es):
    """`_rev` has become text there, which is nobody's fault."""
    es("PUT", index_name, {"mappings": {"properties": {"_rev": {"type": "text"}}}})
    assert preparing(FixedIndex(index_name)) == uuid_of(es, index_name)


def test_a_mapping_that_contradicts(index_name, preparing, es):
    es("PUT", index_name, {"mappings": TEXT})
    with pytest.raises(TargetUnusable, match=r"'n' .* type text, .* declares long"):
        preparing(FixedIndex(index_name, LONG))
    assert es("GET", index_name)[index_name]["aliases"] == {}


@pytest.mark.parametrize("kind", [AliasedIndex, FixedIndex])
def test_an_index_that_is_gone(kind, elasticsearch_url, index_name, es):
    to = transport(elasticsearch_url, target := kind(index_name))
    first = to.prepare()
    es("DELETE", target.index)
    with pytest.raises(TargetUnusable, match="is gone"):
        to.identity()
    assert to.prepare() != first


def test_a_closed_index_keeps_its_identity(elasticsearch_url, index_name, es):
    to = transport(elasticsearch_url, target := AliasedIndex(index_name))
    identity = to.prepare()
    es("POST", f"{target.index}/_close")
    assert to.identity() == identity


def test_something_else_than_elasticsearch(couch_url):
    with pytest.raises(ServerBusy, match="something else than Elasticsearch"):
        transport(couch_url).prepare()
