from __future__ import annotations

from itertools import islice

from pillowtop.feeds.recorded import RecordedFeed

from .scripts import ids, row


def test_a_file_is_read_in_bounded_reads(tmp_path):
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n" + b"\n".join(row(n) for n in range(1000)) + b"\n\n")
    reads = list(RecordedFeed(path, read_bytes=5000).read(0, follow=False))
    assert ids(reads) == [f"d{n}" for n in range(1000)]
    assert len(reads) > 10
    assert [read.caught_up for read in reads] == [False] * (len(reads) - 1) + [True]
    assert {read.stream for read in reads} == {"orders"}
    assert reads[-1].seq == 1002


def test_reading_goes_on_from_any_read(tmp_path):
    path = tmp_path / "orders"
    path.write_bytes(b"".join(row(n) + b"\n\n" for n in range(100)))
    feed = RecordedFeed(path, "stream", read_bytes=1000)
    first = list(islice(feed.read(0, follow=False), 3))
    rest = list(feed.read(first[-1].seq, follow=False))
    assert ids(first + rest) == [f"d{n}" for n in range(100)]
    assert {change.database for read in rest for change in read.changes} == {"stream"}


def test_bad_lines_are_passed_on_and_a_cut_one_is_not(tmp_path):
    path = tmp_path / "orders"
    path.write_bytes(row(1) + b"\ngarbage\n" + row(2) + b"\n" + row(3) + b"\n" + row(4)[:9])
    reads = list(RecordedFeed(path).read(None, follow=False))
    assert ids(reads) == ["d1", "d2", "d3"]
    assert [line.line for read in reads for line in read.unreadable] == [b"garbage"]


def test_a_last_line_needs_no_newline(tmp_path):
    path = tmp_path / "orders"
    path.write_bytes(row(1) + b"\n" + row(2))
    assert ids(RecordedFeed(path).read(0, follow=False)) == ["d1", "d2"]


def test_following_goes_on_with_nothing(tmp_path):
    path = tmp_path / "orders"
    path.write_bytes(row(1) + b"\n")
    reads = list(islice(RecordedFeed(path).read(0, follow=True), 3))
    assert reads[1].caught_up
    assert (reads[2].changes, reads[2].more) == ([], False)


def test_one_recording_may_follow_another(tmp_path):
    """What stood behind the end of the first was left out in silence, up to the next block."""
    path = tmp_path / "orders"
    end = b'{"last_seq":"2-g","pending":0}\n'
    timeout = b'{"error":"timeout","reason":"no more"}\n'
    path.write_bytes(end.join([row(1) + b"\n", row(2) + b"\n" + timeout, b"\n" + row(3)]))
    reads = list(RecordedFeed(path).read(0, follow=False))
    assert ids(reads) == ["d1", "d2", "d3"]
    assert reads[-1].seq == 7
