"""What developers subclass.

    class OrderPillow(AliasedElasticPillow):
        couch_db = "orders"
        es_alias = "orders"

A pillow knows neither greenlets nor checkpoints: it says where changes come from, what to make
of them and where they go. The worker does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from pillowtop.changes import Change, Document
from pillowtop.conf import configuration
from pillowtop.endpoints import Address, Endpoint
from pillowtop.engine.letters import OnError
from pillowtop.engine.moves import OnChangedMapping, build_name
from pillowtop.engine.resuming import OnRecreated
from pillowtop.engine.way import HookError, Way
from pillowtop.exceptions import ConfigurationError, DocumentMissing, DocumentRefused
from pillowtop.feeds.couch import CouchFeed
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.transports import json_lines
from pillowtop.transports.hooks import HookTransport
from pillowtop.transports.sql import SQLTransport

if TYPE_CHECKING:
    from pillowtop.elastic.transport import ElasticTransport, Target
    from pillowtop.engine.items import Transport
    from pillowtop.feeds.reading import Feed
    from pillowtop.transports.network import NetworkTransport

MAX_PORT = 65535
HOST_NAME = re.compile(r"[\w.-]+|[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*:[\w:.%]*")
"""A name, an IPv4 or an IPv6 address: none with a scheme, a port or a path."""


DATABASE_NAME = re.compile(r"_?[a-z][a-z0-9_$()+/-]*")
"""Source: https://docs.couchdb.org/en/stable/api/database/common.html#put--db"""


class BasicPillow:
    """Follows one CouchDB database and hands each change to its hooks.

    Override `change_transport`, and of the other hooks what you need. A hook that raises a
    `TransientError` (or a connection error) has the change tried again; any other error makes it
    a dead letter, and the rest goes on.
    """

    name: str = ""
    """Names checkpoint, letters and lease; the class's name by default."""

    couch_db: Any = None
    """A name below `COUCHDB_URL`, a URL, or a couchdbkit `Database`."""

    couch_filter: str | None = None
    """A filter of a design document (`design/name`), or one of CouchDB's (`_selector`, …)."""

    extra_args: Mapping[str, Any] = {}
    """The parameters of `couch_filter`."""

    include_docs = True
    """Whether the feed carries the documents; otherwise they are loaded, newest revision."""

    include_design_docs = False
    document_class: Any = None
    """A jsonobject or couchdbkit class that wraps documents for the hooks."""

    selection_is_stable = False
    """True promises that what is refused now was never accepted before: nothing to delete."""

    on_recreated: OnRecreated = "halt"
    """What to do when the database was deleted and made again: `halt` or `resync`."""

    on_error: OnError = "letter"
    """What becomes of a document that fails: `letter`, or `halt` for the pillow, or `ignore`."""

    _every_seq = False

    def __init__(self) -> None:
        self.name = self.name or type(self).__name__

    # The hooks.

    def filter(self, change: Change) -> bool:
        """Whether the pillow takes this change. Not asked about deletions."""
        return True

    def change_trigger(self, change: Change) -> Any:
        """Extract: the document of a change, or None for nothing."""
        document = change.document
        return document if document is not None else self._load(change)

    def change_transform(self, document: Any) -> Any:
        """Transform: what to deliver in place of the document, or None for nothing."""
        return document

    def change_transport(self, document: Any) -> None:
        """Load: save the document where it belongs. The one hook that must be implemented."""
        raise ConfigurationError(
            f"{self.name}: implement change_transport(document), or inherit from a pillow that "
            "has it, such as AliasedElasticPillow"
        )

    def change_delete(self, change: Change) -> None:
        """What to do about a deletion, in place of the three hooks: nothing."""

    # What the worker asks for.

    def get_database(self) -> CouchDatabase:
        """The database of `couch_db`. Raises `ConfigurationError`."""
        server, name = self._address()
        if not DATABASE_NAME.fullmatch(name):
            raise ConfigurationError(
                f"{self.name}: couch_db names the database {name!r}, and CouchDB takes a lower "
                "case letter, then those, digits and _ $ ( ) + - /"
            )
        return CouchDatabase(server, name)

    def get_feed(self) -> Feed:
        """The feed to follow: that of the database."""
        return CouchFeed(
            self.get_database(),
            include_docs=self.include_docs,
            filter=self.couch_filter,
            filter_parameters=self.extra_args,
            silence_seconds=configuration().SILENCE_SECONDS,
            every_seq=self._every_seq,
        )

    def get_transport(self) -> Transport:
        """Where documents go: through `change_transport`, one at a time."""
        return HookTransport(self.change_transport, self.change_delete)

    def process_change(self, change: Change | Mapping[str, Any]) -> None:
        """The whole way of one change, at once: for tests and tools.

        Takes a `Change` or the dict of a feed's row. Raises what the hooks raise.
        """
        change = _as_change(change)
        way = Way(self, BasicPillow)
        document = None
        try:
            if not change.deleted and not way.refuses(change):
                document = way.document(change)
        except HookError as error:
            raise error.cause from None
        if document is not None:
            self.change_transport(document)
        elif change.deleted or way.may_stand_in_target:
            self.change_delete(change)

    def _load(self, change: Change) -> Document | None:
        loaded = self.get_database().load([change.id])[change.id]
        if loaded.deleted:
            return None
        if loaded.doc is None:
            raise DocumentMissing(
                f"document {change.id!r} is in the feed but cannot be read: {loaded.reason}"
            )
        document: Document = msgspec.json.decode(loaded.doc)
        return document

    def _address(self) -> tuple[Endpoint, str]:
        """Server and database name."""
        given = getattr(self.couch_db, "uri", self.couch_db)
        if not given or not isinstance(given, str):
            raise ConfigurationError(
                f"{self.name}: set couch_db to the name or the URL of a database"
            )
        settings = configuration()
        if "://" not in given:
            return settings.couchdb, given
        server, _, name = given.rstrip("/").rpartition("/")
        return settings.couchdb_at(server), unquote(name)


