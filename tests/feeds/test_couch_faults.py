"""What a follower makes of everything that a server, or a network, can do to it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from pillowtop.exceptions import (
    FeedInterrupted,
)
from pillowtop.feeds.couch_following import PageSize
from pillowtop.feeds.couch_values import DatabaseInfo

from .scripts import (
    answering,
    asked,
    feed_of,
    ids,
    in_turn,
    page,
    replying,
    row,
    rows,
    take,
    until_error,
)


def cut_behind(*parts, how):
    """An answer of 200 that is cut behind some chunks."""

    def answer(request, connection):
        connection.start()
        for part in parts:
            connection.chunk(part)
        getattr(connection, how)()

    return answer


def silent_behind(server_of, *parts):
    def answer(request, connection):
        connection.start()
        for part in parts:
            connection.chunk(part)
        server_of().stopping.wait(30)

    return answer


def follower(continuous, first=()):
    """Answers pages with `first`, and a continuous feed as told."""

    def answer(request, connection):
        if request.query["feed"] == "normal":
            connection.reply(200, page(first, "page-end"))
        else:
            continuous(request, connection)

    return answer


# Pages.


def test_pages_are_read_to_one_that_is_not_full():
    def changes(request, connection):
        start = {"0": 1, "2-p": 3, "4-p": 5}[request.query["since"]]
        numbers = [n for n in (start, start + 1) if n <= 5]
        # `pending` never reaches 0 with some filters, and counts for nothing.
        connection.reply(200, page(rows(*numbers), f"{start + 1}-p", pending=77))

    with feed_of(changes, page_rows=2) as (feed, server):
        reads = list(feed.read(0, follow=False))
    assert ids(reads) == ["d1", "d2", "d3", "d4", "d5"]
    ends = [(read.seq, read.more, read.caught_up) for read in reads if str(read.seq)[-2:] == "-p"]
    assert ends == [("2-p", True, False), ("4-p", True, False), ("6-p", False, True)]
    assert all(not read.changes for read in reads if str(read.seq).endswith("-p"))
    query = asked(server)[0]
    assert (query["limit"], query["seq_interval"], query["feed"]) == ("2", "2", "normal")
    assert query["include_docs"] == "true"
    assert len(server.requests) == 4


def test_a_page_of_one_line_and_an_empty_page_are_pages():
    body = b'{"results":[],"last_seq":"7-x","pending":0}'
    with feed_of(replying(200, body)) as (feed, _):
        (read,) = (read for read in feed.read("5-x", follow=False) if read.seq)
    assert (read.seq, read.caught_up, read.changes) == ("7-x", True, [])


def test_seqs_may_be_anything():
    odd = [row(1, seq=None), row(2, seq=17), row(3, seq=[3, "g1"]), row(4, seq=None)]
    with feed_of(replying(200, page(odd, [4, "g1"]))) as (feed, server):
        reads = list(feed.read([1, "ü"], follow=False))
        assert ids(reads) == ["d1", "d2", "d3", "d4"]
        # The seq of a row in the middle does not vouch for the last one.
        assert [read.seq for read in reads if read.changes] == [None]
        assert reads[-1].seq == [4, "g1"]
        list(feed.read(12, follow=False))
    assert [json.loads(query["since"]) for query in asked(server)] == [[1, "ü"], 12]


def test_reads_are_bounded_and_vouch_for_no_more_than_their_rows():
    body = page(rows(*range(25)), "end")
    with feed_of(replying(200, body), read_rows=10) as (feed, _):
        reads = [read for read in feed.read(0, follow=False) if read.changes]
    assert ids(reads) == [f"d{n}" for n in range(25)]
    assert max(len(read.changes) for read in reads) <= 10
    assert [read.seq for read in reads] == [read.changes[-1].seq for read in reads]


def test_changes_name_their_database():
    with feed_of(replying(200, page(rows(1)))) as (feed, _):
        reads = list(feed.read(0, follow=False))
    assert {change.database for read in reads for change in read.changes} == {"db"}
    assert {read.stream for read in reads} == {"db"}


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_page_that_is_cut_gives_its_whole_rows(how):
    first, second = rows(1, 2)
    answer = cut_behind(b'{"results":[\n' + first + b",\r\n", second[:30], how=how)
    with feed_of(answer) as (feed, server):
        reads, error = until_error(feed.read(0, follow=False), FeedInterrupted)
    # A reset may overtake what was sent before it.
    assert ids(reads) in (["d1"], []) if how == "reset" else ids(reads) == ["d1"]
    assert f"127.0.0.1:{server.port}" in str(error)


def test_a_chunk_that_is_cut_is_an_interruption():
    def changes(request, connection):
        connection.start()
        connection.chunk(b'{"results":[\n' + row(1) + b",\n")
        connection.send(b"fff\r\n" + row(2))
        connection.close()

    with feed_of(changes) as (feed, _):
        reads, _ = until_error(feed.read(0, follow=False), FeedInterrupted)
    assert ids(reads) == ["d1"]


def test_a_page_that_ends_without_a_last_seq_is_an_interruption():
    body = b'{"results":[\n' + row(1) + b"\n"
    with feed_of(replying(200, body), page_rows=100) as (feed, server):
        for _ in range(2):
            reads, error = until_error(feed.read(0, follow=False), FeedInterrupted)
    assert ids(reads) == ["d1"]
    assert "last_seq" in str(error)
    # A smaller one may come through.
    assert [int(query["limit"]) for query in asked(server)] == [100, 50]


def test_garbled_chunks_are_an_interruption_behind_the_good_ones():
    def changes(request, connection):
        connection.start()
        connection.chunk(b'{"results":[\n' + row(1) + b",\n")
        connection.send(b"what is this?\r\n")
        connection.close()

    with feed_of(changes) as (feed, _):
        reads, error = until_error(feed.read(0, follow=False), FeedInterrupted)
    assert ids(reads) == ["d1"]
    assert "garbled" in str(error)


def test_pages_shrink_after_a_cut_and_grow_back_slowly():
    begun = b'{"results":[\n' + row(1) + b",\r\n"
    cut = cut_behind(begun, how="close")

    def full(request, connection):
        limit = int(request.query["limit"])
        connection.reply(200, page([row(n) for n in range(limit)], f"{limit}-p"))

    with feed_of(in_turn(cut, cut, full, full, full, replying(200, page([]))), page_rows=100) as (
        feed,
        server,
    ):
        for _ in range(2):
            until_error(feed.read(0, follow=False), FeedInterrupted)
        list(feed.read(0, follow=False))
    limits = [int(query["limit"]) for query in asked(server)]
    assert limits[:3] == [100, 50, 25]
    assert 25 < limits[3] < limits[4] < limits[5] <= 100


def test_pages_are_never_empty_and_fit_the_documents():
    size = PageSize()
    for info, expected in (((0, 0), 10_000), ((10, 15_240), 2_590), ((10, 10**9), 20)):
        size.fit(_info(*info))
        assert size.rows == expected
    for _ in range(10):
        size.shrink()
    assert size.rows == 1
    size.fit(_info(10, 15_240))
    assert size.rows == 1
    for _ in range(60):
        size.came_through(0, 0)
    assert size.rows == 2_590


def test_pages_learn_from_what_came_through():
    """The database's size counts attachments, which no feed carries."""
    size = PageSize()
    size.fit(_info(1000, 1000 * 150_000))
    assert size.rows == 34
    for _ in range(9):
        size.came_through(size.rows, size.rows * 800)
    assert size.rows == 5 * 1024 * 1024 // 800
    size.came_through(size.rows, size.rows * 8_000)
    assert size.rows == 5 * 1024 * 1024 // 8_000


