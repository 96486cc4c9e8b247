from __future__ import annotations

import hashlib
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.feeds.couch_lines import End, LineParser, Lines

ROWS = [
    {"seq": "1-g1AA", "id": "a", "changes": [{"rev": "1-x"}], "doc": {"_id": "a", "_rev": "1-x"}},
    {"seq": None, "id": "b", "changes": [{"rev": "2-x"}], "deleted": True},
    {"seq": [3, "g1"], "id": "ü\u2028\u0085", "changes": [], "doc": {"t": "a\u2028b\u0085c"}},
    {"seq": 4, "id": "_design/d", "changes": [{"rev": "1-y"}, {"rev": "1-z"}], "doc": None},
]
TEXTS = [json.dumps(row, ensure_ascii=False).encode() for row in ROWS]
CONTINUOUS = b"\n" + TEXTS[0] + b"\n\n\n" + TEXTS[1] + b"\n" + TEXTS[2] + b"\n\n" + TEXTS[3] + b"\n"
END = b'\n],\n"last_seq":"5-g1","pending":0}\n'
ENDING = End("5-g1", 0)


def parse(body: bytes, *, enveloped=False, size=None, **options) -> Lines:
    parser = LineParser("db", enveloped=enveloped, **options)
    size = size or len(body) or 1
    found = Lines()
    for start in range(0, len(body), size):
        join(found, parser.feed(body[start : start + size]))
    join(found, parser.finish())
    return found


def join(found: Lines, lines: Lines) -> None:
    found.changes += lines.changes
    found.unreadable += lines.unreadable
    found.end = found.end or lines.end
    found.fault = found.fault or lines.fault


def ids(lines: Lines) -> list[str]:
    return [change.id for change in lines.changes]


def all_ids() -> list[str]:
    return [row["id"] for row in ROWS]


def never(line):
    pytest.fail(f"nobody should have asked about {line!r}")


def test_rows_are_what_the_server_sent():
    a, b, c, d = parse(CONTINUOUS).changes
    assert [x.seq for x in (a, b, c, d)] == ["1-g1AA", None, [3, "g1"], 4]
    assert (a.rev, a.deleted, a.document, a.database) == ("1-x", False, ROWS[0]["doc"], "db")
    assert (b.rev, b.deleted, b.has_document) == ("2-x", True, False)
    assert c.document == {"t": "a\u2028b\u0085c"}
    assert not d.has_document
    assert bytes(c.doc) == json.dumps(ROWS[2]["doc"], ensure_ascii=False).encode()


@pytest.mark.parametrize("separator", [b",\r\n", b",\n", b"\n,", b",\n\n\n", b" ,\n "])
def test_a_normal_body_may_separate_its_rows_in_any_way(separator):
    lines = parse(b'{"results":[\n' + separator.join(TEXTS) + END, enveloped=True)
    assert ids(lines) == all_ids()
    assert lines.end == ENDING


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[\n\n],\n"last_seq":"5-g1","pending":0}\n',
        b'{"results":[],"last_seq":"5-g1","pending":0}',
        b'{"results":[],"last_seq":"5-g1","pending":0}\n',
        b'{"results":[\n],"last_seq":"5-g1","pending":0}',
        b'{"results":[\n\n\n\n],\n"last_seq":"5-g1","pending":0}\n\n',
        b' { "results" : [ ] , "last_seq" : "5-g1", "pending" : 0 }',
        b'{ "results" : [\r\n]\r\n,\r\n"last_seq" : "5-g1",\t"pending":0 }\r\n',
        b'{"last_seq":"5-g1","pending":0,"results":[]}\n',
    ],
)
def test_an_empty_page_has_an_end_however_it_is_written(body):
    assert parse(body, enveloped=True) == Lines(end=ENDING)
    assert parse(body, enveloped=True, size=1) == Lines(end=ENDING)


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[%s],"last_seq":"5-g1","pending":0}' % b",".join(TEXTS),
        b'{"results":[%s\n],"last_seq":"5-g1","pending":0}' % b",\n".join(TEXTS),
        b'{"results":[\n%s],\n"last_seq":"5-g1","pending":0}' % b",\n".join(TEXTS),
        b'{"results":[\n%s],"last_seq":"5-g1","pending":0}' % b",\n".join(TEXTS),
        b'{"results":[%s,\n%s,\n%s\n],"last_seq":"5-g1","pending":0}'
        % (b",".join(TEXTS[:2]), TEXTS[2], TEXTS[3]),
    ],
)
def test_rows_may_share_lines_with_what_is_around_them(body):
    lines = parse(body, enveloped=True, passes_over=never)
    assert ids(lines) == all_ids()
    assert lines.end == ENDING
    assert {change.database for change in lines.changes} == {"db"}


