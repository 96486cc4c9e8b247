"""What is delivered, and what became of it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import msgspec

from pillowtop.changes import Change, Document, Seq


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where in a target a document stands: its index where there are several, and its routing."""

    index: str = ""
    routing: str = ""

    def __str__(self) -> str:
        routing = f" by the routing {self.routing!r}" if self.routing else ""
        return f"in {self.index or 'the index'}{routing}"


HERE = Place()
"""Where there is one place only."""


class Item(msgspec.Struct, eq=False, gc=False):
    """One write of one document to a target.

    `id` is the document's id in the target, `doc_id` the one in CouchDB. `payload` is what the
    transport made of it, `size` its bytes; `version` orders all writes of a pillow and stays
    the same when the write is tried again (rule 2).
    """

    id: str
    doc_id: str
    version: int
    deletion: bool
    payload: Any
    size: int
    rev: str = ""
    seq: Seq | None = None
    place: Place = HERE


class Verdict(Enum):
    DELIVERED = "delivered"
    AGAIN = "again"
    REJECTED = "rejected"


DELIVERED = Verdict.DELIVERED
"""For where it is asked for each document: in Python 3.11 an enum's attribute is a call."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one item. `error_type` and `reason` are set unless it was delivered."""

    item: Item
    verdict: Verdict
    error_type: str = ""
    reason: str = ""
    traceback: str = ""


def failed(item: Item, verdict: Verdict, error: BaseException) -> Outcome:
    """The outcome of an item on which a hook raised."""
    text = "".join(traceback.format_exception(error))
    return Outcome(item, verdict, type(error).__name__, str(error), text)


class Transport(Protocol):
    """Takes batches of items to a target.

    `pack…` make items without I/O and may raise what the document deserves; `prepare` and
    `deliver` talk to the target, raising `TransientError` (all of it again, with the same
    versions), `StandBy` or `Halted`.
    """

    batches_in_flight: int
    decodes: bool
    """Whether documents are wanted as dicts rather than as the bytes of the feed."""

    def prepare(self) -> str:
        """Make the target ready, and return what identifies it (an index UUID; may be empty)."""

    def identity(self) -> str:
        """What identifies the target now; another one means that it was made anew."""

    def pack(self, change: Change, document: Document, version: int) -> Item: ...

    def pack_bytes(self, change: Change, version: int) -> Item:
        """The same for a document that no hook has touched: from `change.doc`, undecoded."""

    def pack_deletion(self, change: Change, version: int) -> Item: ...

    def deliver(self, items: Sequence[Item]) -> list[Outcome]:
        """Deliver items (one per id) and say of each what became of it."""


@runtime_checkable
class Transactional(Transport, Protocol):
    """A transport into the Django database: rows and position move in one transaction (rule 9)."""

    def write(self, item: Item) -> None:
        """Write one item, where a transaction is open. Raises what the document deserves."""


@runtime_checkable
class Gathering(Transactional, Protocol):
    """A transactional transport that makes something of a batch as a whole, and by the clock."""

    counts: Mapping[str, int]
    """What it has to show of itself besides what is delivered: of each thing how many, over all
    times."""

    def begin(self) -> None:
        """Before the first item of a transaction. One before it may have been undone."""

    def conclude(self, *, present: bool, at: float, checked: bool) -> None:
        """Behind the last item, within the transaction.

        `present` says that the feed had nothing more behind the batch, which may be empty; `at` is
        when it was opened, in seconds of the monotonic clock: that may be long ago, where the
        database could not be asked. `checked` says that the database has refused the transaction
        when it was to be committed: what it refuses is to be found out.
        """

    def wants_turn(self) -> bool:
        """Whether there is something to do without any change. Asked now and then, where Django's
        database may be used."""


class Held(msgspec.Struct, frozen=True, gc=False):
    """A document that a target holds: its id in CouchDB, its id there, its version there, the
    revision that it was made of (empty where that is not known), and its place."""

    doc_id: str
    target_id: str
    version: int
    rev: str = ""
    place: Place = HERE


class Holdings(Protocol):
    """What a target holds of one pillow. Raises `TransientError`, `StandBy` or `Halted`."""

    def refresh(self) -> None:
        """Have all that was delivered so far be seen."""

    def page(self, database: str, after: str, upto: str = "") -> list[Held]:
        """Some thousand documents in the order of `doc_id`, behind `after`, to `upto` if given.

        All that come from one document in CouchDB come together.
        """

    def of(self, database: str, doc_ids: Sequence[str]) -> list[Held]:
        """What comes from these documents, of which there are some thousand at most."""

    def sample(self, database: str, count: int) -> list[str]:
        """Ids in CouchDB of documents drawn at random; fewer where there are fewer."""


@runtime_checkable
class Movable(Transport, Protocol):
    """A transport to an index that another one may take the place of, under an alias."""

    index: str
    """Its name."""

    lost: str
    """Why the other index is written to no more; empty where it is, or where there is none."""

    def look(self) -> None:
        """Raise `IndexElsewhere` where another index serves. Changes nothing."""

    def write_to_both(self, index: str) -> None:
        """Deliver everything to another index, too; to none where its name is empty."""


@runtime_checkable
class Listing(Transport, Protocol):
    """A transport whose target can say what it holds."""

    holdings: Holdings
    renames: bool
    """Whether a document itself says where it stands in the target: its id there, or its place."""

    def pack_removal(self, held: Held, version: int) -> Item: ...
