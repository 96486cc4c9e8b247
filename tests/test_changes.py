from __future__ import annotations

import msgspec
import pytest

from pillowtop.changes import Change

ROW = {
    "seq": "1-g1AAAA",
    "id": "a",
    "changes": [{"rev": "3-abc"}],
    "doc": {"_id": "a", "_rev": "3-abc", "name": "b"},
}


def change(row):
    return msgspec.json.decode(msgspec.json.encode(row), type=Change)


def test_a_change_reads_as_the_dict_it_was():
    assert dict(change(ROW)) == ROW


def test_so_does_a_deletion():
    row = {"seq": [5, "x"], "id": "a", "changes": [{"rev": "4-d"}], "deleted": True}
    assert dict(change(row)) == row


def test_attributes():
    one = change(ROW)
    assert (one.id, one.rev, one.deleted, one.document) == ("a", "3-abc", False, ROW["doc"])


def test_a_document_is_decoded_once():
    one = change(ROW)
    assert one.document is one.document


def test_a_document_is_decoded_anew_after_it_was_forgotten():
    one = change(ROW)
    one.document["name"] = "changed by a hook that failed"
    one.forget_decoded()
    assert one.document == ROW["doc"]


@pytest.mark.parametrize("row", [{**ROW, "doc": None}, {k: ROW[k] for k in ("seq", "id")}])
def test_without_a_document(row):
    one = change(row)
    assert one.document is None
    assert not one.has_document
    assert "doc" not in one
    assert one.get("doc", "none") == "none"
    with pytest.raises(KeyError):
        one["doc"]


def test_no_row_can_set_what_is_ours():
    one = change({**ROW, "database": "another", "decoded": {"a": 1}})
    assert one.database == ""
    assert one.document == ROW["doc"]


@pytest.mark.parametrize("row", [{"seq": 1}, {"seq": 1, "id": 5}, {"id": None}, [], "text"])
def test_what_is_no_row_is_refused(row):
    with pytest.raises(msgspec.ValidationError):
        change(row)
