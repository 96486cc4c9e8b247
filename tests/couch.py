"""What tests do to a CouchDB database, and how they compare it with an index."""

from __future__ import annotations

import json
from typing import Any

import urllib3
from urllib3.util import make_headers, parse_url

from pillowtop.feeds.couch_values import quote_id

http = urllib3.PoolManager(retries=False)


def call(method: str, url: str, body: Any = None, *, codes: tuple[int, ...] = ()) -> Any:
    """A JSON request; fails on any status that is no success nor one of `codes`.

    Credentials in the URL are used; bytes are sent as they are.
    """
    credentials = parse_url(url).auth
    response = http.request(
        method,
        url,
        body=body if body is None or isinstance(body, bytes) else json.dumps(body),
        headers={"Content-Type": "application/json", **make_headers(basic_auth=credentials)},
    )
    assert response.status < 300 or response.status in codes, (method, url, response.data)
    return json.loads(response.data) if response.data else None


class Database:
    """A database at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.server, _, self.name = url.rpartition("/")

    def doc_url(self, doc_id: str) -> str:
        return f"{self.url}/{quote_id(doc_id)}"

    def put(self, doc_id: str, **fields: Any) -> str:
        """Create or update a document; returns its revision."""
        stored = call("GET", self.doc_url(doc_id), codes=(404,))
        if "_rev" in stored:
            fields["_rev"] = stored["_rev"]
        return call("PUT", self.doc_url(doc_id), fields)["rev"]

    def put_many(self, documents: list[dict[str, Any]]) -> None:
        call("POST", f"{self.url}/_bulk_docs", {"docs": documents})

    def fill(self, count: int, prefix: str = "doc", **fields: Any) -> None:
        for start in range(0, count, 1000):
            self.put_many(
                [
                    {"_id": f"{prefix}{n:06}", "n": n, **fields}
                    for n in range(start, min(start + 1000, count))
                ]
            )

    def delete(self, doc_id: str) -> None:
        rev = call("GET", self.doc_url(doc_id))["_rev"]
        call("DELETE", f"{self.doc_url(doc_id)}?rev={rev}")

    def recreate(self) -> None:
        call("DELETE", self.url)
        call("PUT", self.url)

    def local(self, local_id: str) -> Any:
        return call("GET", f"{self.url}/_local/{local_id}", codes=(404,))

    def revs(self) -> dict[str, str]:
        """The winning revision of each live document, without design documents."""
        rows = call("GET", f"{self.url}/_all_docs")["rows"]
        return {row["id"]: row["value"]["rev"] for row in rows if row["id"][0] != "_"}


class Index:
    """An index or alias."""

    def __init__(self, server: str, name: str) -> None:
        self.server = server
        self.url = f"{server}/{name}"

    def documents(self) -> dict[str, Any]:
        """The sources by id, of all of them."""
        call("POST", f"{self.url}/_refresh")
        found: dict[str, Any] = {}
        after: list[Any] | None = None
        while True:
            query: dict[str, Any] = {"size": 5000, "sort": [{"pillowtop.id": "asc"}]}
            if after:
                query["search_after"] = after
            hits = call("POST", f"{self.url}/_search", query)["hits"]["hits"]
            if not hits:
                return found
            found.update({hit["_id"]: hit["_source"] for hit in hits})
            after = hits[-1]["sort"]

    def revs(self) -> dict[str, str]:
        return {doc_id: one["pillowtop"]["rev"] for doc_id, one in self.documents().items()}

    def exists(self) -> bool:
        return http.request("HEAD", self.url).status == 200
