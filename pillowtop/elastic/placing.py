"""Delivers documents that may stand in more than one place: by a routing, or in several indices.

A deletion does not know where its document stands, and a document that moves leaves another copy
behind. So what a batch writes is looked for once it is written: of each document nothing stays but
the copy in its place, and of one that is deleted none. What is removed gets the version of the
write that it makes way for, so that no write which is older brings it back there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from pillowtop.changes import Change, Document, Revision
from pillowtop.elastic import bulk, naming
from pillowtop.elastic.listing import (
    LISTED_DOCUMENTS,
    NO_SUCH_INDEX,
    IndexListing,
    SeveralListing,
)
from pillowtop.elastic.several import SeveralKeeper
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import DELIVERED, HERE, Held, Item, Outcome, Place
from pillowtop.engine.versions import token_of
from pillowtop.exceptions import (
    ConfigurationError,
    DocumentRefused,
    ServerBusy,
    TargetUnusable,
    WrittenByLaterLife,
)

TargetFor = Callable[[Change], tuple[str, str | None]]


class PlacedItem(Item, eq=False, gc=False):
    """A write of a document, or the removal of all that stands of it: that has no payload.

    `database` is where the document is from; None where that is not known.
    """

    database: str | None = None


class RoutingTransport(ElasticTransport):
    """Takes documents to one index, each by the routing that a field of it names."""

    def __init__(
        self, endpoint: Endpoint, target: Any, pillow_name: str, *, routing: str = "", **more: Any
    ) -> None:
        super().__init__(endpoint, target, pillow_name, **more)
        self.renames = True
        self._routing = routing.split(".") if routing else []

    def pack(self, change: Change, document: Document, version: int) -> Item:
        source = self._sources.from_document(change, document)
        # Hooks may have changed the document that they were given.
        return self._placed(change, self._place(change.copy(), document), source, version)

    def pack_bytes(self, change: Change, version: int) -> Item:
        source = self._sources.from_bytes(change, bulk.encode_id(change.id))
        return self._placed(change, self._place(change, change.document), source, version)

    def pack_deletion(self, change: Change, version: int) -> Item:
        return PlacedItem(
            self._id_of(change), change.id, version, True, b"", 0, change.rev, change.seq,
            database=change.database,
        )  # fmt: skip

    def _placed(self, change: Change, place: Place, source: bytes, version: int) -> Item:
        target_id = self._id_of(change)
        line = bulk.index_line(bulk.encode_id(target_id), version, self._written_to(place))
        payload = line + source
        return PlacedItem(
            target_id, change.id, version, False, payload, len(payload), change.rev, change.seq,
            place=place, database=change.database,
        )  # fmt: skip

    def _place(self, change: Change, document: Document | None) -> Place:
        """Where a document is to stand. Raises what it deserves."""
        routing = self._routing_of(document)
        return Place("", routing) if routing else HERE

    def _written_to(self, place: Place) -> Place:
        return place

    def _routing_of(self, document: Any) -> str:
        """The routing of a document; empty where it is Elasticsearch's own, by the id."""
        if not self._routing:
            return ""
        value = document
        for name in self._routing:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise DocumentRefused(
                f"es_routing names the field {'.'.join(self._routing)!r}, which has to be text or "
                f"a number, and is {value!r}"
            )
        return str(value)

    def _single(self, document_id: str, document: Document | None, database: str) -> Item:
        if document is None:
            return PlacedItem(document_id, document_id, 0, True, b"", 0)
        encoded = msgspec.Raw(msgspec.json.encode(document))
        rev = str(document.get("_rev", ""))
        change = Change(document_id, None, [Revision(rev)], False, encoded, database)
        source = self._sources.from_dict(document, document_id, rev, database)
        place = self._place(change, document)
        line = bulk.index_line(bulk.encode_id(document_id), None, self._written_to(place))
        payload = line + source
        return PlacedItem(
            document_id, document_id, 0, False, payload, len(payload), rev, place=place
        )

    def _written(self, items: Sequence[Item], alias: str) -> list[Outcome]:
        """Write documents, then remove what else stands of them. Raises as `deliver` does."""
        sent = [item for item in items if item.payload]
        outcomes = self._sent(sent, alias) if sent else []
        outcomes += [Outcome(item, DELIVERED) for item in items if not item.payload]
        written = [
            one.item
            for one in outcomes
            if one.verdict is DELIVERED and isinstance(one.item, PlacedItem)
        ]
        failed = self._clear(written, alias) if written else {}
        return [failed.get(one.item.id, one) for one in outcomes] if failed else outcomes

    def _clear(self, written: Sequence[PlacedItem], alias: str) -> dict[str, Outcome]:
        """Have nothing of documents stand anywhere but in their places.

        Returns what became of those of which something could not be removed, by id.
        """
        listing = self._listing(alias)
        listing.refresh()
        found = list(_copies(written, listing))
        # Of what lost to a newer copy in its own shard nothing is there to be removed.
        placed = {item.doc_id for item, held in found if _is_written(item, held)}
        doomed = [
            (item, self.pack_removal(one, version))
            for item, held in found
            for one, version in _losers(item, held, is_placed=item.doc_id in placed)
        ]
        failed: dict[str, Outcome] = {}
        if doomed:
            outcomes = self._sent([removal for _item, removal in doomed], alias)
            failed = {
                item.id: msgspec.structs.replace(outcome, item=item)
                for (item, _removal), outcome in zip(doomed, outcomes, strict=True)
                if outcome.verdict is not DELIVERED
            }
        _demand_all_seen(found)
        return failed

    def _listing(self, alias: str) -> IndexListing:
        # An alias of the users' own may be on other indices, too, which are not written to.
        name = self.index if alias == self._alias else alias
        return IndexListing(self._cluster, name, self._source_field, self._pillow_name)


