"""What a follower makes of lines that cannot be read."""

from __future__ import annotations

from itertools import count

import pytest

from pillowtop.exceptions import FeedInterrupted
from pillowtop.feeds.couch import CouchFeed

from .scripts import asked, feed_of, ids, in_turn, page, replying, row, rows, until_error

GARBAGE = b'{"seq":"2-g","id":"d2","doc":{"x":'


def test_an_unreadable_line_counts_the_third_time_at_the_same_place():
    with feed_of(replying(200, page([row(1), GARBAGE, row(3)]))) as (feed, server):
        for _ in range(2):
            reads, error = until_error(feed.read("s", follow=False), FeedInterrupted)
            assert ids(reads) == ["d1"]
            assert not any(read.unreadable for read in reads)
            assert "database 'db' of CouchDB at http://127.0.0.1" in str(error)
            assert "cannot be read" in str(error)
        reads = list(feed.read("s", follow=False))
    (line,) = [line for read in reads for line in read.unreadable]
    assert line.line == GARBAGE
    assert ids(reads) == ["d1", "d3"]
    assert reads[-1].caught_up
    # No page shrinks for it: it is not too large.
    assert len({query["limit"] for query in asked(server)}) == 1


@pytest.mark.parametrize("place", ["s", "t"])
def test_feeds_of_one_database_learn_from_each_other_of_a_line(place):
    """Each begins elsewhere, in between: what was learnt of one place is not forgotten."""
    with feed_of(replying(200, page([row(1), GARBAGE, row(3)]))) as (feed, _):
        other = feed.anew(include_docs=True)
        for one, since in ((feed, "s"), (other, "t"), (other, "s"), (feed, "t")):
            until_error(one.read(since, follow=False), FeedInterrupted)
        reads = list(feed.read(place, follow=False))
    assert ids(reads) == ["d1", "d3"]


@pytest.mark.parametrize("include_docs", [True, False])
def test_a_row_that_is_nested_too_deep_is_an_unreadable_line(include_docs):
    deep = b'{"seq":"2-g","id":"d2","doc":{"x":%s}}' % (b"[" * 1000 + b"]" * 1000)
    answer = replying(200, page([row(1), deep, row(3)]))
    with feed_of(answer, include_docs=include_docs) as (feed, _):
        for _ in range(2):
            until_error(feed.read("s", follow=False), FeedInterrupted)
        reads = list(feed.read("s", follow=False))
    assert [line.line for read in reads for line in read.unreadable] == [deep]
    assert ids(reads) == ["d1", "d3"]


def test_an_unreadable_line_is_not_handed_out_behind_a_seq_that_vouches_for_it():
    lines = [*rows(1, 2), GARBAGE, *rows(4, 5, 6)]
    with feed_of(replying(200, page(lines)), read_rows=2) as (feed, _):
        for _ in range(2):
            until_error(feed.read("s", follow=False), FeedInterrupted)
        reads = list(feed.read("s", follow=False))
    seen = [bool(read.unreadable) for read in reads]
    assert seen.index(True) <= [ids([read])[-1:] for read in reads].index(["d5"])


def test_a_line_that_is_read_the_second_time_is_just_a_row():
    answers = in_turn(replying(200, page([row(1), GARBAGE])), replying(200, page(rows(1, 2))))
    with feed_of(answers) as (feed, _):
        until_error(feed.read(0, follow=False), FeedInterrupted)
        reads = list(feed.read(0, follow=False))
    assert ids(reads) == ["d1", "d2"]
    assert not any(read.unreadable for read in reads)


@pytest.mark.parametrize("seq", ['"%d-g1AAAA"', "%d", '[%d,"g1"]'])
def test_an_unreadable_line_is_the_same_whatever_its_own_seq(seq):
    numbers = count()

    def changes(request, connection):
        own = seq % next(numbers)
        connection.reply(200, page([b'{"seq":%s,"id":17,"changes":[]}' % own.encode()]))

    with feed_of(changes) as (feed, _):
        for _ in range(2):
            until_error(feed.read(0, follow=False), FeedInterrupted)
        reads = list(feed.read(0, follow=False))
        replayed = CouchFeed(feed.database)
        for _ in range(2):
            until_error(replayed.read(0, follow=False), FeedInterrupted)
        reads += replayed.read(0, follow=False)
    first, second = [line for read in reads for line in read.unreadable]
    assert first.digest == second.digest
    assert first.line != second.line


def test_other_garbage_at_the_same_place_is_counted_by_itself():
    numbers = count()

    def changes(request, connection):
        connection.reply(200, page([b"garbage %d" % next(numbers)]))

    with feed_of(changes) as (feed, _):
        for _ in range(5):
            until_error(feed.read(0, follow=False), FeedInterrupted)


def test_an_unreadable_line_in_a_continuous_feed_is_passed_over_in_the_end():
    def continuous(request, connection):
        since = request.query["since"]
        connection.start()
        connection.chunk(row(1) + b"\n" if since == "page-end" else b"\n")
        connection.chunk(b"garbage\n" + row(3) + b"\n")
        servers[0].stopping.wait(30)

    def changes(request, connection):
        if request.query["feed"] == "normal":
            since = request.query["since"]
            connection.reply(200, page([], "page-end" if since == "0" else since))
        else:
            continuous(request, connection)

    servers = []
    with feed_of(changes) as (feed, server):
        servers.append(server)
        since, taken, interruptions = 0, [], 0
        while "d3" not in ids(taken):
            assert interruptions < 10
            try:
                for read in feed.read(since, follow=True):
                    taken.append(read)
                    since = since if read.seq is None else read.seq
                    if "d3" in ids(taken):
                        break
            except FeedInterrupted:
                interruptions += 1
    assert ids(taken) == ["d1", "d3"]
    assert [line.line for read in taken for line in read.unreadable] == [b"garbage"]
    assert interruptions == 3