class PythonPillow:
    """A mixin that filters in Python: `class P(PythonPillow, AliasedElasticPillow)`.

    Filtering here is far faster than a filter in CouchDB, sees deletions and updates that stop
    matching, and moves the checkpoint along.
    """

    def python_filter(self, document: Any) -> bool:
        """Whether the pillow takes this document."""
        return True


class ElasticPillow(BasicPillow):
    """Keeps the index `es_index` in step with the database."""

    es_index: str = ""
    default_mapping: Mapping[str, Any] = {}
    """The index's mapping, as Elasticsearch takes it: `{"properties": {…}}`."""

    es_meta: Mapping[str, Any] = {}
    """The index's settings: `{"number_of_shards": 1, "analysis": {…}}`."""

    es_type: str = ""
    """What the original had: Elasticsearch has no types any more, so it is ignored."""

    keep_attachments = False
    """Whether `_attachments` (names, types, sizes) is indexed."""

    es_pipeline: str = ""
    """An ingest pipeline that documents go through on their way into the index."""

    es_routing: str = ""
    """The field of what is indexed whose value is its routing, with dots for objects in objects."""

    def index_id(self, change: Change) -> str:
        """The id of a change's document in the index: its own."""
        return change.id

    def target_for(self, change: Change) -> tuple[str, str | None]:
        """The index for a live document, and its routing; None leaves that to `es_routing`.

        Where it is overridden `es_index` is the alias to read all of the indices by.
        """
        return self.es_index, None

    def change_transport(self, document: Any) -> None:
        """Index one document at once, under its `_id` (the worker sends batches instead)."""
        self._elastic.write_one(document["_id"], document)

    def change_delete(self, change: Change) -> None:
        """Delete one document at once (the worker sends batches instead)."""
        self._elastic.write_one(self.index_id(change), None)

    def get_transport(self) -> Transport:
        """Bulks; documents one at a time where a subclass overrides a hook that delivers."""
        elastic = self._elastic
        if not (self._overrides("change_transport") or self._overrides("change_delete")):
            return elastic
        from pillowtop.elastic.hooks import ElasticHooks  # noqa: PLC0415

        return ElasticHooks(self.change_transport, self.change_delete, elastic)

    def get_target(self) -> Target:
        """The index to write to. Raises `ConfigurationError`."""
        from pillowtop.elastic.index import (  # noqa: PLC0415  (web processes need it not)
            FixedIndex,
            SeveralIndices,
        )

        if not self.es_index:
            raise ConfigurationError(f"{self.name}: set es_index to the name of an index")
        self._demand_declared("es_index", self.es_index)
        kind = SeveralIndices if self._overrides("target_for") else FixedIndex
        return kind(self.es_index, self.default_mapping, self.es_meta, self.es_routing)

    @cached_property
    def _elastic(self) -> ElasticTransport:
        return self._to(self.get_target())

    def _to(self, target: Target) -> ElasticTransport:
        from pillowtop.elastic import placing  # noqa: PLC0415
        from pillowtop.elastic.transport import ElasticTransport  # noqa: PLC0415

        demand_placing(self)
        demand_one_index(self)
        settings = configuration()
        kind: type[ElasticTransport] = ElasticTransport
        more: dict[str, Any] = {}
        if self.es_routing:
            kind, more = placing.RoutingTransport, {"routing": self.es_routing}
        if self._overrides("target_for"):
            kind, more = placing.SeveralTransport, {**more, "target_for": self.target_for}
        return kind(
            settings.elasticsearch,
            target,
            self.name,
            source_field=settings.SOURCE_FIELD,
            keep_attachments=self.keep_attachments,
            timeout_seconds=settings.REQUEST_SECONDS,
            index_id=self.index_id if self._overrides("index_id") else None,
            pipeline=self.es_pipeline,
            **more,
        )

    def _demand_declared(self, attribute: str, name: str) -> None:
        from pillowtop.elastic import naming  # noqa: PLC0415

        naming.demand_name(f"{self.name}: {attribute}", name)
        naming.demand_mapping(f"{self.name}: default_mapping", self.default_mapping)
        naming.demand_settings(f"{self.name}: es_meta", self.es_meta)

    def _overrides(self, hook: str) -> bool:
        return getattr(type(self), hook) is not getattr(ElasticPillow, hook)


