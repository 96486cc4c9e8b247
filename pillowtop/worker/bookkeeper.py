"""One native thread in which all use of the Django database happens (rule 15).

In greenlets, SQLite's busy wait would freeze every pillow, each greenlet would open a connection
of its own, and a broken connection would never heal.

Leases have a thread and a connection beside it. PostgreSQL serves both at once; SQLite has one
writer at a time and no queue: of two that write without a pause, one may never have its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import gevent
import gevent.monkey
from django.db import DatabaseError, InterfaceError, connections
from gevent.threadpool import ThreadPool

from pillowtop.awaited import answer_of
from pillowtop.engine.transience import is_transient
from pillowtop.exceptions import TransientError
from pillowtop.records.connecting import close_what_is_over
from pillowtop.records.database import alias

P = ParamSpec("P")
T = TypeVar("T")

CLOSE_SECONDS = 2.0
USUAL_SECONDS = 5.0
TURN_SECONDS = 5.0
"""For how long a thread waits for its turn at SQLite; behind that it tries all the same."""

_turn = gevent.monkey.get_original("_thread", "allocate_lock")()


class Bookkeeper:
    """Runs functions one after the other in its thread, while the calling greenlet waits."""

    def __init__(self) -> None:
        self._pool = ThreadPool(1)

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread. Returns or raises what it does.

        Raises `TransientError` where the database is down, locked or takes no writes for now.
        """

        with answer_of("the Django database", USUAL_SECONDS):
            result, error = self._pool.apply(_attempted, (function, args, kwargs))
        if error is not None:
            raise error
        return cast("T", result)

    def close(self) -> bool:
        """Close the connections. False where the database keeps the thread from doing so."""
        with gevent.Timeout(CLOSE_SECONDS, exception=False):
            self._pool.apply(connections.close_all)
            return True
        return False


def _attempted(
    function: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[Any, BaseException | None]:
    """What a function returns, or raises: gevent would print what is raised in its thread."""
    close_what_is_over()
    try:
        with _in_turn():
            return function(*args, **kwargs), None
    except (DatabaseError, InterfaceError) as error:
        if not is_transient(error):
            return None, error
        return None, TransientError(f"the Django database does not answer: {error}")
    except BaseException as error:  # noqa: BLE001  (raised where it was asked for)
        return None, error


@contextmanager
def _in_turn() -> Iterator[None]:
    is_ours = connections[alias()].vendor == "sqlite" and _turn.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if is_ours:
            _turn.release()
