"""As much of CouchDB's HTTP interface as the example needs to fill a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import urllib3

from pillowtop.endpoints import Endpoint

BATCH = 1000


class CouchError(Exception):
    """CouchDB refused a request; the message says which, and why."""


class Database:
    """One database; its repr and str hold no password."""

    def __init__(self, server: Endpoint, name: str) -> None:
        self._server = server
        self._path = "/" + quote(name, safe="")
        self._http = urllib3.PoolManager(
            headers=server.authorization(), ca_certs=server.ca_certs, timeout=60.0
        )

    def __str__(self) -> str:
        return f"{self._server}{self._path}"

    def create(self) -> None:
        """Create the database; one that exists stays as it is."""
        self._ask("PUT", accept=(201, 202, 412))

    def delete(self) -> None:
        """Delete the database, if it exists."""
        self._ask("DELETE", accept=(200, 202, 404))

    def documents(self) -> list[dict[str, Any]]:
        """All documents, those of its design left out."""
        rows = self._ask("GET", "/_all_docs?include_docs=true")["rows"]
        return [row["doc"] for row in rows if not row["id"].startswith("_design/")]

    def save(self, documents: list[dict[str, Any]]) -> Iterator[int]:
        """Save documents, and yield how many are saved so far. Raises `CouchError`."""
        for start in range(0, len(documents), BATCH):
            batch = documents[start : start + BATCH]
            answers = self._ask("POST", "/_bulk_docs", {"docs": batch})
            refused = [answer for answer in answers if "error" in answer]
            if refused:
                raise CouchError(f"{len(refused)} documents were refused, as {refused[0]}")
            yield start + len(batch)

    def _ask(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        accept: tuple[int, ...] = (200, 201, 202),
    ) -> Any:
        """The decoded answer. Raises `CouchError` on a status that is not accepted."""
        url = f"{self._server}{self._path}{path}"
        try:
            answer = self._http.request(method, url, json=body)
        except urllib3.exceptions.HTTPError as error:
            raise CouchError(f"{self._server} does not answer: {error}") from error
        if answer.status not in accept:
            raise CouchError(f"{method} {self}: {answer.status}: {answer.data[:200]!r}")
        return answer.json()