def _info(doc_count, external_bytes):
    return DatabaseInfo(doc_count, external_bytes, "1", "0")


def test_a_silent_page_is_an_interruption_and_the_next_one_has_more_time():
    parts = (b'{"results":[\n' + row(1) + b",\r\n",)
    servers = []
    answer = silent_behind(lambda: servers[0], *parts)
    with feed_of(answer, silence_seconds=0.15, page_rows=100) as (feed, server):
        servers.append(server)
        started = time.monotonic()
        reads, error = until_error(feed.read(0, follow=False), FeedInterrupted)
        assert 0.1 < time.monotonic() - started < 5
        assert ids(reads) == ["d1"]
        assert "silent" in str(error)
        assert feed._silence.seconds == 0.3
        until_error(feed.read(0, follow=False), FeedInterrupted)
    assert [query["limit"] for query in asked(server)] == ["100", "50"]


def test_patience_doubles_up_to_ten_minutes_and_ends_with_the_first_byte():
    servers = []

    def changes(request, connection):
        servers[0].stopping.wait(30)

    with feed_of(changes, silence_seconds=0.05) as (feed, server):
        servers.append(server)
        for expected in (0.1, 0.2, 0.4):
            until_error(feed.read(0, follow=False), FeedInterrupted)
            assert feed._silence.seconds == expected
        server.answer = answering(replying(200, page(rows(1))))
        assert ids(feed.read(0, follow=False)) == ["d1"]
        assert feed._silence.seconds == 0.05
        for _ in range(30):
            feed._silence.double()
        assert feed._silence.seconds == 600


