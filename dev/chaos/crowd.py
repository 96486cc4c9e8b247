"""A database of any number of documents: written, and compared with indices, a page at a time."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from airports.couch import BATCH, Database
from dev.soak.comparing import Kind

Revs = Iterable[tuple[str, str]]
"""Ids and revisions, in the order of ids."""

PAGE = 5000
FRENCH_EVERY = 10
LARGE_EVERY = 1000
LARGE = "many words for one airport " * 2000


class Crowd(Database):
    """Documents that look like airports, one in a thousand with 50 KB."""

    def fill(self, count: int, progress: Callable[[int], None]) -> None:
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            progress(start + sum(self.save([document(number) for number in numbers])))

    def revs(self) -> Iterator[tuple[str, str]]:
        after, skip = "", 0
        while rows := self._rows(after, skip):
            for row in rows:
                yield row["id"], row["value"]["rev"]
            after, skip = rows[-1]["id"], 1

    def _rows(self, after: str, skip: int) -> list[dict[str, Any]]:
        first = quote(json.dumps(after))
        path = f"/_all_docs?startkey={first}&skip={skip}&limit={PAGE}"
        rows: list[dict[str, Any]] = self._ask("GET", path)["rows"]
        return rows


def document(number: int) -> dict[str, Any]:
    made = {
        "_id": f"{number:08}",
        "name": f"airport number {number}",
        "country": "FR" if number % FRENCH_EVERY == 0 else "DE",
        "lat": number % 90,
        "lon": number % 180,
        "elevation": number % 9000,
    }
    return made | ({"history": LARGE} if number % LARGE_EVERY == 0 else {})


def is_french(doc_id: str) -> bool:
    return int(doc_id) % FRENCH_EVERY == 0


def differences(wanted: Revs, found: Revs) -> Counter[str]:
    """How many documents are lost, stale or resurrected."""
    sides = heapq.merge(((*one, True) for one in wanted), ((*one, False) for one in found))
    kinds = (_kind(list(both)) for _, both in groupby(sides, key=itemgetter(0)))
    return Counter(kind for kind in kinds if kind)


def _kind(both: list[tuple[str, str, bool]]) -> Kind | None:
    """Of what stands on both sides under one id."""
    if len(both) == 1:
        ((_, _, is_wanted),) = both
        return Kind.LOST if is_wanted else Kind.RESURRECTED
    return None if both[0][1] == both[1][1] else Kind.STALE
