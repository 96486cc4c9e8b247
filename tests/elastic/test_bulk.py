from __future__ import annotations

import json

import pytest

from pillowtop.elastic import bulk
from pillowtop.engine.items import HERE, Place, Verdict
from tests.elastic.making import item, items


def test_the_line_of_a_document():
    line = bulk.index_line(b'"a"', 5)
    assert line == b'{"index":{"_id":"a","version":5,"version_type":"external_gte"}}\n'


@pytest.mark.parametrize(
    ("version", "place", "details"),
    [
        (5, None, {"version": 5, "version_type": "external_gte"}),
        (5, HERE, {"version": 5, "version_type": "external_gte"}),
        (5, Place("", "r"), {"version": 5, "version_type": "external_gte", "routing": "r"}),
        (5, Place("i"), {"version": 5, "version_type": "external_gte", "_index": "i"}),
        (None, Place("i", 'r"'), {"_index": "i", "routing": 'r"'}),
        (None, None, {}),
    ],
)
@pytest.mark.parametrize("kind", ["index", "delete"])
def test_lines(kind, version, place, details):
    make = bulk.index_line if kind == "index" else bulk.delete_line
    line = make(bulk.encode_id('ä"\n'), version, place)
    assert line.count(b"\n") == (kind == "index")
    assert json.loads(line) == {kind: {"_id": 'ä"\n', **details}}


def test_deletions_among_themselves_are_guarded():
    delete, index = item("a", deletion=True), item("b")
    delete.payload, index.payload = b"delete", b"index"
    assert bulk.body([delete, index]) == b"delete\nindex\n"
    assert bulk.body([delete, delete]) == b"delete\ndelete\n" + bulk.GUARD + b"\n"


@pytest.mark.parametrize("doc_id", ["a", "a" * 512, "ä" * 256, "😀" * 128])
def test_ids_that_fit(doc_id):
    assert bulk.unsendable(item(doc_id)) is None


@pytest.mark.parametrize(
    ("doc_id", "words"),
    [
        ("a" * 513, "513 bytes"),
        ("ä" * 257, "514 bytes"),
        ("😀" * 129, "516 bytes"),
        ("x" * 4000, "4,000 bytes"),
        ("", "empty"),
    ],
)
def test_ids_that_do_not(doc_id, words):
    outcome = bulk.unsendable(item(doc_id))
    assert outcome.verdict is Verdict.REJECTED
    assert outcome.error_type == "invalid_id"
    assert words in outcome.reason


@pytest.mark.parametrize("count", [2, 3, 7])
def test_halves(count):
    whole = items(count)
    first, second = bulk.halves(whole)
    assert [*first, *second] == whole
    assert 0 <= len(second) - len(first) <= 1
