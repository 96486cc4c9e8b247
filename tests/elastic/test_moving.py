"""What a move takes, by what exists and what is remembered."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from pillowtop.elastic import moving
from pillowtop.elastic.index import AliasedIndex, FoundIndex
from pillowtop.elastic.moving import BUILDING, FLIPPING, Step
from pillowtop.engine.moves import Move, Stage
from pillowtop.exceptions import ConfigurationError, TargetUnusable

TARGET = AliasedIndex("orders", index_version=2)
OLD, NEW = "orders_00000000", TARGET.index
ALL = (Step.CREATE, *BUILDING, *FLIPPING)


def found(name, *, serves=False):
    return FoundIndex(
        name, f"uuid-of-{name}", {"orders": True} if serves else {}, details={"orders": {}}
    )


def known(stage, **fields):
    return Move("OrderPillow", "orders", OLD, NEW, f"uuid-of-{NEW}", stage, **fields)


def planned(existing, move=None):
    return moving.plan("OrderPillow", TARGET, existing, move)


@pytest.mark.parametrize(
    ("existing", "move", "steps"),
    [
        ([found(OLD, serves=True)], None, ALL),
        ([found(OLD, serves=True), found(NEW)], None, ALL),
        ([found(OLD, serves=True)], known(Stage.BUILDING), ALL),
        ([found(OLD, serves=True)], known(Stage.READY), ALL),
        ([found(OLD, serves=True), found(NEW)], known(Stage.BUILDING), ALL[1:]),
        ([found(OLD, serves=True), found(NEW)], known(Stage.READY), FLIPPING),
        ([found(OLD, serves=True), found(NEW)], known(Stage.FLIPPING), FLIPPING),
        ([found(OLD, serves=True), found(NEW)], known(Stage.FLIPPED), ALL),
        ([found(OLD, serves=True), found(NEW)], known(Stage.ROLLED_BACK), ALL),
        ([found(NEW, serves=True)], None, ()),
        ([found(OLD), found(NEW, serves=True)], known(Stage.FLIPPED), ()),
        ([found(OLD), found(NEW, serves=True)], known(Stage.FLIPPING), (Step.FOLLOW,)),
        # Somebody has moved the alias by hand since it was built.
        ([found("orders_x", serves=True), found(NEW)], known(Stage.READY), ALL),
    ],
)
def test_what_is_left_to_do(existing, move, steps):
    plan = planned(existing, move)
    assert plan.steps == steps
    assert plan.move.new == NEW
    assert len(plan.lines(timedelta(days=2))) == len(steps)


def test_an_index_that_was_made_anew_is_not_the_one_that_is_ready():
    move = msgspec.structs.replace(known(Stage.READY), uuid="another")
    assert planned([found(OLD, serves=True), found(NEW)], move).steps == ALL


def test_there_is_nothing_to_move_from():
    with pytest.raises(ConfigurationError, match="run_ptop makes it"):
        planned([])
    with pytest.raises(TargetUnusable, match="has to be an alias"):
        planned([FoundIndex("orders", "u")])


def test_an_alias_that_routes_what_is_written_is_refused():
    old = FoundIndex(OLD, "u", {"orders": True}, details={"orders": {"index_routing": "a"}})
    with pytest.raises(ConfigurationError, match="es_routing"):
        planned([old])


def test_the_request_demands_the_old_index_to_be_where_it_was():
    old = FoundIndex(
        OLD, "u", {"orders": True}, details={"orders": {"is_write_index": True, "filter": {"a": 1}}}
    )
    assert moving.flip("orders", old, NEW) == [
        {"remove": {"index": OLD, "alias": "orders", "must_exist": True}},
        {"add": {"index": NEW, "alias": "orders", "is_write_index": True, "filter": {"a": 1}}},
        {"add": {"index": OLD, "alias": f"{OLD}-pillowtop", "is_write_index": True}},
    ]


def test_the_real_settings():
    replicas = AliasedIndex("orders", settings={"number_of_replicas": 2})
    assert moving.real_settings(replicas) == {
        "index.refresh_interval": None, "index.number_of_replicas": 2,
    }  # fmt: skip
    assert moving.unsettled(replicas, {"index.number_of_replicas": "2"}) == []
    assert moving.unsettled(replicas, moving.FAST) == [
        "index.refresh_interval is -1", "index.number_of_replicas is 0",
    ]  # fmt: skip


def test_a_build_has_a_name_of_its_own():
    assert known(Stage.BUILDING).build == f"OrderPillow@{NEW[-8:]}"
