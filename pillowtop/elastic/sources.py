"""The body that is indexed: a document without CouchDB's metadata, and with where it is from."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pillowtop.changes import METADATA, Change

_encode = msgspec.json.Encoder().encode
_join = b"".join
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

# An underscore that follows a quote. Written this way round the search is a memchr for the
# underscore, which is three times as fast as looking for the two characters. (And `find` is twice
# as fast as `in`.)
_underscore_after_quote = re.compile(rb'_(?<="_)').search


class Sources:
    """Makes the sources of one pillow's documents.

    Each carries `{source_field: {"id", "rev", "database", "pillow"}}`, in place of any field of
    that name that the document had.
    """

    def __init__(
        self, pillow_name: str, source_field: str = "pillowtop", *, keep_attachments: bool = False
    ) -> None:
        self._pillow_name = pillow_name
        self._field = source_field
        # `_id` too, which Elasticsearch refuses inside a document.
        self._dropped = METADATA - {"_attachments"} if keep_attachments else METADATA
        key = _encode(source_field)
        # Quotes are everywhere in JSON, and slow down the search for it.
        self._bare_key = key.strip(b'"')
        self._head = b"," + key + b':{"id":'
        self._tails: tuple[str, bytes] = ("", self._tail_for(""))

    def from_bytes(self, change: Change, encoded_id: bytes, before: bytes = b"") -> bytes:
        """The source of `change.doc`, byte for byte what CouchDB sent wherever that is possible.

        `encoded_id` is the change's id as JSON. `before` is put before the source, so that both
        are copied once. No number passes through Python's.
        """
        raw = bytes(change.doc)
        rev = _encode(change.changes[0].rev if change.changes else "")
        prefix = _join((b'{"_id":', encoded_id, b',"_rev":', rev))
        behind = len(prefix)
        if (
            not raw.startswith(prefix)
            or raw.find(b"\n") >= 0
            # Whether a name may begin with an underscore: to be looked into only then.
            or (raw.find(b"_", behind) >= 0 and _underscore_after_quote(raw, behind))
            or raw.find(self._bare_key, behind) >= 0
        ):
            return before + self._from_fields(change, raw)
        known, tail = self._tails
        if known != change.database:
            tail = self._tail(change.database)
        return _join(
            (before, b'{"_rev":', rev, self._head, encoded_id, b',"rev":', rev, tail, raw[behind:])
        )

    def from_document(self, change: Change, document: Any) -> bytes:
        """The source of what the hooks made of a document, which is left as it is.

        Raises `TypeError` or `ValueError` where that is not a dict, or is not JSON.
        """
        return self.from_dict(document, change.id, change.rev, change.database)

    def from_dict(self, document: Any, id: str, rev: str, database: str) -> bytes:  # noqa: A002
        """The same for a document whose origin is given in words."""
        if not isinstance(document, dict):
            raise TypeError(
                "a transform must return a dict (one document becomes one index document) "
                f"or None, not {_article(type(document).__name__)}"
            )
        kept = {key: value for key, value in document.items() if key not in self._dropped}
        kept[self._field] = self._origin(id, rev, database)
        return _encode(kept)

    def _from_fields(self, change: Change, raw: bytes) -> bytes:
        """Decodes the top level only: the fields' values stay the bytes they were."""
        if b"\n" in raw:  # as a bulk's lines must not break
            raw = msgspec.json.format(raw, indent=-1)
        kept: dict[str, Any] = {
            key: value for key, value in _fields_of(raw).items() if key not in self._dropped
        }
        kept[self._field] = self._origin(change.id, change.rev, change.database)
        return _encode(kept)

    def _origin(self, id: str, rev: str, database: str) -> dict[str, str]:  # noqa: A002
        return {"id": id, "rev": rev, "database": database, "pillow": self._pillow_name}

    def _tail(self, database: str) -> bytes:
        """The rest of the source field; the last one is kept, as databases come in runs."""
        tail = self._tail_for(database)
        self._tails = (database, tail)
        return tail

    def _tail_for(self, database: str) -> bytes:
        pillow = _encode(self._pillow_name)
        return b',"database":' + _encode(database) + b',"pillow":' + pillow + b"}"


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