def test_a_document_that_looks_like_the_end_is_none():
    doc = {"x": '],"last_seq":"9-x","pending":0}', "results": [], "last_seq": 3, "error": "no"}
    row = json.dumps({"seq": 1, "id": "a", "doc": doc, "last_seq": 1, "error": "x"}).encode()
    lines = parse(b'{"results":[\n' + row + END, enveloped=True)
    assert lines.changes[0].document == doc
    assert lines.end == ENDING


@given(cuts=st.lists(st.integers(0, 2000)), enveloped=st.booleans())
def test_any_cutting_of_the_bytes_gives_the_same(cuts, enveloped):
    body = b'{"results":[\n' + b",\r\n".join(TEXTS) + END if enveloped else CONTINUOUS
    parser, found = LineParser(enveloped=enveloped, passes_over=never), Lines()
    points = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    for start, end in pairwise(points):
        join(found, parser.feed(body[start:end]))
    assert ids(found) == all_ids()
    assert found.end == (ENDING if enveloped else None)


names = st.text(min_size=1)
seqs = st.none() | st.integers() | names | st.lists(st.integers() | names)


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "seq": seqs,
                "id": names,
                "doc": st.dictionaries(
                    names, st.text() | st.floats(allow_nan=False, allow_infinity=False)
                ),
            }
        )
    ),
    size=st.integers(1, 300),
)
def test_whatever_is_json_comes_out_as_it_was(rows, size):
    def text(row):
        try:
            return json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return None

    texts = {text(row): row for row in rows}
    texts.pop(None, None)
    found = parse(b"\n".join(texts) + b"\n", size=size)
    assert [change.id for change in found.changes] == [row["id"] for row in texts.values()]
    assert [change.seq for change in found.changes] == [row["seq"] for row in texts.values()]


@given(st.binary(), st.booleans(), st.integers(1, 10))
def test_garbage_never_raises(body, enveloped, size):
    parse(body, enveloped=enveloped, size=size, passes_over=lambda _: True)


def test_a_row_that_comes_twice_is_two_rows():
    assert ids(parse((TEXTS[0] + b"\n") * 2)) == ["a", "a"]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b'{"seq":1,"id":"a"',
        b'{"seq":1,"changes":[]}',
        b'{"seq":1,"id":5,"changes":[]}',
        b'{"seq":1,"id":null,"changes":[]}',
        b'{"seq":1,"id":"a","changes":[{}]}',
        b'{"seq":1,"id":"a","doc":{"x":"\xff"}}',
        b'{"seq":1,"id":"\xff","doc":{}}',
        b'{"seq":1,"id":"a","doc":{x}}',
        b'["seq",1]',
        b"[]",
        b"null",
        b"17",
        b"\x00",
        b'{"seq":1,"id":"a","doc":{"x":%s}}' % (b"[" * 1000 + b"]" * 1000),
    ],
)
@pytest.mark.parametrize("enveloped", [False, True])
def test_an_unreadable_line_is_kept_with_digest_and_cause(line, enveloped):
    asked = []

    def passes_over(unreadable):
        asked.append(unreadable)
        return True

    body = TEXTS[0] + b"\n" + line + b"\n" + TEXTS[1] + b"\n"
    if enveloped:
        body = b'{"results":[\n' + body.replace(b"\n", b",\r\n") + END
    lines = parse(body, enveloped=enveloped, passes_over=passes_over)
    assert ids(lines) == ["a", "b"]
    assert lines.unreadable == asked
    (found,) = asked
    without_seq = line.removeprefix(b'{"seq":1')
    assert (found.line, found.digest) == (line, hashlib.sha256(without_seq).hexdigest())
    assert found.cause
    assert not lines.fault


