"""What the tests of this room are made of."""

from __future__ import annotations

import json

import msgspec

from pillowtop.changes import Change
from pillowtop.elastic.index import AliasedIndex
from pillowtop.elastic.transport import ElasticTransport
from pillowtop.endpoints import Endpoint
from pillowtop.engine.items import Item

VERSION = 2**31


def change(doc_id="a", fields=None, *, rev="1-abc", database="orders", deleted=False):
    """A change as CouchDB sends it: compact, its metadata before its fields."""
    return change_of({"_id": doc_id, "_rev": rev, **(fields or {})}, database, deleted=deleted)


def change_of(document, database="orders", *, deleted=False):
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return change_of_bytes(document["_id"], document.get("_rev"), raw, database, deleted=deleted)


def change_of_bytes(doc_id, rev, raw, database="orders", *, deleted=False):
    changes = [] if rev is None else [{"rev": rev}]
    row = {"seq": "1-x", "id": doc_id, "changes": changes, "deleted": deleted}
    made = msgspec.json.decode(json.dumps(row).encode()[:-1] + b',"doc":' + raw + b"}", type=Change)
    made.database = database
    return made


def item(item_id="a", *, deletion=False, version=VERSION):
    return Item(item_id, item_id, version, deletion, b"", 0)


def items(count):
    return [item(f"doc-{number}") for number in range(count)]


def transport(url, target=None, **options):
    """A transport to `target`, by default an alias called `orders`."""
    options.setdefault("timeout_seconds", 10.0)
    return ElasticTransport(
        Endpoint.parse(url), target or AliasedIndex("orders"), "OrderPillow", **options
    )


def packed(to, *doc_ids, fields=None, version=VERSION):
    """Items of a transport, one a document."""
    return [to.pack_bytes(change(doc_id, fields), version) for doc_id in doc_ids]
