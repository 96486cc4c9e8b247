"""What the reply to a bulk asks for: no item is taken for written that was not said to be.

The tables below are the specification; the first row that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from pillowtop.engine.items import DELIVERED, Item, Outcome, Verdict
from pillowtop.engine.versions import token_of
from pillowtop.exceptions import (
    AccessDenied,
    PillowtopError,
    ServerBusy,
    TargetUnusable,
    WrittenByLaterLife,
)

MAX_REASON = 1000
MANY_ITEMS = 10
"""From how many items on a reason that all share is the index's, not theirs."""

TOO_LARGE = "content_too_large"


class Cause(msgspec.Struct):
    """An error of Elasticsearch's. The useful part often stands in `caused_by`."""

    type: str = ""
    reason: Any = None
    caused_by: Cause | None = None

    @property
    def text(self) -> str:
        """The reasons from the outermost to the innermost, each said once."""
        parts: list[str] = []
        cause: Cause | None = self
        while cause is not None:
            reason = str(cause.reason or "")
            if reason and not any(reason in part for part in parts):
                parts.append(reason)
            cause = cause.caused_by
        return "; caused by: ".join(parts)[:MAX_REASON]


class Answer(msgspec.Struct, rename={"id": "_id"}, gc=False):
    """What Elasticsearch says of one item."""

    id: str = ""
    status: int = 0
    result: str = ""
    error: Cause | str | None = None


class Entry(msgspec.Struct, gc=False):
    """One item of a reply; an `update` is our guard, and nobody waits for what is said of it."""

    index: Answer | None = None
    delete: Answer | None = None


class Reply(msgspec.Struct):
    items: list[Entry] = []
    error: Cause | str | None = None


class BatchRefused(PillowtopError):
    """The request was refused as a whole for what it carries: smaller ones find the culprit."""

    def __init__(self, error_type: str, reason: str) -> None:
        super().__init__(f"{error_type}: {reason}")
        self.error_type = error_type
        self.reason = reason

    def outcome(self, item: Item) -> Outcome:
        """The outcome of an item that was refused when it was alone in its request."""
        return Outcome(item, Verdict.REJECTED, self.error_type, self.reason)


class Step(Enum):
    """What a row of the tables asks for."""

    DELIVERED = "delivered"
    AGAIN = "again"
    REJECTED = "rejected"
    HALVE = "one item spoils all: in halves, to find it"
    SHRINK = "too large: in halves"
    TARGET = "it is the index, not the documents"
    ACCESS = "credentials or rights"


class Said(NamedTuple):
    """What a server said of an item or a request, as the tables look at it."""

    status: int
    error: Cause
    result: str = ""
    versioned: bool = False


class Row(NamedTuple):
    """Fits where everything that it names fits: statuses, error types, how the reason starts."""

    step: Step
    statuses: Sequence[int] = range(1000)
    types: frozenset[str] = frozenset()
    reason: str = ""
    result: str = ""
    versioned: bool = False

    def fits(self, said: Said) -> bool:
        return (
            said.status in self.statuses
            and (not self.types or said.error.type in self.types)
            and (not self.reason or re.match(self.reason, str(said.error.reason)) is not None)
            and self.result in ("", said.result)
            and (said.versioned or not self.versioned)
        )


WRITTEN = frozenset({200, 201})
CLIENT_ERRORS = range(400, 500)

# A block is the server protecting itself (disk watermark, read-only): it will be lifted.
BLOCKED = frozenset({"cluster_block_exception"})
BUSY = frozenset(
    {
        "es_rejected_execution_exception",
        "rejected_execution_exception",
        "circuit_breaking_exception",
        "unavailable_shards_exception",
    }
)
INDEX = frozenset(
    {
        "index_not_found_exception",
        "index_closed_exception",
        "invalid_index_name_exception",
        "invalid_alias_name_exception",
    }
)
ARGUMENT = frozenset({"illegal_argument_exception"})
SECURITY = frozenset({"security_exception"})
CONFLICT = frozenset({"version_conflict_engine_exception"})

