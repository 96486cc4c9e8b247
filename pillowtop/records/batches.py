"""A batch of a pillow that writes to the Django database: what happens in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from django.db import IntegrityError, connections, transaction

from pillowtop.engine.items import Item, Outcome, Verdict, failed
from pillowtop.engine.letters import Letter, from_outcome
from pillowtop.engine.transience import demand_about_document, is_transient
from pillowtop.exceptions import Halted, TransientError
from pillowtop.records import letters
from pillowtop.records.database import TransactionEnded, alias, kept_whole

Write = Callable[[Item], None]


class Manner(Enum):
    """How the items of a batch are written; the first is the fastest."""

    TOGETHER = "one that fails undoes all"
    APART = "each behind a savepoint"
    CHECKED = "each behind a savepoint, with the constraints that are else looked at on commit"


def deliver(
    pillow: str,
    stream: str,
    items: Sequence[Item],
    hooked: Sequence[Letter],
    write: Write,
    admitted: Callable[[int, Sequence[Letter]], list[Letter]],
    manner: Manner,
    conclude: Callable[[], None] = lambda: None,
) -> list[Letter]:
    """Write items, keep letters, and clear those of what went through. Returns the letters.

    `admitted` is asked, with the number of items written, which letters to keep; `conclude` is
    called behind the last item. To be called within a transaction. Raises `TransientError` and
    `Halted`, what `admitted` and `conclude` raise, and `TOGETHER` anything that a hook raises:
    then all of it is to be rolled back.
    """
    if manner is Manner.TOGETHER:
        outcomes = [_written(item, write, is_final=True) for item in items]
    else:
        check = Constraints().demand if manner is Manner.CHECKED else None
        outcomes = _in_rounds(items, lambda item: _write_apart(item, write, check))
    conclude()
    refused = [one for one in outcomes if one.verdict is Verdict.REJECTED]
    delivered = [one.item.doc_id for one in outcomes if one.verdict is Verdict.DELIVERED]
    written = admitted(len(delivered), [*hooked, *map(from_outcome, refused)])
    if letters.count(pillow):
        letters.clear(pillow, stream, delivered)
    if written:
        letters.write(pillow, stream, written)
    return written


def _in_rounds(items: Sequence[Item], write: Write) -> list[Outcome]:
    """Write what failed once more behind the rest, as long as that helps.

    A row may point to one of a document that comes later in the batch.
    """
    delivered: list[Outcome] = []
    while True:
        outcomes = [_written(item, write) for item in items]
        delivered += [one for one in outcomes if one.verdict is Verdict.DELIVERED]
        refused = [one for one in outcomes if one.verdict is Verdict.REJECTED]
        if not refused or len(refused) == len(items):
            return delivered + refused
        items = [one.item for one in refused]


def _written(item: Item, write: Write, *, is_final: bool = False) -> Outcome:
    try:
        write(item)
    except BaseException as error:
        demand_about_document(error)
        if is_transient(error):
            words = f"document {item.doc_id!r}: {type(error).__name__}: {error}"
            raise TransientError(words) from error
        if is_final or isinstance(error, Halted):
            raise
        return failed(item, Verdict.REJECTED, error)
    return Outcome(item, Verdict.DELIVERED)


def _write_apart(item: Item, write: Write, check: Callable[[], None] | None) -> None:
    try:
        with transaction.atomic(using=alias()), kept_whole():
            write(item)
            if check:
                check()
    except TransactionEnded as error:
        words = f"document {item.doc_id!r}: {error}. Mend the pillow, then start run_ptop again"
        raise Halted(words) from error


class Constraints:
    """The constraints that a database looks at when a transaction is committed."""

    def __init__(self) -> None:
        self._connection = connections[alias()]
        self._known = self._violations()

    def demand(self) -> None:
        """Raise `IntegrityError` where one is broken that was kept before."""
        broken = self._violations() - self._known
        if broken:
            table, _, parent, _ = min(broken, key=str)
            raise IntegrityError(f"a row of {table} points to a row of {parent} that is not there")

    def _violations(self) -> set[tuple[object, ...]]:
        """Those of foreign keys in SQLite, by their rows; other databases raise them."""
        if self._connection.vendor != "sqlite":
            self._connection.check_constraints()
            return set()
        with self._connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_key_check")
            return set(cursor.fetchall())
