"""The example's airports, as often as it takes, and the database that they are in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import airportsdata

from airports.couch import BATCH, CouchError, Database

PAGE = 5000
CODE_LETTERS = 3

Document = dict[str, Any]


@cache
def airports() -> dict[str, dict[str, Any]]:
    return {code: {**airport} for code, airport in airportsdata.load("IATA").items()}


def document(doc_id: str, written: int) -> Document:
    """The airport whose code an id begins with. `written` tells its writes apart."""
    return {"_id": doc_id, **airports()[doc_id[:CODE_LETTERS]], "written": written}


def ids(count: int) -> Iterator[str]:
    """The airports' codes again and again, each time with another number."""
    codes = airports()
    for number, code in enumerate(islice(cycle(codes), count)):
        yield f"{code}-{number // len(codes):03}"


class AirportDatabase(Database):
    """One that is too large to be read at once."""

    def fill(self, count: int) -> Iterator[int]:
        """Make so many documents, and yield how many there are so far."""
        self.create()
        saved = 0
        left = ids(count)
        while some := [document(doc_id, 0) for doc_id in islice(left, BATCH)]:
            self.write(some)
            saved += len(some)
            yield saved

    def count(self) -> int:
        return int(self._ask("GET")["doc_count"])

    def revs(self) -> dict[str, str]:
        return {row["id"]: row["value"]["rev"] for row in self._rows(documents=False)}

    def all(self) -> Iterator[Document]:
        """All documents, a page at a time."""
        return (row["doc"] for row in self._rows(documents=True))

    def write(self, documents: list[Document]) -> list[str]:
        """Write documents in one request, and return their revisions. Raises `CouchError`."""
        answers = self._ask("POST", "/_bulk_docs", {"docs": documents})
        if refused := [answer for answer in answers if "error" in answer]:
            raise CouchError(f"{len(refused)} documents were refused, as {refused[0]}")
        return [answer["rev"] for answer in answers]

    def _rows(self, *, documents: bool) -> Iterator[dict[str, Any]]:
        query, start = f"limit={PAGE}&include_docs={str(documents).lower()}", ""
        while rows := self._ask("GET", f"/_all_docs?{query}{start}")["rows"]:
            yield from rows
            last = json.dumps(rows[-1]["id"])
            start = f"&skip=1&startkey={quote(last)}"