def test_nothing_is_read_behind_a_line_that_is_not_passed_over():
    lines = parse(TEXTS[0] + b"\ngarbage\n" + TEXTS[1] + b"\nmore garbage\n")
    assert ids(lines) == ["a"]
    assert not lines.unreadable
    assert "cannot be read" in lines.fault
    assert "malformed" in lines.fault


def test_a_cut_line_is_no_unreadable_one():
    lines = parse(TEXTS[0] + b"\n" + TEXTS[1][:20], passes_over=never)
    assert ids(lines) == ["a"]
    assert not lines.fault


def test_a_last_line_without_a_newline_counts_if_it_is_whole():
    assert ids(parse(TEXTS[0] + b"\n" + TEXTS[1])) == ["a", "b"]


def test_the_servers_words_are_the_fault():
    complaint = b'{"error":"timeout","reason":"first line\\n  at stack (trace)"}\n'
    lines = parse(TEXTS[0] + b"\n\n" + complaint)
    assert ids(lines) == ["a"]
    assert lines.fault == "timeout: first line at stack (trace)"
    lines = parse(b'{"results":[\n' + TEXTS[0] + b"\n\n" + complaint, enveloped=True)
    assert (ids(lines), lines.fault, lines.end) == (
        ["a"],
        "timeout: first line at stack (trace)",
        None,
    )


@pytest.mark.parametrize("body", [b"<html>\n", b"<html>", b"[]\n", TEXTS[0] + b"\n", b'{"a":1}\n'])
def test_what_is_no_envelope_is_no_page(body):
    lines = parse(body, enveloped=True, passes_over=never)
    assert not lines.changes
    assert lines.fault.startswith("the answer is no changes feed")


def test_the_end_of_a_continuous_feed():
    body = TEXTS[0] + b'\n{"last_seq":[5,"g1"],"pending":7}\n'
    assert parse(body).end == End([5, "g1"], 7)


def test_a_line_beyond_the_limit_is_unreadable_and_its_bytes_are_not_kept():
    long = b'{"id":"' + b"x" * 5000 + b'"}'
    lines = parse(
        TEXTS[0] + b"\n" + long + b"\n" + TEXTS[1] + b"\n" + TEXTS[3] + b"\n",
        size=100,
        passes_over=lambda _: True,
        max_line_bytes=2000,
    )
    assert ids(lines) == ["a", "b", "_design/d"]
    (found,) = lines.unreadable
    assert found.digest == hashlib.sha256(long).hexdigest()
    assert found.line == long[:1024]
    assert "5,009 bytes" in found.cause
    assert "2,000" in found.cause


@pytest.mark.parametrize("size", [1, 700, 10_000])
@pytest.mark.parametrize("rest", [b',"id":17}', b',"id":17,"x":"' + b"x" * 3000 + b'"}'])
def test_the_digest_is_the_same_whatever_the_seq(rest, size):
    seqs = [b'"12-g1AAAA"', b'"12-g1BBBBBB"', b"7", b'[7,"g1"]', b"null"]
    digests = {
        line.digest
        for seq in seqs
        for line in parse(
            b'{"seq":' + seq + rest + b"\n",
            size=size,
            passes_over=lambda _: True,
            max_line_bytes=2000,
        ).unreadable
    }
    assert digests == {hashlib.sha256(rest).hexdigest()}