def test_control_comes_back_each_second_while_a_page_is_silent():
    servers = []
    answer = silent_behind(lambda: servers[0], b'{"results":[\n')
    with feed_of(answer) as (feed, server):
        servers.append(server)
        started = time.monotonic()
        reads = feed.read(0, follow=False)
        take(reads, lambda taken: time.monotonic() - started > 1.5)
        assert time.monotonic() - started < 4
        reads.close()


def test_a_time_limit_stands_between_bytes_and_not_on_the_page():
    def changes(request, connection):
        connection.start()
        connection.chunk(b'{"results":[\n')
        for number in range(8):
            time.sleep(0.1)
            connection.chunk((b",\n" if number else b"") + row(number))
        connection.chunk(b'\n],\n"last_seq":"e","pending":0}\n')
        connection.finish()

    with feed_of(changes, silence_seconds=0.4) as (feed, _):
        assert len(ids(feed.read(0, follow=False))) == 8


def test_time_that_the_reader_takes_is_no_silence():
    def changes(request, connection):
        connection.start()
        connection.chunk(b'{"results":[\n' + row(1) + b",\n")
        servers[0].stopping.wait(0.6)
        connection.chunk(row(2) + b'\n],\n"last_seq":"e","pending":0}\n')
        connection.finish()

    servers = []
    with feed_of(changes, silence_seconds=0.5) as (feed, server):
        servers.append(server)
        seen = []
        for read in feed.read(0, follow=False):
            seen += ids([read])
            if seen == ["d1"] and read.changes:
                time.sleep(0.55)  # a delivery that takes longer than the limit
    assert seen == ["d1", "d2"]


def test_a_connection_is_kept_from_page_to_page():
    peers = set()

    def changes(request, connection):
        peers.add(connection._socket.getpeername())
        since = int(request.query["since"].split("-")[0])
        connection.reply(200, page(rows(since) if since < 5 else [], f"{since + 1}-p"))

    with feed_of(changes, page_rows=1) as (feed, _):
        assert len(ids(feed.read(0, follow=False))) == 5
    assert len(peers) == 1


def test_a_kept_connection_that_the_server_closed_is_replaced():
    def changes(request, connection):
        if request.query["since"] == "0":
            connection.reply(200, page(rows(1), "1-p"))
            connection.close()
        else:
            connection.reply(200, page([], "2-p"))

    with feed_of(changes, page_rows=1) as (feed, _):
        assert [r.seq for r in feed.read(0, follow=False) if not r.changes and r.seq][-1] == "2-p"


def test_a_body_that_ends_with_its_connection_is_whole():
    def changes(request, connection):
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
        connection.send(page(rows(1, 2)))
        connection.close()

    with feed_of(changes) as (feed, _):
        assert ids(feed.read(0, follow=False)) == ["d1", "d2"]


# Following.


