"""What an index holds of a pillow and a database, by the source field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pillowtop.elastic.cluster import Cluster, path_to
from pillowtop.engine.items import HERE, Held, Place
from pillowtop.exceptions import ServerBusy, TargetUnusable

LISTED_DOCUMENTS = 3000
"""Documents of a page; Elasticsearch gives 10,000 at most (`max_result_window`)."""

NO_SUCH_INDEX = "index_not_found_exception"


class IndexListing:
    """Lists by ids in CouchDB: Elasticsearch refuses to sort by `_id`.

    `pillow` is whose documents are listed. Raises what `Cluster.request` does, and `ServerBusy`
    where an answer is not that of the whole index.
    """

    def __init__(self, cluster: Cluster, alias: str, source_field: str, pillow: str) -> None:
        self._cluster = cluster
        self._alias = alias
        self._field = source_field
        self._pillow = pillow

    def refresh(self) -> None:
        """Have all that was written so far be listed."""
        _demand_all_shards(self._ask("_refresh"))

    def page(self, database: str, after: str, upto: str = "") -> list[Held]:
        """Some thousand documents in the order of `doc_id`, behind `after`, to `upto` if given.

        All that come from one document in CouchDB come together.
        """
        bounds = {"gt": after} | ({"lte": upto} if upto else {})
        ranges = [{"range": {f"{self._field}.id": bounds}}] if upto else []
        hits = self._held(
            self._mine(database) + ranges,
            search_after=[after],
            size=LISTED_DOCUMENTS,
        )
        if len(hits) < LISTED_DOCUMENTS:
            return hits
        whole = [one for one in hits if one.doc_id != hits[-1].doc_id]
        if not whole:
            raise TargetUnusable(
                f"{self._alias!r} holds {LISTED_DOCUMENTS} documents or more that come from "
                f"{hits[-1].doc_id!r}: see what index_id makes of it"
            )
        return whole

    def of(self, database: str, doc_ids: Sequence[str]) -> list[Held]:
        """What comes from these documents, of which there are some thousand at most."""
        wanted = {"terms": {f"{self._field}.id": list(doc_ids)}}
        hits = self._held([*self._mine(database), wanted], size=LISTED_DOCUMENTS)
        if len(hits) == LISTED_DOCUMENTS and len(doc_ids) > 1:
            middle = len(doc_ids) // 2
            return self.of(database, doc_ids[:middle]) + self.of(database, doc_ids[middle:])
        return hits

    def called(self, target_id: str) -> list[Held]:
        """What stands there under an id, from whatever database."""
        wanted = {"ids": {"values": [target_id]}}
        return self._held([self._of_pillow, wanted], size=LISTED_DOCUMENTS)

    def sample(self, database: str, count: int) -> list[str]:
        """Ids in CouchDB of documents drawn at random; fewer where there are fewer."""
        drawn = {
            "function_score": {
                "query": {"bool": {"filter": self._mine(database)}},
                "random_score": {},
            }
        }
        found = self._search(
            query=drawn,
            size=min(count, LISTED_DOCUMENTS),
            _source=[f"{self._field}.id"],
        )
        return [hit["_source"][self._field]["id"] for hit in found["hits"]["hits"]]

    def _mine(self, database: str) -> list[dict[str, Any]]:
        return [self._of_pillow, {"term": {f"{self._field}.database": database}}]

    @property
    def _of_pillow(self) -> dict[str, Any]:
        return {"term": {f"{self._field}.pillow": self._pillow}}

    def _held(self, filters: list[dict[str, Any]], **more: Any) -> list[Held]:
        rev = f"{self._field}.rev"
        found = self._search(
            query={"bool": {"filter": filters}},
            sort=[{f"{self._field}.id": "asc"}],
            docvalue_fields=[{"field": rev}],
            _source=False,
            version=True,
            track_total_hits=False,
            **more,
        )
        _demand_all_shards(found)
        # No revision where a document lacks it: none equals that.
        return [
            Held(
                hit["sort"][0],
                hit["_id"],
                hit["_version"],
                hit.get("fields", {}).get(rev, [""])[0],
                self._place(hit),
            )
            for hit in found["hits"]["hits"]
        ]

    def _place(self, hit: Mapping[str, Any]) -> Place:
        return Place("", hit["_routing"]) if "_routing" in hit else HERE

    def _search(self, **body: Any) -> dict[str, Any]:
        return self._ask("_search", params={"allow_partial_search_results": "false"}, body=body)

    def _ask(self, verb: str, **more: Any) -> dict[str, Any]:
        return self._cluster.request(self._alias, "POST", path_to(self._alias, verb), **more)


class SeveralListing(IndexListing):
    """The same of all indices behind an alias, of which there may be none yet."""

    def _place(self, hit: Mapping[str, Any]) -> Place:
        return Place(hit["_index"], hit.get("_routing", ""))

    def _ask(self, verb: str, **more: Any) -> dict[str, Any]:
        try:
            return super()._ask(verb, **more)
        except TargetUnusable as error:
            if error.cause_type != NO_SUCH_INDEX:
                raise
            return {"hits": {"hits": []}}


def _demand_all_shards(answer: Mapping[str, Any]) -> None:
    """Raise `ServerBusy` where an answer is not that of the whole index."""
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise ServerBusy("some shards of the index did not answer")
