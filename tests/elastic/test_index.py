"""What exists, and what is to be done."""

from __future__ import annotations

import pytest

from pillowtop.elastic.index import (
    Action,
    AliasedIndex,
    FixedIndex,
    FoundIndex,
    Plan,
    creation,
    identified,
)
from pillowtop.exceptions import IndexElsewhere, TargetUnusable

ALIASED = AliasedIndex("orders", {"properties": {"a": {"type": "long"}}}, {"number_of_shards": 1})
FIXED = FixedIndex("orders")


def found(name, **aliases):
    return FoundIndex(name, f"uuid-of-{name}", aliases)


OURS = ALIASED.index


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
