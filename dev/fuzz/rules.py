"""What has to hold of the parser of `_changes`, whatever it is given.

What a body says does not depend on how it is cut. Each of its lines says something: changes, that
it cannot be read, an end or a fault; or it is one of those that have nothing to say. Its changes
are the rows that it has, and rows as they have to be are changes. What is passed on can be used
without another look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dev.fuzz import reference
from pillowtop.changes import Change
from pillowtop.engine.letters import MAX_REASON, from_unreadable
from pillowtop.feeds.couch_lines import JSON_ERRORS, LineParser, Lines
from pillowtop.feeds.reading import Unreadable

DATABASE = "db"
MAX_FAULT = 1000
MAX_LINE_BYTES = 2048


class Broken(AssertionError):
    """A rule does not hold."""


def check(blocks: Sequence[bytes], *, enveloped: bool) -> None:
    """Parse a body that comes in these blocks, of up to 2,048 bytes.

    Raises `Broken`, or what the parser raises.
    """
    by_line = _by_line(b"".join(blocks), enveloped=enveloped)
    said = [lines for _, lines in by_line]
    _demand(
        _values(_read(blocks, enveloped=enveloped)) == _values(said), "it matters how it is cut"
    )
    done, may_open = False, enveloped
    for number, (line, lines) in enumerate(by_line, 1):
        if done:
            _demand(lines == Lines(), "something is read behind an end or a fault")
            continue
        _check_line(line, lines, may_open=may_open, is_last=number == len(by_line))
        _check_values(lines)
        may_open = may_open and not reference.opens(line)
        done = lines.end is not None or bool(lines.fault)
    _check_first_fault(blocks, said, enveloped=enveloped)


def _by_line(body: bytes, *, enveloped: bool) -> list[tuple[bytes, Lines]]:
    """Each line, without its newline, and what it says. The last has none, and is at the end."""
    texts = body.split(b"\n")
    parser = _parser(enveloped=enveloped)
    found = [
        (text, _joined([parser.feed(one) for one in pieces(text + b"\n")])) for text in texts[:-1]
    ]
    last = [parser.feed(one) for one in pieces(texts[-1])]
    return [*found, (texts[-1], _joined([*last, parser.finish()]))]


def pieces(text: bytes, size: int = MAX_LINE_BYTES) -> list[bytes]:
    """A text in pieces of up to that many bytes."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def _read(blocks: Iterable[bytes], *, enveloped: bool, passes_over: bool = True) -> list[Lines]:
    parser = _parser(enveloped=enveloped, passes_over=passes_over)
    return [*map(parser.feed, blocks), parser.finish()]


def _parser(*, enveloped: bool, passes_over: bool = True) -> LineParser:
    return LineParser(
        DATABASE,
        enveloped=enveloped,
        passes_over=lambda _line: passes_over,
        max_line_bytes=MAX_LINE_BYTES,
    )


def _joined(parts: Iterable[Lines]) -> Lines:
    found = Lines()
    for part in parts:
        found.changes += part.changes
        found.unreadable += part.unreadable
        found.end = found.end or part.end
        found.fault = found.fault or part.fault
    return found


def _values(said: Iterable[Lines]) -> tuple[object, ...]:
    found = _joined(said)
    changes = [_fields(change) for change in found.changes]
    return changes, found.unreadable, found.end, found.fault


def _fields(change: Change) -> tuple[object, ...]:
    revisions = [revision.rev for revision in change.changes]
    return change.id, change.seq, revisions, change.deleted, bytes(change.doc)


def _check_line(line: bytes, lines: Lines, *, may_open: bool, is_last: bool) -> None:
    if lines == Lines():
        # The last line was cut, unless there is an end before it: whoever asked reads again.
        silent = is_last or reference.is_silent(line, may_open=may_open)
        _demand(silent, "a line says nothing", line)
        return
    _demand(not (lines.changes and lines.unreadable), "a line counts twice", line)
    if lines.fault:  # all behind it comes again
        return
    try:
        expected = reference.read(line, may_open=may_open)
    except reference.UnclearError:
        return
    told = [_decoded(change) for change in lines.changes]
    if told or (expected.is_sound and not _is_too_much(lines)):
        _demand(told == expected.rows, "changes are not the rows of the line", line)
    if lines.end is not None:
        _demand(lines.end.last_seq == expected.last_seq, "an end has another seq", line)


def _decoded(change: Change) -> reference.Row:
    doc = reference.decode(bytes(change.doc).decode() or "null")
    revisions = [revision.rev for revision in change.changes]
    return reference.Row(change.id, change.seq, revisions, change.deleted, doc)


def _is_too_much(lines: Lines) -> bool:
    """Whether a sound line was too long or nested too deep."""
    return any("allowed" in one.cause or "recursion" in one.cause for one in lines.unreadable)


def _check_values(lines: Lines) -> None:
    for change in lines.changes:
        _demand(change.database == DATABASE, "a change is of no database")
        msgspec.json.encode([change.seq, change.id])  # as letters and checkpoints hold them
        _check_document(change)
    for line in lines.unreadable:
        _check_unreadable(line)
    _demand(
        len(lines.fault) <= MAX_FAULT and "\n" not in lines.fault, "a fault is no line of words"
    )


def _check_document(change: Change) -> None:
    """Whoever decodes it makes a letter of what is no JSON."""
    try:
        _document: Any = change.document
    except JSON_ERRORS:
        return


def _check_unreadable(line: Unreadable) -> None:
    letter = from_unreadable(line)
    _demand(bool(line.cause) and len(line.digest) == 64, "an unreadable line has no cause")
    _demand(len(letter.reason) <= MAX_REASON, "the reason of a letter has no end")


def _check_first_fault(blocks: Sequence[bytes], said: Sequence[Lines], *, enveloped: bool) -> None:
    """Where lines are not passed over, the first that cannot be read ends it all."""
    found = _joined(_read(blocks, enveloped=enveloped, passes_over=False))
    before, unreadable = [], False
    for lines in said:
        before += lines.changes
        unreadable = bool(lines.unreadable)
        if unreadable:
            break
    _demand(bool(found.fault) or not unreadable, "a line that cannot be read is passed over")
    _demand(
        [*map(_fields, found.changes)] == [*map(_fields, before)],
        "what stands before a line that cannot be read is lost",
    )


def _demand(holds: bool, words: str, line: bytes = b"") -> None:
    if not holds:
        raise Broken(f"{words}: {line[:200]!r}" if line else words)
