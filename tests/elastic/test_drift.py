"""Where an index differs from what is declared of it."""

from __future__ import annotations

import pytest

from pillowtop.elastic.drift import drift
from pillowtop.elastic.index import FoundIndex

MAPPING = {
    "dynamic": "strict",
    "properties": {"n": {"type": "long"}, "in": {"properties": {"a": {"type": "keyword"}}}},
}
SETTINGS = {"number_of_shards": 2, "analysis": {"analyzer": {"x": {"type": "standard"}}}}
THERE = {
    "index.number_of_shards": "2", "index.number_of_replicas": "1", "index.gc_deletes": "1h",
    "index.analysis.analyzer.x.type": "standard", "index.uuid": "u", "index.creation_date": "1",
    "index.version.created": "8", "index.provided_name": "orders_1",
    "index.routing.allocation.include._tier_preference": "data_content",
}  # fmt: skip


def differences(mapping=MAPPING, settings=None):
    found = FoundIndex("orders_1", "u", mapping=mapping)
    return [str(one) for one in drift(MAPPING, SETTINGS, found, settings or THERE)]


def test_there_is_none():
    assert differences() == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"index.number_of_replicas": "0"}, "setting number_of_replicas: 0 there, 1 here"),
        ({"index.refresh_interval": "-1"}, "setting refresh_interval: -1 there, none here"),
        ({"index.gc_deletes": "60s"}, "setting gc_deletes: 60s there, 1h here"),
        ({"index.blocks.write": "true"}, "setting blocks.write: true there, none here"),
    ],
)
def test_settings(settings, words):
    assert differences(settings=THERE | settings) == [words]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"n": {"type": "text"}}, "field n: text there, long here"),
        ({"m": {"type": "text"}}, "field m: text there, none here"),
        ({"in": {"properties": {"a": {"type": "text"}}}}, "field in.a: text there, keyword here"),
        ({"in": {"properties": {"a": {"type": "keyword"}, "b": {"type": "long"}}}},
         "field in.b: long there, none here"),
    ],
)  # fmt: skip
def test_fields(properties, words):
    (said,) = differences({**MAPPING, "properties": {**MAPPING["properties"], **properties}})
    assert said.startswith(words)


def test_a_field_that_is_missing():
    assert differences({**MAPPING, "properties": {"n": {"type": "long"}}}) == [
        "field in: none there, object here"
    ]


def test_the_mapping_itself():
    assert differences({**MAPPING, "dynamic": "true"}) == [
        "mapping dynamic: true there, strict here"
    ]
    assert differences({**MAPPING, "date_detection": False}) == [
        "mapping date_detection: False there, none here"
    ]


def test_fields_that_documents_have_brought_are_none():
    found = FoundIndex("o", "u", mapping={"properties": {"m": {"type": "text"}}})
    assert drift({}, {}, found, {"index.gc_deletes": "1h", "index.number_of_shards": "1",
                                 "index.number_of_replicas": "1"}) == []  # fmt: skip


def test_a_name_with_dots_is_objects_in_objects():
    declared = {"properties": {"a.b": {"type": "long"}}}
    there = {"properties": {"a": {"properties": {"b": {"type": "long"}}}}}
    settings = {"index.gc_deletes": "1h", "index.number_of_shards": "1",
                "index.number_of_replicas": "1"}  # fmt: skip
    assert drift(declared, {}, FoundIndex("o", "u", mapping=there), settings) == []