# Reasons are looked at from their start only: further in they quote documents.
ABOUT_THE_TARGET = (
    Row(Step.TARGET, CLIENT_ERRORS, INDEX),
    Row(Step.TARGET, [400], ARGUMENT, r"no write index is defined"),
    Row(Step.TARGET, [400], ARGUMENT, r"pipeline with id \[.*\] does not exist"),
)

ITEM_TABLE = (
    Row(Step.DELIVERED, [404], result="not_found"),
    Row(Step.AGAIN, CLIENT_ERRORS, BLOCKED | BUSY),
    *ABOUT_THE_TARGET,
    Row(Step.ACCESS, [401, 403], SECURITY),
    Row(Step.DELIVERED, [409], CONFLICT, versioned=True),
    Row(Step.AGAIN, [409], CONFLICT),
    Row(Step.AGAIN, [408, 429]),
    Row(Step.REJECTED, CLIENT_ERRORS),
    Row(Step.AGAIN),
)
"""For items. Under external versions a conflict says that something newer is there already.

Without a version of ours two writes have met, which passes. Any other conflict makes a dead letter,
which is tried again with the document read afresh.
"""

REQUEST_TABLE = (
    Row(Step.AGAIN, CLIENT_ERRORS, BLOCKED | BUSY),
    Row(Step.ACCESS, [401, 403]),
    Row(Step.SHRINK, [413]),
    Row(Step.AGAIN, [408, 425, 429]),
    *ABOUT_THE_TARGET,
    Row(Step.TARGET, [400], ARGUMENT, r"request \[.*\] contains unrecognized parameter"),
    Row(Step.HALVE, [400]),
    Row(Step.TARGET, CLIENT_ERRORS),
    Row(Step.AGAIN),
)
"""For whole requests. Only an error of Elasticsearch's own may blame documents or the index."""

_decode = msgspec.json.Decoder(Reply).decode


def read_reply(status: int, body: bytes, items: Sequence[Item], target: str) -> list[Outcome]:
    """What became of each of the items; `target` names the alias that they were sent to.

    Raises `ServerBusy` (all of it again), `AccessDenied` or `TargetUnusable` (the pillow stops),
    `BatchRefused` (in halves).
    """
    reply = _decoded(body)
    if status != HTTPStatus.OK:
        raise _request_error(status, reply, target)
    if reply is None:
        raise ServerBusy(f"what answered for {target!r} is not the reply to a bulk: {body[:80]!r}")
    if not reply.items and reply.error is not None:
        raise ServerBusy(f"the bulk was answered with an error: {as_cause(reply.error).text}")
    answers = _answers(reply, items)
    outcomes = [
        Outcome(item, DELIVERED)
        if answer is not None and answer.status in WRITTEN and answer.error is None
        else _judged(item, answer, target)
        for item, answer in zip(items, answers, strict=True)
    ]
    blame_the_target(outcomes, target)
    return outcomes


class AllRefused(TargetUnusable):
    """A target refuses many items, and all of them, for one reason: these are the `outcomes`."""

    def __init__(self, words: str, outcomes: Sequence[Outcome]) -> None:
        super().__init__(words)
        self.outcomes = outcomes


def blame_the_target(outcomes: Sequence[Outcome], target: str) -> None:
    """Raise `AllRefused` where many items, and all of them, are rejected for one reason."""
    if len(outcomes) < MANY_ITEMS or outcomes[0].verdict is not Verdict.REJECTED:
        return
    kinds = {(outcome.error_type, _general(outcome)) for outcome in outcomes}
    first = outcomes[0]
    if len(kinds) == 1 and first.error_type not in ("", TOO_LARGE):
        raise AllRefused(
            f"{target!r} refuses every document for one reason, {first.error_type}: "
            f"{first.reason} (correct the mapping or the transform, then start the pillow again)",
            outcomes,
        )


def as_cause(error: Cause | str | None) -> Cause:
    """An error in one shape: some servers and proxies send a mere string."""
    if isinstance(error, Cause):
        return error
    return Cause(reason=error)


