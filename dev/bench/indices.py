"""The indices of the benchmark: made as pillowtop makes them, counted, removed."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch

from dev.bench.jobs import WorkNotDone
from pillowtop.elastic.index import AliasedIndex
from pillowtop.elastic.moving import FAST
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.endpoints import Endpoint

SETTINGS: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0}
KEYWORD, TEXT, NUMBER = {"type": "keyword"}, {"type": "text"}, {"type": "double"}
MAPPING: dict[str, Any] = {
    # Declared, as what is guessed from the first documents differs from run to run.
    "properties": {
        "_rev": KEYWORD,
        "type": KEYWORD,
        "state": KEYWORD,
        "placed": {"type": "date"},
        "customer": {
            "properties": {
                "number": {"type": "long"},
                "name": TEXT,
                "town": KEYWORD,
                "street": TEXT,
            }
        },
        "lines": {
            "properties": {
                "article": KEYWORD,
                "title": TEXT,
                "quantity": {"type": "long"},
                "price": NUMBER,
            }
        },
        "note": TEXT,
        "total": NUMBER,
    }
}
SECONDS = 120.0


class Indices:
    """Those of one run, on one server."""

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint.parse(url)
        self._client = Elasticsearch(
            self._endpoint.url,
            headers=self._endpoint.authorization(),
            request_timeout=SECONDS,
        )

    def transport(self, alias: str) -> ElasticTransport:
        return ElasticTransport(
            self._endpoint, AliasedIndex(alias, MAPPING, SETTINGS), "OrderPillow"
        )

    def make(self, alias: str, *, as_copy: bool = False) -> None:
        """Make an index and its alias, the same as a pillow would make; with the settings that it
        has while it is filled by `ptop_reindex run`, if wanted."""
        transport = self.transport(alias)
        transport.prepare()
        transport.close()
        if as_copy:
            self._client.indices.put_settings(index=alias, settings=FAST)

    def verify(self, alias: str, documents: int, *, with_total: bool) -> None:
        """Raise `WorkNotDone` unless all documents are there, and are what they should be."""
        self._client.indices.refresh(index=alias)
        query: dict[str, Any] = {"exists": {"field": "total"}} if with_total else {"match_all": {}}
        count = self._client.count(index=alias, query=query)["count"]
        if count != documents:
            raise WorkNotDone(f"{count} documents are in {alias}, and should be {documents}")

    def remove(self, alias: str) -> None:
        if self._client.indices.exists_alias(name=alias):
            for name in self._client.indices.get_alias(name=alias):
                self._client.indices.delete(index=name)

    def close(self) -> None:
        self._client.close()
