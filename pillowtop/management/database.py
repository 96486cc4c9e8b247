"""Whether the tables are there."""

from __future__ import annotations

import threading

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from pillowtop.conf import configuration, suggestion
from pillowtop.exceptions import ConfigurationError
from pillowtop.records.database import unmigrated

ANSWER_SECONDS = 5.0


def demand_answer(seconds: float = ANSWER_SECONDS) -> None:
    """Raise `OperationalError` where the database cannot be connected to within seconds.

    Drivers wait for minutes, or for ever, where a server accepts connections and says nothing.
    """
    outcomes: list[DatabaseError | InterfaceError | None] = []
    thread = threading.Thread(target=_connect, args=(outcomes,), daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcomes:
        raise OperationalError(f"it has said nothing for {seconds:g} s")
    if outcomes[0] is not None:
        raise outcomes[0]


def _connect(outcomes: list[DatabaseError | InterfaceError | None]) -> None:
    connection = connections[configuration().DATABASE]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        outcomes.append(error)
    else:
        outcomes.append(None)
    finally:
        connection.close()


def demand_known_database() -> None:
    """Raise `ConfigurationError` where `DATABASES` lacks the one of `PILLOWTOP`."""
    alias = configuration().DATABASE
    if alias not in connections:
        known = suggestion(alias, list(connections))
        raise ConfigurationError(
            f"PILLOWTOP['DATABASE'] is {alias!r}, which DATABASES does not have{known}"
        )


def demand_tables() -> None:
    """Raise `ConfigurationError` where the tables are missing, or the database is unknown.

    A database that is down or locked is another matter: whoever runs pillows waits for it.
    """
    demand_known_database()
    try:
        lacking = unmigrated()
    except (OperationalError, InterfaceError):
        return
    if lacking:
        raise ConfigurationError(
            f"tables of {' and '.join(lacking)} are missing: run manage.py migrate, and see "
            "PILLOWTOP['DATABASE']"
        )