def _decoded(body: bytes) -> Reply | None:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _answers(reply: Reply, items: Sequence[Item]) -> list[Answer | None]:
    """The answers in the order of the items: None where there is none that can be trusted."""
    entries = [entry for entry in reply.items if entry.index or entry.delete]
    in_order = [
        entry.delete if item.deletion else entry.index
        for entry, item in zip(entries, items, strict=False)
    ]
    if [answer and answer.id for answer in in_order] == [item.id for item in items]:
        return in_order
    by_id: dict[tuple[bool, str], Answer | None] = {}
    for entry in entries:
        for deletion, answer in ((False, entry.index), (True, entry.delete)):
            if answer:
                key = deletion, answer.id
                by_id[key] = None if key in by_id else answer
    return [by_id.get((item.deletion, item.id)) for item in items]


def _judged(item: Item, answer: Answer | None, target: str) -> Outcome:
    if answer is None:
        reason = "the reply says nothing of this document"
        return Outcome(item, Verdict.AGAIN, "missing_from_reply", reason)
    error = as_cause(answer.error)
    # Nothing is found by deletions alone, and without anything being wrong.
    result = answer.result if item.deletion and answer.error is None else ""
    said = Said(answer.status, error, result, versioned=item.version > 0)
    step = _look_up(ITEM_TABLE, said)
    if step is Step.DELIVERED:
        _demand_our_life(item, error)
        return Outcome(item, Verdict.DELIVERED)
    if step in (Step.TARGET, Step.ACCESS):
        raise _halted(step, said, target)
    verdict = Verdict.AGAIN if step is Step.AGAIN else Verdict.REJECTED
    reason = error.text or f"answered with status {answer.status} and no reason"
    return Outcome(item, verdict, error.type or f"status_{answer.status}", reason)


_CURRENT_VERSION = re.compile(r".*current version \[([0-9]{1,19})\]", re.DOTALL)


def _demand_our_life(item: Item, error: Cause) -> None:
    """Raise `WrittenByLaterLife` where what is newer there is of a token above the item's."""
    current = _CURRENT_VERSION.match(str(error.reason))
    if current and token_of(int(current[1])) > token_of(item.version):
        raise WrittenByLaterLife(token_of(int(current[1])))


def _request_error(status: int, reply: Reply | None, target: str) -> PillowtopError:
    said = Said(status, as_cause(reply.error if reply else None))
    step = _look_up(REQUEST_TABLE, said)
    if step is Step.SHRINK:
        return BatchRefused(TOO_LARGE, "the document is over the server's http.max_content_length")
    if not said.error.type and step is not Step.ACCESS:
        step = Step.AGAIN
    if step is Step.HALVE:
        return BatchRefused(said.error.type, said.error.text)
    if step is Step.AGAIN:
        return ServerBusy(f"the bulk to {target!r} was answered with {_summary(said)}")
    return _halted(step, said, target)


def _look_up(table: Sequence[Row], said: Said) -> Step:
    return next(row.step for row in table if row.fits(said))


def _halted(step: Step, said: Said, target: str) -> AccessDenied | TargetUnusable:
    if step is Step.ACCESS:
        return AccessDenied(
            f"the server refuses to let us write to {target!r}: {_summary(said)} (correct the "
            "credentials, or give the user the privileges write and view_index_metadata)"
        )
    return TargetUnusable(
        f"{target!r} cannot be written to: {_summary(said)} (put index and alias right, or remove "
        "both to have them made anew, then start the pillow again)",
        status=said.status,
        cause_type=said.error.type,
    )


def _summary(said: Said) -> str:
    if said.error.type or said.error.reason:
        return f"status {said.status}, {said.error.type}: {said.error.text}"
    return f"status {said.status} and no error of the search server's"


_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


def _general(outcome: Outcome) -> str:
    """The reason without what differs between documents: quoted values, numbers, ids."""
    return _VALUES.sub("…", outcome.reason.replace(outcome.item.id, "…"))
