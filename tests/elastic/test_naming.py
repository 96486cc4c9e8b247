from __future__ import annotations

import re

import pytest

from pillowtop.elastic import naming

MAPPING = {"dynamic": "strict", "properties": {"a": {"type": "long"}, "b": {"type": "keyword"}}}
SETTINGS = {"number_of_shards": 2, "analysis": {"analyzer": {"x": {"type": "keyword"}}}}


def name(mapping=MAPPING, settings=SETTINGS, version=1):
    return naming.index_name("orders", mapping, settings, version)


def test_the_name_stays_what_it_is():
    """Another name would stop every pillow there is: its alias would be on another index."""
    assert naming.index_name("orders", {}, {}, 1) == "orders_faa4ec4f"
    assert name() == "orders_d1ca550a"


def test_the_name_has_eight_hex_digits():
    assert re.fullmatch(r"orders_[0-9a-f]{8}", name())


def test_the_order_of_keys_does_not_matter():
    mapping = {"properties": {"b": {"type": "keyword"}, "a": {"type": "long"}}, "dynamic": "strict"}
    assert name(mapping) == name()
    assert name(settings=dict(reversed(SETTINGS.items()))) == name()


@pytest.mark.parametrize(
    "settings",
    [
        {"index": SETTINGS},
        {"settings": SETTINGS},
        {"settings": {"index": SETTINGS}},
        {"index.number_of_shards": 2, "index.analysis.analyzer.x.type": "keyword"},
        {**SETTINGS, "number_of_replicas": 3, "refresh_interval": "30s", "gc_deletes": "2h"},
    ],
)
def test_ways_to_write_the_same_settings(settings):
    assert name(settings=settings) == name()


@pytest.mark.parametrize(
    "other",
    [
        {"version": 2},
        {"version": "1"},
        {"mapping": {}},
        {"mapping": {**MAPPING, "dynamic": False}},
        {"settings": {**SETTINGS, "number_of_shards": 3}},
        {"settings": {"number_of_shards": 2}},
        {"settings": {**SETTINGS, "sort.field": "a"}},
    ],
)
def test_what_asks_for_another_index(other):
    assert name(**other) != name()


def test_creation_settings():
    made = naming.creation_settings({"number_of_shards": 2, "refresh_interval": "5s"})
    assert made == {
        "index.gc_deletes": "1h",
        "index.number_of_shards": 2,
        "index.refresh_interval": "5s",
    }


def test_the_users_gc_deletes_goes_before_ours():
    made = naming.creation_settings({"index": {"gc_deletes": "3h"}})
    assert made == {"index.gc_deletes": "3h"}


def test_the_source_field_joins_the_mapping():
    mapping = naming.mapping_with_source(MAPPING, "origin")
    keyword = {"type": "keyword"}
    assert mapping == {
        "dynamic": "strict",
        "properties": {
            **MAPPING["properties"],
            "_rev": keyword,
            "origin": {"properties": dict.fromkeys(["id", "rev", "database", "pillow"], keyword)},
        },
    }
    assert "origin" not in MAPPING["properties"]


def test_a_declared_rev_is_left_alone():
    declared = {"properties": {"_rev": {"type": "text"}}}
    assert naming.mapping_with_source(declared, "p")["properties"]["_rev"] == {"type": "text"}
