"""Django's database: what is there, and the order in which it is asked."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pillowtop.engine.moves import Move
from pillowtop.exceptions import ConfigurationError
from pillowtop.management.database import demand_tables
from pillowtop.records import moves

pytestmark = pytest.mark.django_db


def test_tables_that_are_missing_are_said_to_be_those_of_their_application():
    demand_tables()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pillowtop_stats_pendingmessage")
    with pytest.raises(ConfigurationError, match=r"tables of pillowtop\.stats are missing: run"):
        demand_tables()


def test_a_move_is_kept_by_a_write_first():
    """Who has read first cannot wait for others to write: SQLite says at once that it is locked."""
    move = Move("OrderPillow", "orders", "orders_1", "orders_2", "uuid")
    moves.keep(move)
    with CaptureQueriesContext(connection) as queries:
        moves.keep(move)
    assert [query["sql"].partition(" ")[0] for query in queries] == ["UPDATE"]
    assert [one.new for one in moves.all_of("OrderPillow")] == ["orders_2"]
