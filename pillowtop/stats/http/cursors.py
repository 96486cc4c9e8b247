"""A place among rows, as it stands in addresses. What it looks like is nobody's business."""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from pillowtop.stats.http.times import EARLIEST, LATEST
from pillowtop.stats.intervals import from_microseconds, to_microseconds
from pillowtop.stats.records.pages import Place

ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
WHOLE = range(-(2**63), 2**63)
BAD = "this is no cursor of ours: take it from a Link header as it is, or leave it out"

Written = tuple[bool, int, int | str, int]


def write_cursor(place: Place) -> str:
    row = place.row if isinstance(place.row, int) else str(place.row)
    parts = (place.before, to_microseconds(place.timestamp), row, place.offset)
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def read_cursor(text: object) -> Place:
    """Raises `ValueError`."""
    words = str(text)
    if not ALPHABET.fullmatch(words):
        raise ValueError(BAD)
    try:
        raw = base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))
        before, time, row, offset = msgspec.json.decode(raw, type=Written)
        timestamp = from_microseconds(time)
    except (ValueError, binascii.Error, OverflowError, msgspec.MsgspecError):
        raise ValueError(BAD) from None
    fits = row in WHOLE if isinstance(row, int) else "\0" not in row
    if not (EARLIEST <= timestamp <= LATEST and fits and offset in range(2**53)):
        raise ValueError(BAD)
    return Place(timestamp, row, offset, before)
