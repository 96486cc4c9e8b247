"""For how long the index before is written to, too."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from pillowtop.engine.moves import Move, Stage
from pillowtop.records import moves
from pillowtop.testing import FakeElasticsearch
from pillowtop.worker.mirroring import Mirroring
from tests.elastic.making import transport

NEW = "orders_11111111"


@pytest.fixture
def mirroring():
    """Of a pillow whose way back is open, by what `records` would say."""
    with FakeElasticsearch() as server:
        to = transport(server.url)
        said = []

        def record(function, *arguments):
            said.append((function, *arguments))
            return move if function is moves.kept and move.is_open else None

        move = SimpleNamespace(old="orders_0", new=NEW, is_open=True)
        move.may_return = lambda _now: move.is_open
        ground = SimpleNamespace(
            transport=to, record=record, pillow=SimpleNamespace(name="OrderPillow")
        )
        made = Mirroring(ground)
        made.begin()
        yield SimpleNamespace(made=made, to=to, move=move, said=said, server=server)


def test_it_is_for_as_long_as_there_is_a_way_back(mirroring, caplog):
    mirroring.made.look()
    assert mirroring.to._mirror is not None
    mirroring.move.is_open = False
    with caplog.at_level("INFO", "pillowtop"):
        mirroring.made.look()
    assert mirroring.to._mirror is None
    assert "the time for a rollback is over" in caplog.text


def test_what_went_wrong_is_written_down(mirroring):
    mirroring.to._mirror.lost = "it is gone"
    mirroring.made.look()
    assert (moves.lose, NEW, "it is gone") in mirroring.said
    assert mirroring.to._mirror is None


def test_it_is_said_that_documents_are_written_again(mirroring):
    mirroring.made.disturb()
    assert (moves.disturb, NEW) in mirroring.said


def test_until_when_there_is_a_way_back():
    now = timezone.now()
    soon = now + timedelta(seconds=1)
    move = Move("OrderPillow", "orders", "orders_0", NEW, "u", Stage.FLIPPED, keep_until=soon)
    assert move.may_return(now)
    assert not move.may_return(soon)
