from __future__ import annotations

import gc

import msgspec
import pytest

from pillowtop.changes import Change
from pillowtop.engine.chains import (
    DECODED_BYTES,
    JOINED_BYTES,
    PLACES_AT_MOST,
    TURN_BYTES,
    Chain,
    Link,
    joined,
    size_of,
)
from pillowtop.exceptions import FeedInterrupted
from pillowtop.feeds.reading import Read, Unreadable


def read(seq=None, rows=1):
    return Read("orders", [Change(str(number)) for number in range(rows)], seq)


def held(reads):
    """Of each whether it is referred to by a link."""
    gc.collect()
    return [any(isinstance(one, Link) for one in gc.get_referrers(read)) for read in reads]


def taken(chain, reader):
    reads = []
    while (one := chain.take(reader)) is not None:
        reads.append(one)
    return reads


def test_each_takes_all_that_comes_behind_its_seat():
    chain = Chain("0", 10_000)
    assert chain.sit_behind("0", "a")
    reads = [read("1-x"), read(), read("2-x")]
    for one in reads:
        chain.add(one)
    assert chain.sit_behind("1-x", "b")
    chain.sit_at_end("c")
    chain.add(last := read("3-x"))
    assert taken(chain, "a") == [*reads, last]
    assert taken(chain, "b") == [*reads[1:], last]
    assert taken(chain, "c") == [last]


def test_a_seq_that_is_not_known_is_no_place():
    chain = Chain("0", 10_000)
    chain.add(read("1-x"))
    assert not chain.sit_behind("1-y", "a")
    with pytest.raises(KeyError):
        chain.take("a")


def test_places_are_forgotten_by_bytes_and_by_number():
    chain = Chain("0", 5 * size_of(read()))
    for number in range(1, 11):
        chain.add(read(str(number)))
    assert [n for n in range(11) if chain.sit_behind(str(n), "a")] == [5, 6, 7, 8, 9, 10]
    chain = Chain("0", 10**9)
    for number in range(1000):
        chain.add(read(str(number), rows=0))
    assert sum(chain.sit_behind(str(n), "a") for n in range(1000)) == PLACES_AT_MOST


def test_what_all_have_taken_is_free():
    chain = Chain("0", 0)
    for reader in ("quick", "slow"):
        assert chain.sit_behind("0", reader)
    reads = [read("1-x"), read("2-x")]
    for one in reads:
        chain.add(one)
    assert taken(chain, "quick") == reads
    assert held(reads) == [True, True]
    chain.leave("slow")
    assert held(reads) == [False, True]  # the last one: somebody sits there
    assert chain.behind(0) == []


def test_who_is_far_behind_is_known():
    chain = Chain("0", 0)
    chain.sit_behind("0", "a")
    chain.sit_behind("0", "b")
    for number in range(4):
        chain.add(read(str(number)))
    chain.take("b")
    assert chain.behind(3 * size_of(read())) == ["a"]
    assert chain.behind(4 * size_of(read())) == []


def documents(chain, count):
    """So many changes, each in a read of the chain."""
    changes = [Change(str(number), doc=msgspec.Raw(b'{"n":1}')) for number in range(count)]
    for change in changes:
        chain.add(Read("orders", [change], f"{change.id}-x"))
    return changes


def test_what_was_decoded_is_kept_for_those_who_come_soon():
    chain = Chain("0", 10_000)
    chain.sit_behind("0", "slow")
    (change,) = documents(chain, 1)
    first = change.document
    documents(chain, 1)
    assert change.document is first
    chain.add(Read("orders", [Change("big", doc=msgspec.Raw(b"1" * DECODED_BYTES))], "3-x"))
    assert change.document is not first


def test_what_was_decoded_is_let_go_of_once_all_have_taken_it():
    chain = Chain("0", 10_000)
    for reader in ("quick", "slow"):
        chain.sit_behind("0", reader)
    changes = documents(chain, 2)
    assert all(change.document for change in changes)
    taken(chain, "quick")
    chain.take("slow")
    documents(chain, 1)
    assert [change.decoded is None for change in changes] == [True, False]
    chain.take("slow")
    documents(chain, 1)
    assert [change.decoded is None for change in changes] == [True, True]


def test_a_read_is_worth_a_turn_of_all_readers():
    chain = Chain("0", 10_000)
    sizes = []
    for reader in range(100):
        chain.sit_behind("0", reader)
        sizes.append(chain.worthwhile_bytes)
    assert sizes[:2] == [TURN_BYTES, 2 * TURN_BYTES]
    assert sizes[-1] == JOINED_BYTES


def test_small_reads_are_joined_while_the_feed_has_more():
    """Up to a seq, as it vouches for what was before it only."""
    reads = [
        Read("orders", [Change(name)], seq, more, at=at)
        for name, seq, more, at in [
            ("a", None, True, 1.0),
            ("b", None, True, 2.0),
            ("c", "3-x", True, 3.0),
            ("d", None, True, 4.0),
            ("e", None, False, 5.0),
            ("f", None, True, 6.0),
        ]
    ]
    reads[1].unreadable = [Unreadable(b"?", "digest", "cause")]
    found = [
        ("".join(change.id for change in one.changes), one.seq, one.more, one.at)
        for one in joined(reads, lambda: 10_000, 60)
    ]
    assert found == [
        ("abc", "3-x", True, 1.0), ("de", None, False, 4.0), ("f", None, True, 6.0)
    ]  # fmt: skip
    (first, *_) = joined(reads, lambda: 10_000, 60)
    assert first.unreadable == reads[1].unreadable


def test_the_documents_of_a_joined_read_are_those_of_both():
    reads = [Read("orders", [Change(name)], more=True) for name in ("a", "_design/b", "c")]
    assert [[change.id for change in one.documents] for one in reads] == [["a"], [], ["c"]]
    (whole,) = joined(reads, lambda: 10_000, 60)
    assert [change.id for change in whole.documents] == ["a", "c"]


def test_large_reads_are_not_joined():
    reads = [Read("orders", [Change(str(number))], more=True) for number in range(10)]
    sizes = [len(one.changes) for one in joined(reads, lambda: 4 * size_of(reads[0]), 60)]
    assert sizes == [4, 4, 2]
    assert list(joined(reads, lambda: 1, 60)) == reads


def test_what_trickles_in_is_not_kept_until_it_is_much():
    times = [0.0, 0.01, 0.02, 5.0, 5.01, 9.0]
    reads = [Read("orders", [Change(str(time))], more=True, at=time) for time in times]
    assert [len(one.changes) for one in joined(reads, lambda: 10_000, 0.1)] == [4, 2]


def test_what_came_before_an_interruption_is_passed_on():
    def interrupted():
        yield first
        raise FeedInterrupted("the server is gone")

    first = Read("orders", [Change("a")], more=True)
    reads = joined(interrupted(), lambda: 10_000, 60)
    assert next(reads) == first
    with pytest.raises(FeedInterrupted):
        next(reads)
