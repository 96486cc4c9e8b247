"""Bodies of `_changes` as servers send them: what is mutated."""

from __future__ import annotations

import json
from collections.abc import Iterator

ROWS = (
    {"seq": "1-g1AA", "id": "a", "changes": [{"rev": "1-x"}], "doc": {"_id": "a", "_rev": "1-x"}},
    {"seq": None, "id": "b", "changes": [{"rev": "2-x"}], "deleted": True},
    {"seq": [3, "g1"], "id": "ü\u2028\u0085", "changes": [], "doc": {"t": "a\u2028b\u0085c"}},
    {"seq": 4, "id": "_design/d", "changes": [{"rev": "1-y"}, {"rev": "1-z"}], "doc": None},
    {"seq": "5-g1", "id": "e", "changes": [], "doc": {"x": [[], {}, "]"], "last_seq": "9-x"}},
    {"seq": 2**70, "id": "\0", "changes": [], "doc": {"results": [], "error": "no", "n": -1.5e300}},
)
LINES = tuple(json.dumps(row, ensure_ascii=False).encode() for row in ROWS)
LONG = b'{"seq":7,"id":"long","doc":{"x":"%s"}}' % (b"y" * 2500)
END = b'"last_seq":"5-g1AAAA","pending":0}'
COMPLAINT = b'{"error":"timeout","reason":"The request could not be processed"}'

TOKENS = (
    b'{"results":[',
    b'],"last_seq":',
    b'{"last_seq":5}',
    b'"pending":-1',
    b'"error":"',
    b'"reason":null',
    b'{"seq":',
    b'"id":',
    b'"changes":[{"rev":"',
    b'"deleted":true',
    b'"doc":',
    b'"\\ud800"',
    b"\\u0000",
    b"\xe2\x80\xa8",
    b"\xff",
    b"\0",
    b",\r\n",
    b"\n",
    b"]",
    b"}",
    b"null",
    b"1e999",
    b"9" * 30,
    b"[" * 1100,
)
"""What is put into them, or takes the place of something."""


def pages() -> Iterator[bytes]:
    """Normal feeds: an object with the rows, in all the ways that its lines may be broken."""
    for separator, end in (
        (b",\r\n", b"\n],\n"),
        (b",\n", b"],\n"),
        (b",", b"],"),
        (b"\n,", b"\n]\n,"),
    ):
        for opening in (b'{"results":[\n', b'{"results":['):
            yield opening + separator.join(LINES) + end + END + b"\n"
    yield b'{"results":[\n' + LINES[0] + b",\n\n" + COMPLAINT + b"\n"
    yield b'{"results":[\n' + LONG + b",\n" + LINES[1] + b"\n],\n" + END + b"\n"
    yield b'{"results":[\n\n],\n' + END
    yield b'{"last_seq":"5-g1","pending":0,"results":[' + LINES[1] + b"]}\n"


def streams() -> Iterator[bytes]:
    """Continuous feeds: a row a line, heartbeats between them."""
    yield b"\n" + b"\n\n".join(LINES) + b"\n"
    yield LINES[0] + b'\n{"last_seq":[5,"g1"],"pending":7}\n'
    yield LINES[0] + b"\n" + COMPLAINT + b"\n" + LINES[1] + b"\n"
    yield LINES[0] + b"\n" + LINES[1][:30] + b"\n" + LINES[2] + b"\n"
    yield LONG + b"\n" + LONG[:30] + b"\n" + LONG
