"""Which Django database keeps the records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.apps import apps
from django.db import DatabaseError, connections, transaction
from django.db.transaction import TransactionManagementError

from pillowtop.conf import configuration


def alias() -> str:
    return configuration().DATABASE


@contextmanager
def kept_open() -> Iterator[None]:
    """Within it nobody closes Django's connection, as `connections.close_all()` does: the work of
    others in the same transaction would be undone with it. Whoever tries meets `DatabaseError`."""
    connection = connections[alias()]

    def refuse() -> None:
        raise DatabaseError(
            "the connection to Django's database is pillowtop's, and the work of others is in its "
            "transaction: do not close it"
        )

    connection.close = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        del connection.close


class TransactionEnded(DatabaseError):
    """Somebody has ended a transaction that was not his, or left one open in it: the work of others
    is lost with it, or kept without what belongs to it."""


@contextmanager
def kept_whole() -> Iterator[None]:
    """Raise `TransactionEnded` where the transaction is another one in the end.

    Django keeps its own `commit` and `rollback` from that, but knows nothing of a `ROLLBACK` that
    was sent as SQL. A savepoint does: it ends with its transaction.
    """
    connection = connections[alias()]
    point = transaction.savepoint(using=alias())
    blocks, points = len(connection.atomic_blocks), len(connection.savepoint_ids)
    try:
        yield
        is_left_open = len(connection.atomic_blocks) > blocks
    finally:
        # Or else what is around this would take their ends for its own, and stay open for ever.
        del connection.atomic_blocks[blocks:], connection.savepoint_ids[points:]
    if is_left_open:
        raise TransactionEnded("an atomic() has been entered and not left")
    _end(point)


def _end(point: str) -> None:
    connection = connections[alias()]
    try:
        transaction.savepoint_commit(point, using=alias())
    except TransactionManagementError:
        raise  # an error of the database has been passed over: it will take nothing more
    except DatabaseError as error:
        # Nothing more is done in it; and what has failed, PostgreSQL answers no questions in.
        with suppress(Exception):
            connection.connection.rollback()
        if not connection.is_usable():
            raise
        raise TransactionEnded(
            "the transaction has been ended, with the work of others in it: do not send COMMIT or "
            "ROLLBACK"
        ) from error


def unmigrated() -> list[str]:
    """The names of those apps of ours whose tables are not all there."""
    there = set(connections[alias()].introspection.table_names())
    ours = [one for one in apps.get_app_configs() if one.name.split(".")[0] == "pillowtop"]
    return [
        one.name
        for one in ours
        if not there.issuperset(model._meta.db_table for model in one.get_models())  # noqa: SLF001
    ]


OF_OTHERS = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock not available."""


def is_its_own(error: BaseException) -> bool:
    """Whether an error says something about the database rather than about what was written: its
    disk is full, or it has run out of something else; or others have locked what is needed.

    Source: https://www.postgresql.org/docs/current/errcodes-appendix.html (class 53)
    """
    cause = error.__cause__  # the driver's own
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return str(getattr(cause, "sqlstate", None)).startswith(("53", *OF_OTHERS))


def storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no database takes half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
