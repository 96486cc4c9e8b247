"""A change: one row of a `_changes` feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

Seq = Any
"""A position in a feed: opaque JSON, usually a string. Never parsed, compared or sorted."""

Document = dict[str, Any]

METADATA = frozenset(
    {
        "_id",
        "_deleted",
        "_attachments",
        "_conflicts",
        "_deleted_conflicts",
        "_revisions",
        "_revs_info",
        "_local_seq",
    }
)
"""What CouchDB adds to a document, but `_rev`."""

DESIGN = "_design/"
"""How the ids of design documents begin."""

NO_DOCUMENT = msgspec.Raw(b"")


class Revision(msgspec.Struct, gc=False):
    rev: str


class Change(
    msgspec.Struct,
    eq=False,
    gc=False,  # they come by the thousand and hold no cycles
    # The last two fields are ours: no row can set them, as no row has such keys.
    rename={"database": "~database", "decoded": "~decoded"},
):
    """One row of a feed, decoded as far as it is needed and readable as the dict it was.

    `doc` is the document's JSON as the server sent it (empty without `include_docs`); `document`
    decodes it, once, and `decoded` is what it has decoded. `database` names the database it comes
    from.

        change.id, change["id"]; change.rev; change.deleted; change.get("doc"); dict(change)

    Source: https://docs.couchdb.org/en/stable/api/database/changes.html
    """

    id: str
    seq: Seq = None
    changes: list[Revision] = []
    deleted: bool = False
    doc: msgspec.Raw = NO_DOCUMENT
    database: str = ""
    decoded: Document | None = None

    @property
    def rev(self) -> str:
        """The winning revision, or an empty string where the row named none."""
        return self.changes[0].rev if self.changes else ""

    @property
    def is_of_design(self) -> bool:
        """Whether it is about a design document."""
        return self.id.startswith(DESIGN)

    @property
    def has_document(self) -> bool:
        """Whether the feed carried the document (CouchDB sends `null` where it could not)."""
        return len(memoryview(self.doc)) > len(b"null")

    @property
    def document(self) -> Document | None:
        """The document as a dict, the same one at each call; None where the feed carried none."""
        if self.decoded is None and self.has_document:
            self.decoded = msgspec.json.decode(self.doc)
        return self.decoded

    def copy(self) -> Change:
        """The same change, whose document is decoded anew."""
        return Change(self.id, self.seq, self.changes, self.deleted, self.doc, self.database)

    def forget_decoded(self) -> None:
        """Have `document` decode anew: a hook that failed may have changed what it was given."""
        if self.has_document:
            self.decoded = None

    def __getitem__(self, key: str) -> Any:
        try:
            return self._read(key)
        except LookupError:
            raise KeyError(key) from None

    def get(self, key: str, default: Any = None) -> Any:
        return self._read(key) if key in self.keys() else default

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def keys(self) -> list[str]:
        """The keys that the row had."""
        keys = ["seq", "id", "changes"]
        if self.deleted:
            keys.append("deleted")
        if self.has_document:
            keys.append("doc")
        return keys

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def _read(self, key: str) -> Any:
        if key not in self.keys():
            raise LookupError(key)
        if key == "doc":
            return self.document
        if key == "changes":
            return [{"rev": revision.rev} for revision in self.changes]
        return getattr(self, key)