class AliasedElasticPillow(ElasticPillow):
    """Keeps the index behind `es_alias` in step with the database.

    The index is called `<es_alias>_<8 hex digits>` of mapping, settings and `index_version`, and
    is made together with its alias where that does not exist.
    """

    es_alias: str = ""
    on_changed_mapping: OnChangedMapping = "standby"
    """What to do when the alias is on an index of another mapping: `standby`, until somebody types
    `ptop_reindex run`, or `reindex`: the worker does it by itself."""

    index_version: int | str = 1
    """Raise it when a transform changes what is indexed: it asks for a new index."""

    def get_target(self) -> Target:
        from pillowtop.elastic import naming  # noqa: PLC0415
        from pillowtop.elastic.index import AliasedIndex  # noqa: PLC0415

        if not self.es_alias:
            raise ConfigurationError(f"{self.name}: set es_alias to the name of an alias")
        self._demand_declared("es_alias", self.es_alias)
        naming.demand_version(f"{self.name}: index_version", self.index_version)
        return AliasedIndex(
            self.es_alias,
            self.default_mapping,
            self.es_meta,
            self.index_version,
            self.es_routing,
        )

    def redirect(self) -> None:
        """Write to the index that it asks for, wherever the alias is, under a name and a position
        of its own.

        What is written says that it is of the pillow: so a new index is filled while another
        process keeps the one before it in step.
        """
        from pillowtop.elastic.index import FixedIndex  # noqa: PLC0415

        index = self.get_target().index
        self._elastic = self._to(FixedIndex(index, self.default_mapping, self.es_meta))
        self.name = build_name(self.name, index)


def demand_placing(pillow: ElasticPillow) -> None:
    """Raise `ConfigurationError` where what says how documents are written cannot work."""
    for attribute in ("es_pipeline", "es_routing"):
        value = getattr(pillow, attribute)
        if not isinstance(value, str):
            raise ConfigurationError(f"{pillow.name}: {attribute} must be text, not {value!r}")
    if "" in pillow.es_routing.split(".") and pillow.es_routing:
        raise ConfigurationError(
            f"{pillow.name}: es_routing must be the name of a field, with dots for objects in "
            f"objects, not {pillow.es_routing!r}"
        )


def demand_one_index(pillow: ElasticPillow) -> None:
    """Raise `ConfigurationError` where a pillow with one index behind an alias has `target_for`."""
    is_moved = isinstance(pillow, AliasedElasticPillow)
    if is_moved and type(pillow).target_for is not ElasticPillow.target_for:
        raise ConfigurationError(
            f"{pillow.name}: target_for is for an ElasticPillow: behind the alias of an "
            "AliasedElasticPillow there is one index, which is moved as a whole (ptop_reindex)"
        )


