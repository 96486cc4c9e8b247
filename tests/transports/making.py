"""Changes, and the items that a transport makes of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pillowtop.changes import Change
from pillowtop.engine.items import Item, Outcome, Verdict
from pillowtop.transports.network import NetworkTransport


def change_of(doc: bytes | None, doc_id: str = "a", rev: str = "1-x", **fields: Any) -> Change:
    """The change of a row that has this document, as bytes."""
    row = json.dumps({"id": doc_id, "seq": "1-s", "changes": [{"rev": rev}], **fields}).encode()
    if doc is not None:
        row = row[:-1] + b',"doc":' + doc + b"}"
    return msgspec.json.decode(row, type=Change)


def change(number: int, padding: int = 0) -> Change:
    doc_id = f"doc{number:06}"
    fields = {"_id": doc_id, "_rev": "1-x", "n": number, "text": "y" * padding}
    return change_of(json.dumps(fields, separators=(",", ":")).encode(), doc_id)


def items(transport: NetworkTransport, count: int, padding: int = 0) -> list[Item]:
    return [transport.pack_bytes(change(number, padding), number) for number in range(count)]


def of(outcomes: list[Outcome], verdict: Verdict) -> list[Item]:
    return [outcome.item for outcome in outcomes if outcome.verdict is verdict]


def numbers(lines: list[Any]) -> list[int]:
    return [line["n"] for line in lines]
