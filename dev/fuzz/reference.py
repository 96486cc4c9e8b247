"""What a line of `_changes` says, told slowly and by another decoder than the package's."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

SEPARATORS = " \t\r,"
OPENING = b'{"results":['


class UnclearError(Exception):
    """The line is not made as a server makes lines, so nothing is expected of it."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_object)
decode = _decoder.decode


class Row(NamedTuple):
    id: str
    seq: Any
    revisions: list[str]
    deleted: bool
    doc: Any


class Line(NamedTuple):
    """The rows of a line. `is_sound` says that all of it is as it has to be."""

    rows: list[Row]
    last_seq: Any
    is_sound: bool


def read(line: bytes, *, may_open: bool) -> Line:
    """What a line says that may open a page. Raises `UnclearError`."""
    try:
        text = line.decode().strip(SEPARATORS)
        rows, end = _page(text) or _rows_and_end(text, may_open=may_open)
        # Refuses what only this decoder takes: half surrogate pairs, infinity.
        json.dumps([rows, end], ensure_ascii=False, allow_nan=False).encode()
        is_sound = all(map(_is_sound, rows)) and _is_sound_end(end)
        return Line([_row(row) for row in rows], end.get("last_seq"), is_sound)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise UnclearError from error


def opens(line: bytes) -> bool:
    """Whether a page begins with this line."""
    return b"".join(line.split()).startswith(OPENING)


def is_silent(line: bytes, *, may_open: bool) -> bool:
    """Whether a line has nothing to say: a heartbeat, a bracket, or the beginning of a page."""
    bare = b"".join(line.split()).strip(b",")
    if may_open:
        bare = bare.removeprefix(OPENING)
    return bare in (b"", b"]")


def _page(text: str) -> tuple[list[Any], dict[str, Any]] | None:
    """A whole body in one line."""
    try:
        page = decode(text)
    except ValueError:
        return None
    if not isinstance(page, dict) or not {"results", "last_seq"} <= page.keys() or "id" in page:
        return None
    return page["results"], page


def _rows_and_end(text: str, *, may_open: bool) -> tuple[list[Any], dict[str, Any]]:
    if may_open and opens(text.encode()):
        text = text[text.index("[") + 1 :]
    rows: list[Any] = []
    position = _behind_gap(text, 0, "")
    while position < len(text):
        if text.startswith('"last_seq"', position):
            return rows, _end(decode("{" + text[position:]))
        found, position = _decoder.raw_decode(text, position)
        if "id" not in found and "last_seq" in found and not rows:
            return rows, _end(found)
        rows.append(found)
        position = _behind_gap(text, position, ",")
    return rows, {}


def _end(end: dict[str, Any]) -> dict[str, Any]:
    if not end.keys().isdisjoint({"id", "results"}):
        raise UnclearError
    return end


def _behind_gap(text: str, position: int, separator: str) -> int:
    """Where the next row begins, or the end; behind the last, brackets may be left out."""
    behind = position
    while behind < len(text) and text[behind] in SEPARATORS + "]":
        behind += 1
    gap = "".join(text[position:behind].split())
    if behind < len(text) and gap != separator and not text.startswith('"last_seq"', behind):
        raise UnclearError
    return behind


def _row(row: dict[str, Any]) -> Row:
    revisions = [one["rev"] for one in row.get("changes", [])]
    return Row(row["id"], row.get("seq"), revisions, row.get("deleted", False), row.get("doc"))


def _is_sound(row: dict[str, Any]) -> bool:
    return (
        isinstance(row["id"], str)
        and isinstance(row.get("deleted", False), bool)
        and isinstance(row.get("changes", []), list)
        and all(isinstance(one["rev"], str) for one in row.get("changes", []))
    )


def _is_sound_end(end: dict[str, Any]) -> bool:
    return type(end.get("pending")) in (int, type(None))