class SQLPillow(BasicPillow):
    """Writes into the Django database, by `process_sql`: exactly once.

    A batch's rows, its dead letters and the position are written in one transaction of
    `PILLOWTOP["DATABASE"]`, all or none of them.
    """

    _every_seq = True  # a transaction may end at any row

    def process_sql(self, document: Any, delete: bool = False) -> None:
        """Write one document, or delete it: then it has `_id`, `_rev` and `_deleted` alone.

        Runs in a thread of the worker's. The one hook that must be implemented.
        """
        raise ConfigurationError(f"{self.name}: implement process_sql(document, delete=False)")

    def change_transport(self, document: Any) -> None:
        self.process_sql(document)

    def change_delete(self, change: Change) -> None:
        self.process_sql({"_id": change.id, "_rev": change.rev, "_deleted": True}, delete=True)

    def get_transport(self) -> Transport:
        """Through the hooks, in a transaction for each batch."""
        return SQLTransport(self.change_transport, self.change_delete)


class NetworkListener(BasicPillow):
    """Sends documents over a TCP connection, a line of JSON each: to Logstash, for example.

    A deletion goes as `{"_id": …, "_rev": …, "_deleted": true}`.
    """

    endpoint_host: str = ""
    endpoint_port: int = 0
    transport_type: str = "tcp"
    """`tcp`, and no other: UDP acknowledges nothing, so that losses would go unnoticed."""

    endpoint_tls = False
    """Whether to speak TLS. Certificates are always verified."""

    endpoint_ca_certs: str | None = None
    """The path of a file of certificates to trust in place of the system's."""

    def change_transport(self, document: Any) -> None:
        """Send one document at once (the worker sends batches instead)."""
        doc_id, rev = document.get("_id"), document.get("_rev", "")
        if not doc_id:
            raise DocumentRefused(f"{self.name}: a document needs its _id to be sent")
        self._network.write_one(json_lines.from_document(document, doc_id, rev))

    def change_delete(self, change: Change) -> None:
        """Send one deletion at once (the worker sends batches instead)."""
        self._network.write_one(json_lines.deletion(change))

    def get_transport(self) -> Transport:
        """Batches; documents one at a time where a subclass overrides a hook that delivers."""
        network, kind, own = self._network, type(self), NetworkListener
        if (
            kind.change_transport is own.change_transport
            and kind.change_delete is own.change_delete
        ):
            return network
        return HookTransport(
            self.change_transport, self.change_delete, network.prepare, network.identity
        )

    def get_address(self) -> Address:
        """Where to send to. Raises `ConfigurationError`."""
        host, port = self.endpoint_host, self.endpoint_port
        if self.transport_type != "tcp":
            raise ConfigurationError(
                f"{self.name}: transport_type must be 'tcp', not {self.transport_type!r} (UDP "
                "acknowledges nothing: what is lost on the way would be lost in silence)"
            )
        if not isinstance(host, str) or not HOST_NAME.fullmatch(host):
            raise ConfigurationError(
                f"{self.name}: set endpoint_host to a host's name or address alone, not {host!r}"
            )
        if type(port) is not int or not 0 < port <= MAX_PORT:
            raise ConfigurationError(
                f"{self.name}: set endpoint_port to a number from 1 to {MAX_PORT} (no text), "
                f"not {port!r}"
            )
        if not isinstance(self.endpoint_ca_certs, (str, type(None))):
            raise ConfigurationError(
                f"{self.name}: endpoint_ca_certs must be the path of a file, not "
                f"{self.endpoint_ca_certs!r}"
            )
        if self.endpoint_ca_certs and not self.endpoint_tls:
            raise ConfigurationError(
                f"{self.name}: endpoint_ca_certs is for TLS: set endpoint_tls = True, too"
            )
        return Address(host, port, tls=self.endpoint_tls, ca_certs=self.endpoint_ca_certs)

    @cached_property
    def _network(self) -> NetworkTransport:
        from pillowtop.transports.network import NetworkTransport  # noqa: PLC0415

        return NetworkTransport(self.get_address(), configuration().REQUEST_SECONDS)


def _as_change(row: Change | Mapping[str, Any]) -> Change:
    if isinstance(row, Change):
        return row
    return msgspec.json.decode(msgspec.json.encode(dict(row)), type=Change)
