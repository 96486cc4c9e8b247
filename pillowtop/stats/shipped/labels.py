"""The text that stands for a value, so that each value has one, and no two messages differ in it
by chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any
from zlib import crc32

from pillowtop.records.database import storable

NONE = "(none)"
"""For what is missing, null, or no number."""

EMPTY = "(empty)"
LIST = "(list)"
OBJECT = "(object)"
HUGE = "(huge number)"

MAX_CHARACTERS = 200
"""Of a label; a longer text is cut, and ends with an ellipsis."""

HUGE_BITS = 1024
"""Beyond what a float can be; Python refuses to write down the longest."""

DISTINGUISHED = frozenset((str, int, float, type(None)))
"""Types whose values are equal only where their labels are. `True` is equal to 1."""


def text_of(value: Any) -> str:
    """1 and 1.0 are the same number in JSON, and the same text here."""
    if isinstance(value, str):
        return value or EMPTY
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= HUGE_BITS else HUGE
    if isinstance(value, float):
        return _text_of_float(value)
    return LIST if is_list(value) else OBJECT


def _text_of_float(value: float) -> str:
    if not math.isfinite(value):
        return NONE
    return str(int(value)) if value.is_integer() else repr(value)


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset))


def label(value: Any) -> str:
    """A text that every database takes. The label of a label is itself."""
    return shortened(text_of(value), MAX_CHARACTERS)


def shortened(text: str, characters: int) -> str:
    """So many characters of a text at most, as every database takes them."""
    if not text.isascii() or "\0" in text:
        text = storable(text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def labels(values: Sequence[Any]) -> list[str]:
    if not DISTINGUISHED.issuperset(map(type, values)):
        return [label(value) for value in values]
    known = {value: label(value) for value in set(values)}
    return [known[value] for value in values]


def distinct_labels(value: Any) -> list[str]:
    """Of a list, that of each of its values, once; of anything else its own."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        return list(dict.fromkeys(map(label, value))) or [NONE]
    return [label(value)]


def count(counts: Counter[str], values: Sequence[Any]) -> None:
    """Add the labels of values to what is counted already.

    Values are counted as they are, which needs no Python for each, and those that are new are
    replaced by their labels.
    """
    if not DISTINGUISHED.issuperset(map(type, values)):
        values = [label(value) for value in values]
    known = len(counts)
    counts.update(values)
    for value in list(islice(reversed(counts), len(counts) - known)):
        text = label(value)
        if text != value:
            counts[text] += counts.pop(value)


def rank(text: str) -> tuple[int, str]:
    """An order that has nothing to do with what labels mean, and is the same everywhere."""
    return crc32(text.encode()), text
