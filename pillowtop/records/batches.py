"""A batch of a pillow that writes to the Django database: what happens in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from django.db import connections, transaction

from pillowtop.engine.items import Item, Outcome, Verdict, failed
from pillowtop.engine.letters import Letter, from_outcome
from pillowtop.engine.transience import demand_about_document, is_transient
from pillowtop.exceptions import Halted, TransientError
from pillowtop.records import letters
from pillowtop.records.database import alias

Write = Callable[[Item], None]


class Manner(Enum):
    """How the items of a batch are written; the first is the fastest.

    `CHECKED` finds those that break a constraint of which databases speak at the end of a
    transaction only, as of foreign keys.
    """

    TOGETHER = "one that fails undoes all"
    APART = "each behind a savepoint"
    CHECKED = "each behind a savepoint, with all constraints checked"


def deliver(
    pillow: str,
    stream: str,
    items: Sequence[Item],
    hooked: Sequence[Letter],
    write: Write,
    manner: Manner,
) -> list[Letter]:
    """Write items, keep letters, and clear those of what went through. Returns the letters.

    To be called within a transaction. Raises `TransientError` and `Halted`, and `TOGETHER`
    anything that a hook raises: then all of it is to be rolled back.
    """
    outcomes = [_written(item, write, manner) for item in items]
    refused = [one for one in outcomes if one.verdict is Verdict.REJECTED]
    if letters.count(pillow):
        delivered = [one.item.doc_id for one in outcomes if one.verdict is Verdict.DELIVERED]
        letters.clear(pillow, stream, delivered)
    written = [*hooked, *map(from_outcome, refused)]
    if written:
        letters.write(pillow, stream, written)
    return written


def _written(item: Item, write: Write, manner: Manner) -> Outcome:
    try:
        if manner is Manner.TOGETHER:
            write(item)
        else:
            _write_apart(item, write, manner)
    except BaseException as error:
        demand_about_document(error)
        if is_transient(error):
            words = f"document {item.doc_id!r}: {type(error).__name__}: {error}"
            raise TransientError(words) from error
        if manner is Manner.TOGETHER or isinstance(error, Halted):
            raise
        return failed(item, Verdict.REJECTED, error)
    return Outcome(item, Verdict.DELIVERED)


def _write_apart(item: Item, write: Write, manner: Manner) -> None:
    with transaction.atomic(using=alias()):
        write(item)
        if manner is Manner.CHECKED:
            connections[alias()].check_constraints()
