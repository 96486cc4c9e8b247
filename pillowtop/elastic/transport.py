"""Delivers to Elasticsearch in bulks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from pillowtop.changes import Change, Document
from pillowtop.elastic import bulk
from pillowtop.elastic.client import BulkClient
from pillowtop.elastic.cluster import Cluster
from pillowtop.elastic.index import Target
from pillowtop.elastic.keeper import IndexKeeper
from pillowtop.elastic.listing import IndexListing
from pillowtop.elastic.mirror import Mirror
from pillowtop.elastic.replies import BatchRefused, blame_the_target, read_reply
from pillowtop.elastic.sources import Sources
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import DELIVERED, Held, Item, Outcome, Verdict
from pillowtop.exceptions import DocumentRefused, ServerBusy

logger = logging.getLogger(__name__)

__all__ = ["ElasticTransport", "Target"]


class ElasticTransport:
    """Takes batches of documents to one index.

    An item's payload is what goes into the bulk for it: action and source, as bytes.
    `index_id` gives a change's id in the index where that is not the document's own.
    """

    batches_in_flight = 2
    decodes = False

    def __init__(
        self,
        endpoint: Endpoint,
        target: Target,
        pillow_name: str,
        *,
        source_field: str = "pillowtop",
        keep_attachments: bool = False,
        timeout_seconds: float = 60.0,
        index_id: Callable[[Change], str] | None = None,
        pipeline: str = "",
    ) -> None:
        self.index = target.index
        self._alias = target.write_alias
        self._pillow_name = pillow_name
        self._index_id = index_id
        self.renames = index_id is not None
        self._source_field = source_field
        self._sources = Sources(pillow_name, source_field, keep_attachments=keep_attachments)
        self._mirror: Mirror | None = None
        self._client = BulkClient(endpoint, timeout_seconds, pipeline)
        self._cluster = cluster = Cluster(endpoint, timeout_seconds)
        self._keeper: IndexKeeper = IndexKeeper(cluster, target, source_field)
        self.holdings: IndexListing = IndexListing(cluster, self.index, source_field, pillow_name)

    def pack(self, change: Change, document: Document, version: int) -> Item:
        """Raises `TypeError` or `ValueError` where a document is no dict, or is not JSON."""
        target_id = self._id_of(change)
        source = self._sources.from_document(change, document)
        payload = bulk.index_line(bulk.encode_id(target_id), version) + source
        return _item(target_id, change, version, payload)

    def pack_bytes(self, change: Change, version: int) -> Item:
        encoded_id = encoded_target_id = bulk.encode_id(change.id)
        target_id = change.id
        if self._index_id is not None:
            target_id = self._id_of(change)
            encoded_target_id = bulk.encode_id(target_id)
        line = bulk.index_line(encoded_target_id, version)
        payload = self._sources.from_bytes(change, encoded_id, line)
        rev = change.changes[0].rev if change.changes else ""
        return Item(target_id, change.id, version, False, payload, len(payload), rev, change.seq)

    def pack_deletion(self, change: Change, version: int) -> Item:
        target_id = self._id_of(change)
        payload = bulk.delete_line(bulk.encode_id(target_id), version)
        return _item(target_id, change, version, payload, deletion=True)

    def prepare(self) -> str:
        """Make index and alias where they do not exist. Returns the index's UUID."""
        return self._keeper.prepare()

    def look(self) -> None:
        """Raise `IndexElsewhere` where another release of the pillow serves. Changes nothing."""
        self._keeper.look()

    def identity(self) -> str:
        """The UUID of the index that the alias leads to."""
        return self._keeper.identity()

    def pack_removal(self, held: Held, version: int) -> Item:
        """The deletion of a document under the id that it has in the index, where it stands."""
        payload = bulk.delete_line(bulk.encode_id(held.target_id), version or None, held.place)
        return Item(
            held.target_id, held.doc_id, version, True, payload, len(payload), place=held.place
        )

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        outcomes = [outcome for item in items if (outcome := bulk.unsendable(item))]
        if outcomes:
            refused = {outcome.item.id for outcome in outcomes}
            items = [item for item in items if item.id not in refused]
        if items:
            outcomes += self._written(items, self._alias)
        return self._mirrored(outcomes) if self._mirror else outcomes

    def write_to_both(self, index: str) -> None:
        """Deliver everything to another index, too; to none where its name is empty."""
        self._mirror = Mirror(self._pillow_name, index, self._written) if index else None

    @property
    def lost(self) -> str:
        """Why the other index is written to no more; empty where it is, or where there is none."""
        return self._mirror.lost if self._mirror else ""

    def write_one(self, document_id: str, document: Document | None, database: str = "") -> None:
        """Write a document, or delete it (None), at once and outside of any batch.

        Without a version of ours: Elasticsearch counts on from the one it has, so that what a
        worker writes later wins. Raises `DocumentRefused`, or what `deliver` raises.
        """
        item = self._single(document_id, document, database)
        (outcome,) = self.deliver([item])
        if outcome.verdict is Verdict.DELIVERED:
            return
        error = ServerBusy if outcome.verdict is Verdict.AGAIN else DocumentRefused
        raise error(f"{document_id!r}: {outcome.error_type}: {outcome.reason}")

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._cluster.close()

    def _id_of(self, change: Change) -> str:
        if self._index_id is None:
            return change.id
        target_id: Any = self._index_id(change)
        if not isinstance(target_id, str):
            raise TypeError(f"index_id must return a string, not {target_id!r}")
        return target_id

    def _single(self, document_id: str, document: Document | None, database: str) -> Item:
        encoded_id = bulk.encode_id(document_id)
        if document is None:
            payload = bulk.delete_line(encoded_id, None)
        else:
            rev = str(document.get("_rev", ""))
            source = self._sources.from_dict(document, document_id, rev, database)
            payload = bulk.index_line(encoded_id, None) + source
        return Item(document_id, document_id, 0, document is None, payload, len(payload))

    def _mirrored(self, outcomes: list[Outcome]) -> list[Outcome]:
        """What has become of items once the other index has those that the first one took."""
        assert self._mirror is not None
        taken = [one.item for one in outcomes if one.verdict is DELIVERED]
        again = self._mirror.deliver(taken)
        return [again.get(one.item.id, one) for one in outcomes] if again else outcomes

    def _written(self, items: Sequence[Item], alias: str) -> list[Outcome]:
        """Have the index behind an alias be as items say, in whatever requests that takes."""
        return self._sent(items, alias)

    def _body(self, items: Sequence[Item]) -> bytes:
        return bulk.body(items)

    def _sent(self, items: Sequence[Item], alias: str) -> list[Outcome]:
        """Send items, in ever smaller requests where the server refuses the whole."""
        try:
            response = self._client.post_bulk(alias, self._body(items))
            return read_reply(response.status, response.body, items, alias)
        except BatchRefused as refusal:
            if len(items) == 1:
                return [refusal.outcome(items[0])]
            logger.info(
                "%d documents go to %s in halves: %s", len(items), alias, refusal,
                extra={"action": "halve_batch", "documents": len(items)},
            )  # fmt: skip
            first, second = bulk.halves(items)
            outcomes = self._sent(first, alias) + self._sent(second, alias)
        blame_the_target(outcomes, alias)
        return outcomes


def _item(
    target_id: str, change: Change, version: int, payload: bytes, *, deletion: bool = False
) -> Item:
    return Item(
        target_id, change.id, version, deletion, payload, len(payload), change.rev, change.seq
    )
