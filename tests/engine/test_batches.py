from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.engine.batches import Batch, Limits
from pillowtop.engine.items import Item
from pillowtop.engine.letters import Letter

LIMITS = Limits(documents=3, max_bytes=100, linger_seconds=0.5)


def item(doc_id, version=1, size=10):
    return Item(doc_id, doc_id, version, False, b"", size)


def letter(doc_id):
    return Letter(doc_id, "1-a", "1", False, "transform", "ValueError", "no")


def batch_of(*items):
    batch = Batch(100.0, LIMITS)
    for one in items:
        batch.add(one)
    return batch


def test_the_last_write_of_a_document_is_the_one_that_goes_out():
    batch = batch_of(item("a", 1, 50), item("b", 2), item("a", 3, 20))
    assert [(one.id, one.version) for one in batch.items.values()] == [("b", 2), ("a", 3)]
    assert batch.size == 30


def test_a_later_write_takes_the_place_of_a_letter():
    batch = batch_of()
    batch.add_letter(letter("a"))
    batch.add(item("a"))
    assert not batch.letters


@pytest.mark.parametrize(
    ("items", "full"),
    [
        ([item("a"), item("b")], False),
        ([item("a"), item("b"), item("c")], True),
        ([item("a", size=99)], False),
        ([item("a", size=100)], True),
    ],
)
def test_documents_and_bytes_fill_a_batch(items, full):
    batch = batch_of(*items[:-1])
    assert batch.add(items[-1]) is full


def test_letters_fill_a_batch_too():
    batch = batch_of()
    assert [batch.add_letter(letter(doc_id)) for doc_id in "abc"] == [False, False, True]


def with_letter(doc_id):
    batch = Batch(0.0, LIMITS)
    batch.add_letter(letter(doc_id))
    return batch


@pytest.mark.parametrize(
    ("one", "other", "shares"),
    [
        (batch_of(item("a")), batch_of(item("b")), False),
        (batch_of(item("a")), batch_of(item("a")), True),
        (batch_of(item("a")), with_letter("a"), True),
        (with_letter("a"), batch_of(item("a")), True),
        (with_letter("a"), with_letter("a"), True),
        (with_letter("a"), with_letter("b"), False),
    ],
)
def test_batches_that_share_a_document_go_one_after_the_other(one, other, shares):
    assert one.shares_a_document_with(other) is shares


@pytest.mark.parametrize(
    ("items", "in_flight", "more", "age", "due"),
    [
        ([item("a")], 0, False, 0.0, True),  # at rest, nothing waits
        ([item("a")], 0, True, 0.0, False),  # more is coming: fill
        ([item("a")], 1, False, 0.0, False),  # one is under way: fill meanwhile
        ([item("a")], 1, True, 0.5, True),  # waited for long enough
        ([item("a", size=100)], 2, True, 0.0, True),  # full
    ],
)
def test_when_a_batch_is_due(items, in_flight, more, age, due):
    batch = batch_of(*items)
    assert batch.is_due(in_flight=in_flight, more=more, now=100.0 + age) is due


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50))))
def test_the_size_is_that_of_what_goes_out(writes):
    batch = batch_of(*(item(doc_id, n, size) for n, (doc_id, size) in enumerate(writes)))
    assert batch.size == sum(one.size for one in batch.items.values())
    newest = {doc_id: n for n, (doc_id, _) in enumerate(writes)}
    assert {one.id: one.version for one in batch.items.values()} == newest
