"""What writers do, and what they know of their documents."""

from __future__ import annotations

import random

import pytest

from dev.soak.shelf import Shelf
from dev.soak.tasks import LEFT_ALONE_ONE_IN, Kind, Step, draw, pool, steps

IDS = [f"{number:04}" for number in range(500)]


@pytest.fixture
def rng():
    return random.Random(1)


def test_no_document_has_two_writers_and_some_have_none():
    owned = pool(IDS, 4)
    everything = [doc_id for ids in owned for doc_id in ids]
    assert len(everything) == len(set(everything))
    assert len(set(IDS) - set(everything)) == len(IDS) / LEFT_ALONE_ONE_IN


def test_a_seed_decides_what_is_written():
    assert draw(random.Random(3), IDS) == draw(random.Random(3), IDS)


@pytest.mark.parametrize("kind", Kind)
def test_a_request_names_no_document_twice(kind, rng):
    for step in steps(kind, rng, IDS):
        ids = [one["_id"] for one in step.documents]
        assert ids
        assert len(ids) == len(set(ids))


def test_a_burst_writes_one_document_again_and_again(rng):
    burst = steps(Kind.BURST, rng, IDS)
    assert len(burst) >= 3
    assert len({step.documents[0]["_id"] for step in burst}) == 1


def test_a_document_is_deleted_and_made_again(rng):
    before, deletion, after = (step.documents[0] for step in steps(Kind.RECREATE, rng, IDS))
    assert deletion == {"_id": before["_id"], "_deleted": True}
    assert after["_id"] == before["_id"]


def test_big_documents_are_big(rng):
    sizes = [len(steps(Kind.BIG, rng, IDS)[0].documents[0]["notes"]) for _ in range(50)]
    assert min(sizes) > 10_000
    assert max(sizes) > 500_000


def test_airports_enter_and_leave_france(rng):
    documents = [one for _ in range(50) for one in steps(Kind.SAVE, rng, IDS)[0].documents]
    assert 0.2 < sum(one["country"] == "FR" for one in documents) / len(documents) < 0.6


def test_what_is_unknown_is_looked_up():
    shelf = Shelf()
    step = Step([{"_id": "a"}, {"_id": "b"}, {"_id": "c"}])
    shelf.learn({"a": "1-x", "b": None})
    assert shelf.unknown(step) == ["c"]


def test_documents_are_sent_with_their_revisions(rng):
    shelf = Shelf()
    shelf.learn({"a": "1-x", "b": None})
    step = Step([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])
    assert shelf.addressed(step, rng) == [{"_id": "a", "n": 1, "_rev": "1-x"}, {"_id": "b", "n": 2}]


def test_what_is_not_there_is_not_deleted(rng):
    shelf = Shelf()
    shelf.learn({"a": "1-x", "b": None})
    step = Step([{"_id": "a", "_deleted": True}, {"_id": "b", "_deleted": True}])
    assert shelf.addressed(step, rng) == [{"_id": "a", "_deleted": True, "_rev": "1-x"}]


def test_what_is_acknowledged_is_known():
    shelf = Shelf()
    shelf.learn({"a": "1-x", "b": "1-y", "c": "1-z"})
    sent = [{"_id": "a"}, {"_id": "b", "_deleted": True}, {"_id": "c"}]
    answers = [
        {"id": "a", "rev": "2-x"},
        {"id": "b", "rev": "2-y"},
        {"id": "c", "error": "conflict"},
    ]
    shelf.take(sent, answers)
    assert shelf.known == {"a": "2-x", "b": None}


def test_what_is_not_answered_is_forgotten():
    shelf = Shelf()
    shelf.learn({"a": "1-x", "b": "1-y"})
    shelf.forget([{"_id": "a"}])
    assert shelf.known == {"b": "1-y"}


def test_a_conflict_is_another_branch_of_the_same_generation(rng):
    shelf = Shelf()
    shelf.learn({"a": "7-x", "b": None})
    (sent,) = shelf.addressed(Step([{"_id": "a"}, {"_id": "b"}], conflicting=True), rng)
    generation, digest = sent["_rev"].split("-")
    assert (generation, sent["_revisions"]) == ("7", {"start": 7, "ids": [digest]})


def test_nothing_is_presumed_of_a_document_with_conflicts(rng):
    shelf = Shelf()
    shelf.learn({"a": "7-x"})
    shelf.take(shelf.addressed(Step([{"_id": "a"}], conflicting=True), rng), [])
    assert not shelf.known
    shelf.learn({"a": "7-x"})
    shelf.take([{"_id": "a"}], [{"id": "a", "rev": "8-x"}])
    assert not shelf.known
