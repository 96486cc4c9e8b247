"""What a bulk request is made of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pillowtop.engine.items import Item, Outcome, Place, Verdict

MAX_ID_BYTES = 512
MAX_BYTES_OF_A_CHARACTER = 4

QUERY = (
    "require_alias=true"
    "&filter_path=errors,error,status,items.*._id,items.*.status,items.*.result,items.*.error"
)
"""Nothing may create an index by accident; and the reply is asked for small."""

GUARD = b'{"update":{"_id":"pillowtop"}}\n{"doc":{}}'
"""Goes with deletions that are among themselves. `require_alias` does not hold for them, and one
with an external version does create an index; but beside any other action that wants an alias none
is created. This one never writes: the document is missing, or the update changes nothing."""

EXTERNAL = b',"version_type":"external_gte"}}\n'
"""How the line ends that has a version of ours."""

_encode = msgspec.json.Encoder().encode
_join = b"".join
encode_id = _encode


def guard(index: str) -> bytes:
    """The same for deletions that name an index of their own."""
    return b'{"update":{"_index":%b,"_id":"pillowtop"}}\n{"doc":{}}' % _encode(index)


def index_line(encoded_id: bytes, version: int | None, place: Place | None = None) -> bytes:
    """The line before a source, with its newline.

    `encoded_id` is the document's id in the index, as JSON; `place` names an index and a routing
    where they are not those of all.
    """
    if version is not None and place is None:  # the way of nearly all documents, made short
        # Faster than `%b` and `%d`.
        return _join((b'{"index":{"_id":', encoded_id, b',"version":', _encode(version), EXTERNAL))
    return b'{"index":{"_id":%b%b}}\n' % (encoded_id, _details(version, place))


def delete_line(encoded_id: bytes, version: int | None, place: Place | None = None) -> bytes:
    """The line that deletes a document, without its newline: `body` puts them in."""
    return b'{"delete":{"_id":%b%b}}' % (encoded_id, _details(version, place))


def _details(version: int | None, place: Place | None) -> bytes:
    """Version and place. Without a version Elasticsearch counts on from the one it has."""
    details = b""
    if version is not None:
        details = b',"version":%d,"version_type":"external_gte"' % version
    if place is not None and place.index:
        details += b',"_index":' + _encode(place.index)
    if place is not None and place.routing:
        details += b',"routing":' + _encode(place.routing)
    return details


def body(items: Sequence[Item]) -> bytes:
    lines = [item.payload for item in items]
    if all(item.deletion for item in items):
        lines.append(GUARD)
    lines.append(b"")  # the last line is to end with a newline, too
    return b"\n".join(lines)


def unsendable(item: Item) -> Outcome | None:
    """The outcome of an item whose id Elasticsearch takes in no request; None where it does.

    One such id would have the whole bulk refused.
    """
    if 0 < len(item.id) <= MAX_ID_BYTES // MAX_BYTES_OF_A_CHARACTER:
        return None
    size = len(item.id.encode("utf-8", "surrogatepass"))
    if 0 < size <= MAX_ID_BYTES:
        return None
    reason = (
        f"the id has {size:,} bytes of UTF-8; Elasticsearch takes {MAX_ID_BYTES}"
        if size
        else "the id is empty"
    )
    return Outcome(item, Verdict.REJECTED, "invalid_id", reason)


def halves(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    middle = len(items) // 2
    return items[:middle], items[middle:]
