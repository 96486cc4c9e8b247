"""What the demo asks of Elasticsearch, over plain HTTP: any server that speaks it will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import urllib3

from pillowtop.endpoints import Endpoint

PAGE = 5000
MONT_BLANC = {"lat": 45.8326, "lon": 6.8652}


class SearchError(Exception):
    """The search server refused a request; the message says which, and why."""


class Indices:
    """The indices behind aliases of one server."""

    def __init__(self, server: Endpoint) -> None:
        self._server = server
        self._http = urllib3.PoolManager(
            headers=server.authorization(), ca_certs=server.ca_certs, timeout=60.0
        )

    def __str__(self) -> str:
        return str(self._server)

    def delete(self, alias: str) -> None:
        """Delete the indices that a pillow with this alias has made."""
        names = self._ask("GET", f"/{alias}_*/_settings?expand_wildcards=all")
        for name in names or {}:
            if re.fullmatch(rf"{re.escape(alias)}_[0-9a-f]{{8}}", name):
                self._ask("DELETE", f"/{name}")

    def behind(self, alias: str) -> list[str]:
        """The names of the indices that have an alias."""
        return sorted(self._ask("GET", f"/_alias/{alias}") or {})

    def count(self, alias: str) -> int:
        """How many documents a search would find; 0 where there is no index (ready) yet."""
        try:
            answer = self._ask("GET", f"/{alias}/_count")
        except SearchError:
            return 0
        return int(answer["count"]) if answer else 0

    def revs(self, alias: str) -> dict[str, str]:
        """The ids of all documents, and the revisions that they were made of."""
        sources = self.sources(alias, ["pillowtop.rev"])
        return {doc_id: source["pillowtop"]["rev"] for doc_id, source in sources.items()}

    def sources(self, alias: str, fields: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """All documents by their ids, with all of their fields or with these."""
        return {hit["_id"]: hit["_source"] for hit in self.hits(alias, fields)}

    def hits(self, alias: str, fields: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """All documents in the order of their ids, a page at a time."""
        self._ask("POST", f"/{alias}/_refresh")
        after: list[Any] | None = None
        while hits := self._page(alias, fields, after):
            yield from hits
            after = hits[-1]["sort"]

    def nearest(self, alias: str, limit: int) -> list[dict[str, Any]]:
        """The airports nearest to Mont Blanc: their fields, and the distance in km."""
        sort = {"_geo_distance": {"location": MONT_BLANC, "order": "asc", "unit": "km"}}
        near = {"geo_distance": {"distance": "150km", "location": MONT_BLANC}}
        hits = self._search(
            alias, {"size": limit, "sort": [sort], "query": {"bool": {"filter": near}}}
        )
        return [{**hit["_source"], "distance_km": hit["sort"][0]} for hit in hits]

    def _page(
        self, alias: str, fields: list[str] | None, after: list[Any] | None
    ) -> list[dict[str, Any]]:
        query: dict[str, Any] = {
            "size": PAGE,
            "sort": [{"pillowtop.id": "asc"}],
            "_source": fields or True,
        }
        return self._search(alias, query | ({"search_after": after} if after else {}))

    def _search(self, alias: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        found = self._ask("POST", f"/{alias}/_search", query)
        return list(found["hits"]["hits"]) if found else []

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer; None for 404. Raises `SearchError` on any other refusal."""
        try:
            answer = self._http.request(method, f"{self._server}{path}", json=body)
        except urllib3.exceptions.HTTPError as error:
            raise SearchError(f"{self._server} does not answer: {error}") from error
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise SearchError(f"{method} {path}: {answer.status}: {answer.data[:300]!r}")
        return answer.json()
