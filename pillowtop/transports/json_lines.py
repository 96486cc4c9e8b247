"""Documents as lines of JSON: what Logstash's codec `json_lines` reads.

One object a line, in UTF-8; "\\n" ends a line and stands nowhere else. Each has `_id` and `_rev`,
which say what it is a state of; of CouchDB's other metadata only a deletion's `_deleted`.

Source: https://www.elastic.co/guide/en/logstash/current/plugins-codecs-json_lines.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from pillowtop.changes import METADATA, Change

_encode = msgspec.json.Encoder().encode
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def from_bytes(change: Change) -> bytes:
    """The line of `change.doc`: the bytes that CouchDB sent, wherever that is possible."""
    raw = bytes(change.doc)
    start = b'{"_id":%b,"_rev":%b' % (_encode(change.id), _encode(change.rev))
    is_plain = raw.startswith(start) and raw.find(b'"_', len(start)) < 0 and raw.find(b"\n") < 0
    if is_plain:
        return raw + b"\n"
    if b"\n" in raw:  # then the values below may hold it, too
        raw = msgspec.json.format(raw, indent=-1)
    return from_document(_fields_of(raw), change.id, change.rev)


def from_document(document: Any, doc_id: str, rev: str) -> bytes:
    """The line of what the hooks made of a document, which is left as it is.

    Raises `TypeError` or `ValueError` where that is not a dict, or is not JSON.
    """
    if not isinstance(document, dict):
        raise TypeError(
            "a transform must return a dict (one document becomes one line) or None, "
            f"not {type(document).__name__}"
        )
    fields = {key: value for key, value in document.items() if key not in METADATA}
    return _line(doc_id, rev, fields)


def deletion(change: Change) -> bytes:
    """The line that says that a document is gone."""
    return _line(change.id, change.rev, {"_deleted": True})


def _line(doc_id: str, rev: str, fields: dict[str, Any]) -> bytes:
    known = {"_id": doc_id, "_rev": rev} if rev else {"_id": doc_id}
    return _encode(known | fields | known) + b"\n"
