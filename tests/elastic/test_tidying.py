"""Which indices nobody needs any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pillowtop.elastic.index import FoundIndex
from pillowtop.elastic.tidying import judged, made_for
from pillowtop.engine.moves import Move, Stage

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
OLD, NEW = "orders_00000000", "orders_11111111"


def move(stage, **fields):
    return Move("OrderPillow", "orders", OLD, NEW, "u", stage, **fields)


def kept(name, *aliases, wanted=(), moves=(), building=()):
    index = FoundIndex(name, "u", dict.fromkeys(aliases))
    (one,) = judged({name: index}, dict.fromkeys(wanted, "OrderPillow"), moves, building, NOW)
    return one.kept


@pytest.mark.parametrize(
    ("moves", "building", "words"),
    [
        ([], [], ""),
        ([move(Stage.FLIPPED, keep_until=LATER)], [], "may be rolled back to it until 2030"),
        ([move(Stage.FLIPPING, keep_until=LATER)], [], "may be rolled back"),
        ([move(Stage.FLIPPED, keep_until=LATER, lost="why")], [], ""),
        ([move(Stage.FLIPPED, keep_until=EARLIER)], [], ""),
        ([move(Stage.ROLLED_BACK, keep_until=LATER)], [], ""),
    ],
)
def test_an_old_index(moves, building, words):
    assert words in kept(OLD, f"{OLD}-pillowtop", moves=moves, building=building)
    assert bool(words) is bool(kept(OLD, moves=moves, building=building))


def test_an_index_that_serves_is_kept_whatever_else_is_said_of_it():
    assert kept(OLD, "orders", f"{OLD}-pillowtop") == "alias orders is on it"
    assert kept(OLD, "somebody-else's") != ""


def test_an_index_that_a_pillow_asks_for():
    assert kept(NEW, wanted=[NEW]) == "OrderPillow asks for it"


@pytest.mark.parametrize("stage", [Stage.BUILDING, Stage.READY])
def test_an_index_that_another_release_builds(stage):
    building = move(stage).build
    assert "another release builds it" in kept(NEW, moves=[move(stage)], building=[building])
    assert "within a week" in kept(NEW, moves=[move(stage, began_at=NOW - timedelta(days=6))])
    assert kept(NEW, moves=[move(stage, began_at=NOW - timedelta(days=8))]) == ""


def test_nothing_is_touched_that_is_not_called_as_ours_are():
    names = [OLD, "orders_archive", "orders_0000000", "orders_000000000", "my-orders_00000000",
             "orders_ABCDEF01"]  # fmt: skip
    assert made_for("orders", names) == [OLD]