def test_an_overlong_line_that_has_no_end_takes_no_memory():
    parser = LineParser(max_line_bytes=1000)
    for _ in range(1000):
        parser.feed(b"x" * 500)
    assert len(parser._tail._head) <= 1024
    assert not parser._tail._pieces
    assert parser.finish() == Lines()


def test_a_large_line_in_small_pieces_takes_linear_time():
    doc = b"y" * 8 * 1024 * 1024
    body = b'{"seq":1,"id":"a","changes":[],"doc":{"x":"' + doc + b'"}}\n'
    parser, found = LineParser(), Lines()
    for start in range(0, len(body), 256):
        join(found, parser.feed(body[start : start + 256]))
    assert len(bytes(found.changes[0].doc)) > len(doc)


@pytest.mark.parametrize(
    ("enveloped", "cut"),
    [
        (True, b'{"seq":"1-a","id":"a","changes":[{"rev":"1-a"},\n{"rev":"1-b"}]},'),
        (False, b'{"seq":"1-a","id":"a",\n"changes":[{"rev":"1-a"}]}'),
        (False, b'{"seq":"1-a","id":"a",\n"changes":[]}\n{"seq":"2-a","id":"b"}{"id":"c"}'),
    ],
)
def test_lines_that_were_cut_are_not_glued_together(enveloped, cut):
    parser = LineParser(enveloped=enveloped)
    if enveloped:
        parser.feed(b'{"results":[\n')
    good = b'{"seq":"0-a","id":"z","changes":[{"rev":"1-z"}]}' + (b"," if enveloped else b"")
    lines = parser.feed(good + b"\n" + cut + b"\n")
    assert [change.id for change in lines.changes] == ["z"]
    assert "cannot be read" in lines.fault


def test_an_object_that_has_an_id_is_no_end():
    lines = parse(b'{"id":null,"last_seq":5}\n' + TEXTS[0] + b"\n", passes_over=lambda _: True)
    assert (ids(lines), len(lines.unreadable), lines.end) == (["a"], 1, None)


def test_the_rows_behind_a_last_seq_in_one_line_are_read():
    """They were left out in silence: an object's keys have no order."""
    rows = b",".join(TEXTS)
    body = b'{"last_seq":"5-g1","pending":0,"results":[%b]}\n' % rows
    assert len(ids(parse(body, enveloped=True))) == len(TEXTS)


def test_a_row_behind_a_comma_whose_document_looks_like_the_end():
    row = b'{"id":"a","doc":{"x":[],"last_seq":1}}'
    body = b'{"results":[\n%b\n,%b\n],\n"last_seq":2}\n' % (row, row)
    assert ids(parse(body, enveloped=True, passes_over=never)) == ["a", "a"]


@pytest.mark.parametrize("error", ['""', '" "', '"\\n"'])
def test_a_server_that_gives_up_without_a_word(error):
    """The fault was empty, so all that came later was left out in silence."""
    lines = parse(TEXTS[0] + b'\n{"error":%b}\n' % error.encode() + TEXTS[1] + b"\n")
    assert "without a word" in lines.fault


def test_a_server_that_gives_up_with_too_many_words():
    lines = parse(b'{"error":"%b"}\n' % (b"x\\n" * 10_000))
    assert len(lines.fault) < 1000
    assert "\n" not in lines.fault


def test_rows_before_a_garbled_end_do_not_count_twice():
    body = b'{"results":[\n' + TEXTS[0] + b'],"last_seq":garbage}\n'
    lines = parse(body, enveloped=True, passes_over=lambda _: True)
    assert (ids(lines), len(lines.unreadable)) == ([], 1)


@pytest.mark.parametrize("size", [1, 700, 1999, 2000])
def test_whether_a_line_is_too_long_does_not_depend_on_how_it_comes(size):
    line = b'{"id":"' + b"x" * 2000 + b'"}'
    lines = parse(line + b"\n", size=size, max_line_bytes=2000, passes_over=lambda _: True)
    assert lines == Lines(unreadable=lines.unreadable)
    assert len(lines.unreadable) == 1
