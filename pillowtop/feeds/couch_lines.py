"""Reads the bodies of `_changes`: bytes in, rows out. No I/O.

    normal, longpoll    {"results":[
                        {"seq":"1-g1AA…","id":"a","changes":[{"rev":"1-…"}],"doc":{…}},
                        {"seq":null,"id":"b",…}
                        ],
                        "last_seq":"2-g1AA…","pending":0}
    continuous          one row a line, heartbeats as empty lines, perhaps
                        {"last_seq":…,"pending":…} at the end

Lines end at a newline byte only: U+2028 and U+0085 stand unescaped inside strings.
Source: https://docs.couchdb.org/en/stable/api/database/changes.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from pillowtop.changes import Change
from pillowtop.feeds.reading import Unreadable

T = TypeVar("T")

MAX_LINE_BYTES = 128 * 1024 * 1024
"""More than any document that Elasticsearch takes (100 MB in a request)."""

KEPT_OF_OVERLONG = 1024
MAX_WORDS = 300
SEPARATORS = b" \t\r\n,"

ENVELOPE = re.compile(rb'\{\s*"results"\s*:\s*\[')
END = re.compile(rb'\]\s*,\s*(?="last_seq"\s*:)')
OWN_SEQ = re.compile(rb'^\{\s*"seq"\s*:\s*("[^"]*"|-?\d+|null|\[[^\]]*\])')
# Nested a thousand deep, JSON is too much for any decoder.
JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class End(msgspec.Struct, frozen=True):
    """The last line of a body. `last_seq` vouches for all rows of the body."""

    last_seq: Any
    pending: int | None = None


class Lines(msgspec.Struct):
    """What some bytes said. Nothing is read behind an `end` or a `fault`.

    `fault` says why the feed is to be read again from its last seq: an unreadable line that may
    have been garbled on the way, or the server's own words.
    """

    changes: list[Change] = []
    unreadable: list[Unreadable] = []
    end: End | None = None
    fault: str = ""


class _Ending(End, frozen=True, kw_only=True):
    """An end, and the rows before it where a whole body stands in one line.

    What has an id is a row, whatever else it has.
    """

    results: list[Change] = []
    id: UnsetType = UNSET


class _Complaint(msgspec.Struct):
    error: str
    reason: str | None = None


_decode_row = msgspec.json.Decoder(Change).decode
_decode_rows = msgspec.json.Decoder(list[Change]).decode
_decode_ending = msgspec.json.Decoder(_Ending).decode
_decode_complaint = msgspec.json.Decoder(_Complaint).decode


class LineParser:
    """Takes the bytes of one body as they come, cut anywhere, and says what they mean.

    `passes_over` is asked about each unreadable line: True puts it into `unreadable` and reads
    on, False makes it the `fault`. `enveloped` is true for normal and longpoll feeds.
    """

    def __init__(
        self,
        database: str = "",
        *,
        enveloped: bool = False,
        passes_over: Callable[[Unreadable], bool] = lambda _line: False,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._database = database
        self._awaits_envelope = enveloped
        self._passes_over = passes_over
        self._tail = _Tail(max_line_bytes)
        self._done = False

    def feed(self, block: bytes) -> Lines:
        """What the lines say that end in this block."""
        lines = Lines()
        first = block.find(b"\n")
        if first < 0:
            self._tail.keep(block)
            return lines
        self._tail.keep(block[:first])
        if self._tail.overlong:
            self._bad_line(self._tail.give_up(), lines)
        # From the newline itself, so that there is always a (perhaps empty) whole line. This finds
        # newlines several times as fast as `bytes.split`, which looks at each byte.
        texts = BytesIO(self._tail.take(block[first:])).readlines()
        if not texts[-1].endswith(b"\n"):
            self._tail.keep(texts.pop())
        self._read(texts, lines)
        return lines

    def finish(self) -> Lines:
        """What a last line without a newline says, at the proper end of the body.

        One that cannot be read was cut: it will come again.
        """
        lines = Lines()
        if not self._tail.overlong:
            self._passes_over = _never_mind
            self._read([self._tail.take(b"")], lines)
            lines.unreadable.clear()
        return lines

    def _read(self, texts: list[bytes], lines: Lines) -> None:
        decode, add, database = _decode_row, lines.changes.append, self._database
        for text in texts:
            if self._done:
                return
            row = text.rstrip(SEPARATORS)
            if self._awaits_envelope or not row:
                self._read_odd(row, lines)
                continue
            try:
                change = decode(row)
                # The document is passed on as it is: nobody looks at its bytes before the index.
                if not row.isascii():
                    row.decode()
            except JSON_ERRORS:
                self._read_odd(row, lines)
                continue
            change.database = database
            add(change)

    def _read_odd(self, row: bytes, lines: Lines) -> None:
        """Read a line that is not simply a row."""
        text = row.strip(SEPARATORS)
        if not text or text == b"]":
            return
        if self._awaits_envelope:
            self._read_envelope(text, lines)
        elif not (self._read_end(text, lines) or self._read_rows(text, lines)):
            self._bad_line(_unreadable(text), lines)

    def _read_envelope(self, text: bytes, lines: Lines) -> None:
        if self._read_end(text, lines):
            return
        envelope = ENVELOPE.match(text)
        if envelope:
            self._awaits_envelope = False
            self._read([text[envelope.end() :]], lines)
        else:
            self._stop(lines, f"the answer is no changes feed, but begins with {text[:80]!r}")

    def _read_end(self, text: bytes, lines: Lines) -> bool:
        """Read the end of a body, or the words with which a server gave up in the middle."""
        if text.startswith(b'"last_seq"'):
            text = b"{" + text
        ending = _decoded(_decode_ending, text) if _is_utf8(text) else None
        if ending is not None:
            # A server may put all of a body into one line, and its keys into any order.
            self._add_rows(ending.results, lines)
            lines.end = End(ending.last_seq, ending.pending)
            self._done = True
            return True
        complaint = _decoded(_decode_complaint, text)
        if complaint is not None:
            words = words_of(complaint.error, complaint.reason)
            self._stop(lines, words or "the server reports an error without a word")
        return complaint is not None

    def _read_rows(self, text: bytes, lines: Lines) -> bool:
        """Read several rows in one line, and the end behind them."""
        rows = self._rows(text.rstrip(b"] \t\r,"))
        if rows:
            self._add_rows(rows, lines)
            return True
        ends = list(END.finditer(text))
        rows = self._rows(text[: ends[-1].start()]) if ends else None
        if rows is None or not self._read_end(text[ends[-1].end() :], lines):
            return False
        self._add_rows(rows, lines)
        return True

    def _rows(self, text: bytes) -> list[Change] | None:
        return _decoded(_decode_rows, b"[%b]" % text) if _is_utf8(text) else None

    def _add_rows(self, rows: list[Change], lines: Lines) -> None:
        for change in rows:
            change.database = self._database
        lines.changes += rows

    def _bad_line(self, line: Unreadable, lines: Lines) -> None:
        if self._done:
            return
        if self._passes_over(line):
            lines.unreadable.append(line)
        else:
            self._stop(lines, f"a line of the feed cannot be read: {line.cause}")

    def _stop(self, lines: Lines, fault: str) -> None:
        lines.fault = fault
        self._done = True


class _Tail:
    """The beginning of a line whose end has not come yet; bounded in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = b""
        self._digest: hashlib._Hash | None = None

    @property
    def overlong(self) -> bool:
        return self._digest is not None

    def keep(self, piece: bytes) -> None:
        # Pieces, not one growing string: eight megabytes may come in eight thousand of them.
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._max_bytes or self._digest:
            self._drop()

    def take(self, rest: bytes) -> bytes:
        """The whole line (and those behind it)."""
        self._pieces.append(rest)
        whole = b"".join(self._pieces)
        self._clear()
        return whole

    def give_up(self) -> Unreadable:
        """The whole line, of which only the beginning was kept."""
        assert self._digest
        line = Unreadable(
            self._head,
            self._digest.hexdigest(),
            f"{self._size:,} bytes long, more than the {self._max_bytes:,} that are allowed",
        )
        self._clear()
        return line

    def _drop(self) -> None:
        dropped = b"".join(self._pieces)
        if self._digest is None:
            self._head = dropped[:KEPT_OF_OVERLONG]
            # Cut at a fixed place: the digest must not depend on how the bytes came.
            self._digest = _digest(dropped[: self._max_bytes])
            self._digest.update(dropped[self._max_bytes :])
        else:
            self._digest.update(dropped)
        self._pieces.clear()

    def _clear(self) -> None:
        self._pieces.clear()
        self._size = 0
        self._digest = None


def words_of(error: str, reason: str | None) -> str:
    """What a server gave as its reason, in one short line: a broken filter sends a stack trace."""
    return ": ".join(beginning for text in (error, reason or "") if (beginning := _shortened(text)))


def _shortened(text: str) -> str:
    return " ".join(text.split())[:MAX_WORDS]


def _unreadable(text: bytes) -> Unreadable:
    cause = "not a row of a feed"
    try:
        text.decode()
        _decode_row(text)
    except JSON_ERRORS as error:
        cause = str(error)
    return Unreadable(text, _digest(text).hexdigest(), cause)


def _digest(line: bytes) -> hashlib._Hash:
    """Of a line without its own seq: a cluster writes that differently each time."""
    return hashlib.sha256(OWN_SEQ.sub(b"", line))


def _decoded(decode: Callable[[bytes], T], text: bytes) -> T | None:
    try:
        return decode(text)
    except JSON_ERRORS:
        return None


def _is_utf8(text: bytes) -> bool:
    return text.isascii() or _decoded(bytes.decode, text) is not None


def _never_mind(_line: Unreadable) -> bool:
    return True
