"""What exists, and what is to be done."""

from __future__ import annotations

import re

import pytest

from pillowtop.elastic.index import (
    Action,
    AliasedIndex,
    FixedIndex,
    FoundIndex,
    PlacedIndex,
    Plan,
    SeveralIndices,
    creation,
    identified,
)
from pillowtop.exceptions import IndexElsewhere, TargetUnusable

ALIASED = AliasedIndex("orders", {"properties": {"a": {"type": "long"}}}, {"number_of_shards": 1})
FIXED = FixedIndex("orders")


def found(name, **aliases):
    return FoundIndex(name, f"uuid-of-{name}", aliases)


OURS = ALIASED.index
SEVERAL = SeveralIndices("orders", {"properties": {"a": {"type": "long"}}}, {"codec": "default"})
PLACED = SEVERAL.at("orders_10")
BOTH = {"orders_10-pillowtop": True, "orders": False}


def test_reading_what_elasticsearch_returns():
    body = {
        "aliases": {"orders": {"is_write_index": True}, "other": {}},
        "mappings": {"properties": {"a": {"type": "long"}}},
        "settings": {"index": {"uuid": "u", "gc_deletes": "1h"}},
    }
    assert FoundIndex.read("orders_1", body) == FoundIndex(
        "orders_1", "u", {"orders": True, "other": None}, body["mappings"], "1h", body["aliases"]
    )
    assert FoundIndex.read("orders_1", {}) == FoundIndex("orders_1", "")


@pytest.mark.parametrize(
    ("target", "existing", "action"),
    [
        (ALIASED, [], Action.CREATE),
        (ALIASED, [found(OURS, orders=True)], Action.NOTHING),
        (ALIASED, [found(OURS, orders=None)], Action.NOTHING),
        (ALIASED, [found("old", orders=False), found(OURS, orders=True)], Action.NOTHING),
        (ALIASED, [found("old", orders=None), found(OURS, orders=True)], Action.NOTHING),
        (FIXED, [], Action.CREATE),
        (FIXED, [found("orders")], Action.ADD_ALIAS),
        (FIXED, [found("orders", **{"orders-pillowtop": False})], Action.ADD_ALIAS),
        (FIXED, [found("orders", other=True)], Action.ADD_ALIAS),
        (FIXED, [found("orders", **{"orders-pillowtop": True})], Action.NOTHING),
        (PLACED, [], Action.CREATE),
        (PLACED, [found("orders_10", **BOTH)], Action.NOTHING),
        (PLACED, [found("orders_10", **{**BOTH, "orders": None})], Action.NOTHING),
        (PLACED, [found("orders_10", **{"orders-pillowtop": True})], Action.ADD_ALIAS),
        (PLACED, [found("orders_10", orders=False)], Action.ADD_ALIAS),
    ],
)
def test_plans(target, existing, action):
    ours = {index.name: index for index in existing}.get(target.index)
    assert target.plan(existing) == Plan(action, target.index, ours)


@pytest.mark.parametrize(
    ("target", "existing", "error", "words"),
    [
        (ALIASED, [found("orders")], TargetUnusable, "'orders' is an index.*DELETE /orders"),
        (ALIASED, [found(OURS)], TargetUnusable, f"without its alias.*POST /_aliases.*{OURS}"),
        (ALIASED, [found("orders_0", orders=True)], IndexElsewhere,
         f"'orders' is on index 'orders_0'.*'{OURS}'"),
        (ALIASED, [found("orders_0", orders=None), found(OURS)], IndexElsewhere, "'orders_0'"),
        (ALIASED, [found("x", orders=None), found(OURS, orders=None)], TargetUnusable,
         "no write index"),
        (ALIASED, [found(OURS, orders=False)], TargetUnusable, "no write index"),
        (FIXED, [found("other", orders=None)], TargetUnusable, "alias of index 'other'"),
        (PLACED, [found("other", orders_10=None)], TargetUnusable, "target_for has to name an"),
        (FIXED, [found("orders-pillowtop")], TargetUnusable, "'orders-pillowtop' is an index"),
        (FIXED, [found("other", **{"orders-pillowtop": True})], TargetUnusable,
         "DELETE /other/_alias/orders-pillowtop"),
    ],
)  # fmt: skip
def test_what_nothing_can_be_done_about(target, existing, error, words):
    with pytest.raises(error, match=words) as raised:
        target.plan(existing)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("target", [ALIASED, FIXED])
def test_the_identity_is_the_uuid(target):
    existing = [found(target.index, **{target.write_alias: True})]
    assert identified(target, existing) == f"uuid-of-{target.index}"


@pytest.mark.parametrize(
    ("target", "existing"), [(ALIASED, []), (FIXED, []), (FIXED, [found("orders")])]
)
def test_an_index_that_is_gone_has_no_identity(target, existing):
    with pytest.raises(TargetUnusable, match=f"index {target.index!r} is gone"):
        identified(target, existing)


def test_creation():
    body = creation(ALIASED, "pillowtop")
    assert body["aliases"] == {"orders": {"is_write_index": True}}
    assert body["settings"] == {"index.gc_deletes": "1h", "index.number_of_shards": 1}
    assert set(body["mappings"]["properties"]) == {"_rev", "a", "pillowtop"}


def test_one_of_several_is_made_as_all_are():
    mapping, settings = SEVERAL.mapping, SEVERAL.settings
    assert PlacedIndex("orders_10", mapping, settings, read_alias="orders") == PLACED
    assert creation(PLACED, "pillowtop")["aliases"] == {
        "orders_10-pillowtop": {"is_write_index": True},
        "orders": {"is_write_index": False},
    }


def test_several_are_identified_by_their_alias():
    assert SEVERAL.identity() == "orders"
    SEVERAL.demand_alias([found("orders_10", **BOTH)])
    with pytest.raises(TargetUnusable, match=r"'orders' is an index.*DELETE /orders"):
        SEVERAL.demand_alias([found("orders")])


def test_another_routing_is_another_identity():
    existing = [found("orders", **{"orders-pillowtop": True})]
    assert identified(FixedIndex("orders"), existing) == "uuid-of-orders"
    by_field = identified(FixedIndex("orders", routing="n"), existing)
    assert re.fullmatch("uuid-of-orders by [0-9a-f]{8}", by_field)
    assert identified(FixedIndex("orders", routing="m"), existing) != by_field
    assert SeveralIndices("orders", routing="n").identity() == "orders" + by_field[-12:]
