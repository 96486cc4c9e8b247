from __future__ import annotations

import pytest

from pillowtop.engine.comparing import Kind, Sight, Standing
from pillowtop.verification.shelf import Sorted, State, Suspects


def missing(doc_id, rev="1-a"):
    return Sight(doc_id, Standing(doc_id, rev, doc_id), ())


def alike(doc_id):
    standing = Standing(doc_id, "1-a", doc_id)
    return Sight(doc_id, standing, (standing,))


def names(pages):
    return [one.doc_id for page in pages for one in page]


@pytest.fixture
def suspects():
    with Suspects() as suspects:
        yield suspects


def test_what_looks_as_before_is_confirmed_and_what_moved_is_not(suspects):
    suspects.add([missing("a"), missing("b"), missing("c")])
    assert [*suspects.unsettled()] == [["a", "b", "c"]]
    suspects.look_again([missing("a"), missing("b", "2-b"), alike("c")])
    assert names(suspects.confirmed()) == ["a"]
    assert suspects.counts() == {(State.CONFIRMED, Kind.MISSING): 1, (State.OPEN, Kind.MISSING): 1}
    assert [*suspects.unsettled()] == [["b"]]


def test_what_waits_is_looked_at_again(suspects):
    suspects.add([missing("a")])
    suspects.look_again([missing("a")])
    suspects.mark(["a", "no suspect"], State.WAITING)
    assert suspects.has(State.WAITING)
    assert not suspects.has(State.OPEN, State.CONFIRMED)
    suspects.look_again([missing("a")])
    assert names(suspects.confirmed()) == ["a"]


def test_all_looks_at_once(suspects):
    suspects.add([missing("a"), missing("b"), missing("c")])
    suspects.replace([missing("a"), missing("c", "2-c"), missing("d")])
    assert names(suspects.confirmed()) == ["a"]
    assert [*suspects.unsettled()] == [["c", "d"]]


def test_what_is_confirmed_can_be_opened_again(suspects):
    suspects.add([missing("a"), missing("b")])
    suspects.look_again([missing("a"), missing("b")])
    suspects.mark(["b"], State.LETTER)
    suspects.reopen()
    assert [*suspects.unsettled()] == [["a"]]


def test_more_than_a_page(suspects):
    ids = [f"{number:05}" for number in range(2500)]
    suspects.add(map(missing, ids))
    suspects.look_again([missing(doc_id) for page in suspects.unsettled() for doc_id in page])
    assert names(suspects.confirmed()) == ids


def test_documents_are_sorted_as_their_bytes_are():
    ids = ["b", "ä", "a", "\U0001f600", "\uffff", "a\0", "Z"]
    with Sorted() as kept:
        kept.add(Standing(doc_id, "1-a", None) for doc_id in ids)
        kept.add([Standing("b", "2-b", None)])
        kept.remove(["Z"])
        found = list(kept)
    assert [one.doc_id for one in found] == sorted(set(ids) - {"Z"}, key=str.encode)
    assert {one.rev for one in found if one.doc_id == "b"} == {"2-b"}
