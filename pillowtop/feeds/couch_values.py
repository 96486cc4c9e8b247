"""What CouchDB says of databases and documents, and how seqs and ids are written. No I/O."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

import msgspec

from pillowtop.changes import NO_DOCUMENT, Seq
from pillowtop.exceptions import SequenceRefused
from pillowtop.feeds.couch_lines import ENVELOPE, words_of

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class DatabaseInfo(msgspec.Struct, frozen=True):
    """`doc_count` leaves deleted documents out; `external_bytes` is their JSON's size.

    `copies` is how many nodes have each shard: several may lag behind each other.
    """

    doc_count: int
    external_bytes: int
    update_seq: Seq
    instance_start_time: str
    copies: int = 1


class _Sizes(msgspec.Struct):
    external: Count | None = None


class _Cluster(msgspec.Struct):
    n: Annotated[int, msgspec.Meta(ge=1)] = 1


class Described(msgspec.Struct):
    """What CouchDB says of a database; others lack its name."""

    db_name: str
    doc_count: Count | None = None
    sizes: _Sizes | None = None
    update_seq: Seq = None
    instance_start_time: str | int = ""
    cluster: _Cluster | None = None

    @property
    def info(self) -> DatabaseInfo:
        sizes = self.sizes or _Sizes()
        return DatabaseInfo(
            doc_count=self.doc_count or 0,
            external_bytes=sizes.external or 0,
            update_seq=self.update_seq,
            instance_start_time=str(self.instance_start_time),
            copies=self.cluster.n if self.cluster else 1,
        )


class Behind(msgspec.Struct):
    """A short page, as far as it says how much is behind a seq."""

    results: list[msgspec.Raw]
    pending: Count | None = None


class Loaded(msgspec.Struct):
    """What `_bulk_get` said of a document: `doc` is its JSON as it was sent, if it is there.

    `reason` says why it is not: `missing` (never was, purged, or a replica behind), `deleted`,
    the server's words, or that what it sent cannot be decoded. `deleted` is true for tombstones,
    whose `doc` is None.
    """

    id: str
    rev: str = ""
    deleted: bool = False
    doc: msgspec.Raw | None = None
    reason: str = ""


class _Missing(msgspec.Struct):
    error: str = ""
    reason: str | None = None


class _Head(msgspec.Struct, rename={"rev": "_rev", "deleted": "_deleted"}):
    rev: str = ""
    deleted: bool = False


class _Found(msgspec.Struct):
    ok: msgspec.Raw = NO_DOCUMENT
    error: _Missing | None = None

    def loaded(self, doc_id: str) -> Loaded:
        if not memoryview(self.ok):
            return self._not_loaded(doc_id)
        head = _decode_head(self.ok)
        if head.deleted:
            return Loaded(doc_id, head.rev, deleted=True, reason="deleted")
        # A copy: one document that is kept must not keep the bytes of all.
        return Loaded(doc_id, head.rev, doc=self.ok.copy())

    def _not_loaded(self, doc_id: str) -> Loaded:
        error = self.error or _Missing()
        if error.error in ("", "not_found"):
            reason = error.reason or "missing"
            return Loaded(doc_id, deleted=reason == "deleted", reason=reason)
        return Loaded(doc_id, reason=words_of(error.error, error.reason))


class _Result(msgspec.Struct):
    """All leaves of a document's tree of revisions: CouchDB 3 sends those of conflicts too."""

    id: str
    docs: list[_Found] = []

    def loaded(self) -> Loaded:
        found = [one.loaded(self.id) for one in self.docs]
        return found[0] if len(found) == 1 else max(found, key=_precedence)


class BulkGot(msgspec.Struct):
    results: list[_Result]

    @classmethod
    def loaded(cls, body: bytes) -> list[Loaded]:
        """What a body says of documents. Raises one of `JSON_ERRORS`."""
        if not body.isascii():
            body.decode()
        results = msgspec.json.decode(body, type=cls).results
        return [result.loaded() for result in results if result.docs]

    @staticmethod
    def begins(body: bytes) -> bool:
        """Whether a body begins as such an answer does."""
        return ENVELOPE.match(body) is not None


class _Value(msgspec.Struct, gc=False):
    rev: str = ""
    deleted: bool = False


class ListedRow(msgspec.Struct, gc=False):
    """A row of `_all_docs`; `doc` is the document's JSON, if that was asked for."""

    key: str = ""
    id: str = ""
    error: str = ""
    value: _Value | None = None
    doc: msgspec.Raw = NO_DOCUMENT

    @property
    def is_gone(self) -> bool:
        return self.error == "not_found" or bool(self.value and self.value.deleted)

    @property
    def is_there(self) -> bool:
        return bool(self.id and not self.error and self.value and not self.value.deleted)


class AllDocs(msgspec.Struct):
    rows: list[ListedRow]


NOW = "now"
GENERATION = re.compile("[0-9]{1,18}")
HEX_DIGEST = re.compile("[0-9a-f]{32}")


def _precedence(leaf: Loaded) -> tuple[bool, bool, int, bytes]:
    """CouchDB's own choice of the winner: what lives, then the longest history, then the digest.

    A leaf that could not be read may be the winner, so it goes before all: it is asked for again.
    """
    unread = leaf.doc is None and leaf.reason not in ("missing", "deleted")
    generation, _, digest = leaf.rev.partition("-")
    length = int(generation) if GENERATION.fullmatch(generation) else 0
    # CouchDB keeps 32 hex digits as 16 bytes, and compares bytes.
    is_hex = HEX_DIGEST.fullmatch(digest)
    return (
        unread,
        leaf.doc is not None,
        length,
        bytes.fromhex(digest) if is_hex else digest.encode(),
    )


_decode_head = msgspec.json.Decoder(_Head).decode


def encode_seq(seq: Seq) -> str:
    """A seq as CouchDB takes it in `since`: strings as they are, anything else as JSON.

    Raises `SequenceRefused` for `now`, which CouchDB would take.
    """
    if seq is None:
        return "0"
    if seq == NOW:
        raise SequenceRefused(
            f"{NOW!r} is no position: what changes before it is asked for would be left out in "
            "silence. ptop_checkpoint to-head finds out what it is"
        )
    return seq if isinstance(seq, str) else msgspec.json.encode(seq).decode()


def quote_id(doc_id: str) -> str:
    """A document's id in a path; the slash of `_design/name` stays."""
    prefix, slash, name = doc_id.partition("/")
    if slash and prefix in ("_design", "_local"):
        return f"{prefix}/{quote(name, safe='')}"
    return quote(doc_id, safe="")
