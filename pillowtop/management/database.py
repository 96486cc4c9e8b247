"""Whether the tables are there."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError, connections

from pillowtop.conf import configuration, suggestion
from pillowtop.exceptions import ConfigurationError
from pillowtop.records.database import tables_are_made


def demand_tables() -> None:
    """Raise `ConfigurationError` where the tables are missing, or the database is unknown.

    A database that is down or locked is another matter: whoever runs pillows waits for it.
    """
    alias = configuration().DATABASE
    if alias not in connections:
        known = suggestion(alias, list(connections))
        raise ConfigurationError(
            f"PILLOWTOP['DATABASE'] is {alias!r}, which DATABASES does not have{known}"
        )
    try:
        made = tables_are_made()
    except (OperationalError, InterfaceError):
        return
    if not made:
        raise ConfigurationError(
            "the tables of pillowtop are missing: run manage.py migrate, and see "
            "PILLOWTOP['DATABASE']"
        )
