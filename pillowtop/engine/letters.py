"""What is written down of a document that could not be delivered."""

from __future__ import annotations

import hashlib
import traceback
from typing import Literal

import msgspec

from pillowtop.changes import Change, Seq
from pillowtop.engine.items import Outcome
from pillowtop.feeds.reading import Unreadable

OnError = Literal["letter", "halt", "ignore"]
ON_ERROR: tuple[OnError, ...] = ("letter", "halt", "ignore")
"""What becomes of a document that fails: a dead letter, a stop of the pillow, or nothing."""

STAGES = ("feed", "filter", "trigger", "transform", "pack", "transport")
"""Where a document can fail, on its way."""

MAX_REASON = 4000
MAX_TRACEBACK = 20000


class Letter(msgspec.Struct, frozen=True):
    """A dead letter: which write, at which stage it failed, and why.

    `stage` is one of feed, filter, trigger, transform, pack, transport.
    """

    doc_id: str
    rev: str
    seq: Seq | None
    deletion: bool
    stage: str
    error_type: str
    reason: str
    traceback: str = ""

    @property
    def id_hash(self) -> str:
        return hash_id(self.doc_id)


def hash_id(doc_id: str) -> str:
    """SHA-256 in hex: ids may be 4,000 characters long and hold what a database refuses."""
    return hashlib.sha256(doc_id.encode("utf-8", "surrogatepass")).hexdigest()


def from_error(change: Change, stage: str, error: BaseException, reason: str) -> Letter:
    """The letter of a change whose hook raised."""
    text = "".join(traceback.format_exception(error))
    return Letter(
        doc_id=change.id,
        rev=change.rev,
        seq=change.seq,
        deletion=change.deleted,
        stage=stage,
        error_type=type(error).__name__,
        reason=reason[:MAX_REASON],
        traceback=text[-MAX_TRACEBACK:],
    )


def from_outcome(outcome: Outcome) -> Letter:
    """The letter of an item that the target rejected."""
    item = outcome.item
    return Letter(
        doc_id=item.doc_id,
        rev=item.rev,
        seq=item.seq,
        deletion=item.deletion,
        stage="transport",
        error_type=outcome.error_type,
        reason=outcome.reason[:MAX_REASON],
        traceback=outcome.traceback[-MAX_TRACEBACK:],
    )


def from_unreadable(line: Unreadable) -> Letter:
    """The letter of a line that is no change; its digest stands for the id it does not have."""
    beginning = line.line[:500].decode("utf-8", "replace")
    return Letter(
        doc_id=f"sha256:{line.digest}",
        rev="",
        seq=None,
        deletion=False,
        stage="feed",
        error_type="UnreadableLine",
        reason=f"{line.cause}; it begins: {beginning}",
    )
