"""Bytes and dicts give the same source, and bytes keep every digit."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pillowtop.changes import METADATA
from pillowtop.elastic.bulk import encode_id
from pillowtop.elastic.sources import Sources
from tests.elastic.making import change, change_of, change_of_bytes

SOURCES = Sources("OrderPillow")
ORIGIN = {"id": "a", "rev": "1-abc", "database": "orders", "pillow": "OrderPillow"}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = TEXT | st.sampled_from(
    ["_id", "_rev", "_attachments", "_x", "pillowtop", "_revisions", '"_attachments', "a_b"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(['"_attachments"', '"pillowtop":', ',"_id":"x"'])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
FIELDS = st.dictionaries(NAMES.filter(lambda name: name not in ("_id", "_rev")), VALUES, max_size=5)


def from_bytes(sources, made):
    return sources.from_bytes(made, encode_id(made.id))


@given(doc_id=TEXT, rev=TEXT, fields=FIELDS, keep=st.booleans())
@example(doc_id='quote " and \\ and \n', rev="1-a", fields={}, keep=False)
@example(doc_id="ä\u2028/é😀", rev="2-b", fields={"a": {"_id": "nested", "_rev": 1}}, keep=False)
@example(doc_id="a", rev="1-a", fields={"text": '{"_attachments":{}}'}, keep=False)
@example(doc_id="a", rev="1-a", fields={"_attachments": {"f": {}}, "pillowtop": 1}, keep=True)
def test_bytes_and_dicts_give_the_same(doc_id, rev, fields, keep):
    sources = Sources("OrderPillow", keep_attachments=keep)
    made = change_of({"_id": doc_id, "_rev": rev, **fields})

    by_bytes = json.loads(from_bytes(sources, made))

    assert by_bytes == json.loads(sources.from_document(made, made.document))
    dropped = METADATA - {"_attachments"} if keep else METADATA
    expected = {name: value for name, value in fields.items() if name not in dropped}
    origin = {**ORIGIN, "id": doc_id, "rev": rev}
    assert by_bytes == {**expected, "_rev": rev, "pillowtop": origin}


def test_what_is_sent():
    source = from_bytes(SOURCES, change("a", {"n": 1}))
    assert source == (
        b'{"_rev":"1-abc","pillowtop":{"id":"a","rev":"1-abc","database":"orders",'
        b'"pillow":"OrderPillow"},"n":1}'
    )


@pytest.mark.parametrize(
    "number",
    [b"123456789012345678901234567890", b"0.1000000000000000055511151231257827", b"1.0E+2",
     b"-0", b"1e400", b"100.0"],
)  # fmt: skip
@pytest.mark.parametrize(
    "extra",
    [b"", b',"_attachments":{"a":{"length":5}}', b',"pillowtop":1', b',\n"x":1'],
    ids=["as it is", "attachments", "source field", "newline"],
)
def test_numbers_are_kept_byte_for_byte(number, extra):
    raw = b'{"_id":"a","_rev":"1-abc","n":' + number + extra + b"}"
    source = from_bytes(SOURCES, change_of_bytes("a", "1-abc", raw))
    assert b'"n":' + number in source
    assert json.loads(source)["pillowtop"] == ORIGIN


@pytest.mark.parametrize(
    "raw",
    [
        b'{"_rev":"1-abc","_id":"a","n":1}',
        b'{ "_id" : "a", "_rev" : "1-abc", "n" : 1 }',
        b'{"_id":"\\u0061","_rev":"1-abc","n":1}',
        b'{\n "_id": "a",\n "_rev": "1-abc",\n "n": 1\n}\n',
        b'{"_id":"a","_rev":"1-abc","n":1,\n"_attachments":{}}',
    ],
)
def test_other_ways_to_write_the_same(raw):
    source = from_bytes(SOURCES, change_of_bytes("a", "1-abc", raw))
    assert b"\n" not in source
    assert json.loads(source) == {"_rev": "1-abc", "n": 1, "pillowtop": ORIGIN}


def test_the_revision_is_that_of_the_document_where_both_are_there():
    """A document may be newer than its row: it keeps its own `_rev`."""
    raw = b'{"_id":"a","_rev":"2-new"}'
    source = json.loads(from_bytes(SOURCES, change_of_bytes("a", "1-abc", raw)))
    assert source["_rev"] == "2-new"


@pytest.mark.parametrize("name", sorted(METADATA))
def test_metadata_goes_at_the_top_and_stays_below(name):
    made = change_of({"_id": "a", "_rev": "1-abc", "n": {name: 1}, name: "a"})
    source = json.loads(from_bytes(SOURCES, made))
    assert source == {"_rev": "1-abc", "n": {name: 1}, "pillowtop": ORIGIN}


def test_attachments_are_kept_where_wanted():
    sources = Sources("OrderPillow", keep_attachments=True)
    made = change("a", {"_attachments": {"a.txt": {"length": 5}}, "_conflicts": ["1-b"]})
    assert json.loads(from_bytes(sources, made)) == {
        "_rev": "1-abc",
        "_attachments": {"a.txt": {"length": 5}},
        "pillowtop": ORIGIN,
    }


def test_another_source_field():
    sources = Sources("P", "origin")
    source = json.loads(from_bytes(sources, change("a", {"origin": 1, "pillowtop": 2})))
    assert source["origin"]["pillow"] == "P"
    assert source["pillowtop"] == 2


def test_databases_take_turns():
    databases = ["a", "b", "b", "a", ""]
    sources = [from_bytes(SOURCES, change(database=name)) for name in databases]
    assert [json.loads(source)["pillowtop"]["database"] for source in sources] == databases


def test_the_document_is_left_as_it_is():
    document = {"_id": "a", "_rev": "1-abc", "_attachments": {}, "nested": {"list": [1]}}
    before = copy.deepcopy(document)
    SOURCES.from_document(change(), document)
    assert document == before


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ([{"a": 1}], "not a list"),
        ("text", "not a str"),
        (7, "not an int"),
        ({"a": object()}, "object"),
        ({None: 1}, "str-like"),
        ({"a": "\ud800"}, "surrogates"),
    ],
)
def test_what_is_not_a_document_is_refused(returned, words):
    with pytest.raises((TypeError, ValueError), match=words):
        SOURCES.from_document(change(), returned)


def test_what_hooks_like_to_put_in():
    at = datetime(2024, 1, 2, tzinfo=UTC)
    source = SOURCES.from_document(change(), {"at": at, "price": Decimal("1.10"), "tags": ("a",)})
    assert json.loads(source) == {
        "at": "2024-01-02T00:00:00Z",
        "price": "1.10",
        "tags": ["a"],
        "pillowtop": ORIGIN,
    }
