"""One object a line, whatever the documents hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.changes import METADATA
from pillowtop.transports import json_lines

from .making import change_of

texts = st.text('_aé\n"\\\u2028😀', max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(sorted(METADATA)) | texts, values, max_size=5)


def decoded(line):
    """The object of a line, read as strictly as it can be."""
    assert line.endswith(b"}\n")
    assert line.startswith(b"{")
    assert line.count(b"\n") == 1
    return json.loads(line.decode("utf-8"))


def test_a_plain_document_stays_the_bytes_it_was():
    raw = b'{"_id":"a","_rev":"1-x","price":1.10,"big":12345678901234567890123,"t":"\\n\\u00e9"}'
    assert json_lines.from_bytes(change_of(raw)) == raw + b"\n"


def test_a_document_over_many_lines_becomes_one():
    raw = b'{\n  "_id": "a",\r\n "_rev": "1-x", "x": [1.10,\n 2], "y": {"z":\n"a\\nb"}\n}'
    line = json_lines.from_bytes(change_of(raw))
    assert decoded(line) == {"_id": "a", "_rev": "1-x", "x": [1.1, 2], "y": {"z": "a\nb"}}
    assert b"1.10" in line


def test_only_id_and_rev_are_left_of_the_metadata():
    fields = dict.fromkeys(METADATA, 1) | {"_id": "a", "_rev": "1-x", "n": 1.5, "_own": {"_id": 2}}
    line = json_lines.from_bytes(change_of(json.dumps(fields).encode()))
    assert decoded(line) == {"_id": "a", "_rev": "1-x", "n": 1.5, "_own": {"_id": 2}}
    assert line.startswith(b'{"_id":"a","_rev":"1-x"')


def test_a_transform_cannot_lose_which_document_it_is():
    assert decoded(json_lines.from_document({"_id": "b", "n": 1}, "a", "1-x")) == {
        "_id": "a",
        "_rev": "1-x",
        "n": 1,
    }


def test_a_revision_that_nobody_named_is_left_out():
    assert decoded(json_lines.from_document({"n": 1}, "a", "")) == {"_id": "a", "n": 1}


def test_a_deletion():
    deleted = change_of(None, deleted=True)
    assert decoded(json_lines.deletion(deleted)) == {"_id": "a", "_rev": "1-x", "_deleted": True}


@pytest.mark.parametrize("document", [["a"], "a", 5])
def test_what_is_no_dict_is_refused(document):
    with pytest.raises(TypeError, match="must return a dict"):
        json_lines.from_document(document, "a", "1-x")


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError):
        json_lines.from_document({"x": object()}, "a", "1-x")
    with pytest.raises(ValueError):
        json_lines.from_document({"x": "\ud800"}, "a", "1-x")


@given(documents, st.sampled_from([None, 1, "\n"]))
def test_bytes_and_dicts_give_the_same_line(document, indent):
    document = {"_id": "ä\n", "_rev": "1-x"} | document | {"_id": "ä\n"}
    raw = json.dumps(document, indent=indent, ensure_ascii=False).encode()
    expected = {key: value for key, value in document.items() if key not in METADATA}
    for line in (
        json_lines.from_bytes(change_of(raw, "ä\n")),
        json_lines.from_document(document, "ä\n", "1-x"),
    ):
        assert decoded(line) == {**expected, "_id": "ä\n"}