class SeveralTransport(RoutingTransport):
    """Takes documents to several indices, which are made as documents ask for them."""

    def __init__(
        self,
        endpoint: Endpoint,
        target: Any,
        pillow_name: str,
        *,
        target_for: TargetFor,
        **more: Any,
    ) -> None:
        super().__init__(endpoint, target, pillow_name, **more)
        self._target_for = target_for
        self._several = self._keeper = SeveralKeeper(self._cluster, target, self._source_field)
        self.holdings = self._listing(self._alias)
        self._names: set[str] = set()

    def _place(self, change: Change, document: Document | None) -> Place:
        answer: Any = self._target_for(change)
        if not (isinstance(answer, tuple) and len(answer) == 2):  # noqa: PLR2004
            raise TypeError(
                f"target_for must return the name of an index and a routing (or None), not "
                f"{answer!r}"
            )
        index, routing = answer
        if not isinstance(routing, (str, type(None))):
            raise TypeError(f"the routing that target_for returns must be text, not {routing!r}")
        if index not in self._names:
            self._demand_name(index)
            self._names.add(index)
        return Place(index, self._routing_of(document) if routing is None else routing)

    def _demand_name(self, index: str) -> None:
        try:
            naming.demand_name("what target_for returns", index)
        except ConfigurationError as error:
            raise DocumentRefused(str(error)) from None
        if index == self.index:
            raise ConfigurationError(
                f"target_for returns {index!r}, which is es_index: that is the alias by which all "
                "indices are read, so each needs a name of its own"
            )

    def _written_to(self, place: Place) -> Place:
        return Place(naming.own_alias(place.index), place.routing)

    def _body(self, items: Sequence[Item]) -> bytes:
        """Deletions name indices rather than aliases, as they are found: each has its guard."""
        indices = {item.place.index for item in items if item.deletion}
        lines = [item.payload for item in items]
        return b"\n".join([*lines, *map(bulk.guard, sorted(indices)), b""])

    def _written(self, items: Sequence[Item], alias: str) -> list[Outcome]:
        for index in sorted({item.place.index for item in items if not item.deletion}):
            self._several.make(index)
        try:
            return super()._written(items, alias)
        except TargetUnusable as error:
            if error.cause_type != NO_SUCH_INDEX:
                raise
            self._several.forget()
            raise ServerBusy(
                f"an index behind {self.index!r} was removed meanwhile; what is for it is written "
                "to a new one"
            ) from error

    def _listing(self, alias: str) -> IndexListing:
        return SeveralListing(self._cluster, alias, self._source_field, self._pillow_name)


def _copies(
    written: Sequence[PlacedItem], listing: IndexListing
) -> Iterator[tuple[PlacedItem, Held]]:
    """What is held of documents, each with the last write of its document."""
    by_database: dict[str, dict[str, PlacedItem]] = {}
    for item in written:
        if item.database is None:
            yield from ((item, held) for held in listing.called(item.id))
            continue
        latest = by_database.setdefault(item.database, {})
        if item.doc_id not in latest or latest[item.doc_id].version < item.version:
            latest[item.doc_id] = item
    for database, latest in by_database.items():
        doc_ids = list(latest)
        for start in range(0, len(doc_ids), LISTED_DOCUMENTS):
            for held in listing.of(database, doc_ids[start : start + LISTED_DOCUMENTS]):
                yield latest[held.doc_id], held


def _is_in_place(item: PlacedItem, held: Held) -> bool:
    return not item.deletion and (held.target_id, held.place) == (item.id, item.place)


def _is_written(item: PlacedItem, held: Held) -> bool:
    """Whether what is held is what an item has written."""
    return _is_in_place(item, held) and held.version == item.version


def _losers(item: PlacedItem, held: Held, *, is_placed: bool) -> Iterator[tuple[Held, int]]:
    """What has to go, and under which version, given that a copy of an item's document is held."""
    if _is_in_place(item, held):
        return
    if not item.version or held.version < item.version:
        yield held, item.version
    elif held.version > item.version and is_placed:
        # Written late, by a life that has been outlived: no version there has kept it out.
        yield Held(item.doc_id, item.id, item.version, place=item.place), held.version


def _demand_all_seen(found: Sequence[tuple[PlacedItem, Held]]) -> None:
    """Raise where there may be more than was found, or what a later life has written."""
    counts = Counter(held.doc_id for _item, held in found)
    for doc_id, count in counts.most_common(1):
        if count >= LISTED_DOCUMENTS:
            raise ServerBusy(f"{doc_id!r} stands in {count} places or more: they are removed")
    for item, held in found:
        if item.version and token_of(held.version) > token_of(item.version):
            raise WrittenByLaterLife(token_of(held.version))