def test_following_reads_pages_first_and_then_for_ever():
    def continuous(request, connection):
        assert request.query["since"] == "page-end"
        connection.start()
        connection.chunk(b"\n")
        connection.chunk(row(2) + b"\n")
        connection.chunk(b"\n\n" + row(3)[:10])
        connection.chunk(row(3)[10:] + b"\n\n\n" + row(4, deleted=True) + b"\n")
        servers[0].stopping.wait(30)

    servers = []
    with feed_of(follower(continuous, rows(1))) as (feed, server):
        servers.append(server)
        reads = take(feed.read(0, follow=True), lambda taken: len(ids(taken)) == 4)
        query = asked(server)[1]
    assert ids(reads) == ["d1", "d2", "d3", "d4"]
    assert [read.seq for read in reads if read.caught_up] == ["page-end"]
    assert reads[-1].changes[-1].deleted
    assert (reads[-1].seq, reads[-1].more) == ("4-g", False)
    assert query["feed"] == "continuous"
    assert query["heartbeat"] == "2000"
    assert "seq_interval" not in query


def test_heartbeats_are_no_silence_and_give_control_back():
    def continuous(request, connection):
        connection.start()
        for _ in range(20):
            connection.chunk(b"\n")
            time.sleep(0.05)
        connection.chunk(row(1) + b"\n")
        servers[0].stopping.wait(30)

    servers = []
    with feed_of(follower(continuous), silence_seconds=0.5) as (feed, server):
        servers.append(server)
        reads = take(feed.read(0, follow=True), lambda taken: bool(ids(taken)))
    assert len([read for read in reads if not read.changes]) > 10


def test_a_backlog_says_that_there_is_more_and_its_end_that_there_is_not():
    body = b"".join(row(n, doc={"x": "y" * 1000}) + b"\n" for n in range(3000))

    def continuous(request, connection):
        connection.start()
        connection.chunk(body)
        servers[0].stopping.wait(30)

    servers = []
    with feed_of(follower(continuous)) as (feed, server):
        servers.append(server)
        reads = feed.read(0, follow=True)
        taken = take(reads, lambda taken: len(ids(taken)) == 3000)
        busy = [read.more for read in taken if read.changes]
        assert sum(busy) > len(busy) / 2
        started = time.monotonic()
        assert not next(reads).more
        assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_continuous_feed_that_is_cut_loses_no_whole_row(how):
    def continuous(request, connection):
        connection.start()
        connection.chunk(row(1) + b"\n" + row(2)[:30])
        received.wait(10)
        getattr(connection, how)()

    received = threading.Event()
    with feed_of(follower(continuous)) as (feed, _):
        reads = feed.read(0, follow=True)
        before = take(reads, lambda taken: bool(ids(taken)))
        received.set()
        after, _ = until_error(reads, FeedInterrupted)
    assert ids(before + after) == ["d1"]


@pytest.mark.parametrize("last", [b"", b'{"last_seq":"9-x","pending":0}\n'])
def test_a_clean_end_means_nothing(last):
    def continuous(request, connection):
        connection.start()
        connection.chunk(row(1) + b"\n" + last)
        connection.finish()

    with feed_of(follower(continuous)) as (feed, _):
        reads, error = until_error(feed.read(0, follow=True), FeedInterrupted)
    assert ids(reads) == ["d1"]
    assert "ended" in str(error)
    assert "9-x" not in [read.seq for read in reads]


def test_a_silent_continuous_feed_is_an_interruption():
    servers = []
    answer = follower(silent_behind(lambda: servers[0], b"\n"))
    with feed_of(answer, silence_seconds=0.2) as (feed, server):
        servers.append(server)
        _, error = until_error(feed.read(0, follow=True), FeedInterrupted)
    assert "silent" in str(error)


def test_words_in_the_middle_of_a_feed_are_an_interruption():
    complaint = b'{"error":"badmatch","reason":"line one\\nline two"}\n'
    with feed_of(follower(cut_behind(row(1) + b"\n", complaint, how="finish"))) as (feed, _):
        reads, error = until_error(feed.read(0, follow=True), FeedInterrupted)
    assert ids(reads) == ["d1"]
    assert str(error).endswith("badmatch: line one line two")
