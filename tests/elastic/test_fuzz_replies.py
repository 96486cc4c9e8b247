"""Replies of any form: each item has one outcome, or all have an error of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.elastic.replies import read_reply
from pillowtop.engine.items import Verdict
from pillowtop.engine.versions import NUMBERS_PER_TOKEN
from pillowtop.exceptions import ServerBusy, WrittenByLaterLife
from tests.elastic.making import VERSION, item
from tests.fuzzing import attempted, json_values, mutated, nested

SENT = [item("a"), item("b", deletion=True), item("c", version=0)]
CONFLICT = "version_conflict_engine_exception"
STATUSES = [0, 200, 201, 202, 400, 401, 403, 404, 409, 413, 429, 500, 503]
TYPES = [CONFLICT, "mapper_parsing_exception", "cluster_block_exception", "security_exception"]
REASONS = [f"current version [{2**32}] is higher", f"current version [{'9' * 5000}]", "no"]

errors = json_values | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(TYPES) | json_values,
        "reason": st.sampled_from(REASONS) | json_values,
        "caused_by": st.just({"type": "x", "reason": ["y"]}) | json_values,
    },
)
answers = st.fixed_dictionaries(
    {
        "_id": st.sampled_from(["a", "b", "c", "d"]),
        "status": st.sampled_from([200, 404, 409]) | st.sampled_from(STATUSES),
    },
    optional={
        "result": st.sampled_from(["not_found", "noop", ""]),
        "error": st.none() | st.none() | errors,
    },
)
kinds = st.sampled_from(["index", "delete", "update", "create"])
entries = st.dictionaries(kinds, answers, max_size=2)
odd_entries = st.dictionaries(kinds, answers | json_values, max_size=2)
replies = st.fixed_dictionaries({"items": st.lists(entries, min_size=1, max_size=4)})
odd_replies = st.fixed_dictionaries(
    {}, optional={"items": st.lists(odd_entries, max_size=5) | json_values, "error": errors}
)
GOOD = [
    json.dumps(
        {
            "errors": True,
            "items": [
                {"index": {"_id": "a", "status": 201}},
                {"delete": {"_id": "b", "status": 404, "result": "not_found"}},
                {"index": {"_id": "c", "status": 409, "error": {"type": CONFLICT, "reason": "x"}}},
            ],
        }
    ).encode(),
    b'{"error":{"type":"index_not_found_exception","reason":"x"},"status":404}',
]


def check(status, body):
    outcomes, error = attempted(read_reply, status, body, SENT, "orders")
    if error:
        assert str(error)
        return
    assert [outcome.item for outcome in outcomes] == SENT
    # As lenient as the decoder, which looks at no bytes between quotes.
    said = json.loads(body.decode(errors="replace"))
    for outcome in outcomes:
        if outcome.verdict is Verdict.DELIVERED:
            assert any(says_delivered(one, outcome.item) for one in said["items"])
        else:
            assert outcome.error_type
            assert outcome.reason
            assert len(outcome.reason) <= 1000


def says_delivered(entry, sent):
    answer = entry.get("delete" if sent.deletion else "index")
    if not isinstance(answer, dict) or answer.get("_id") != sent.id:
        return False
    status, error = answer.get("status"), answer.get("error")
    if status == 409:
        return sent.version > 0 and error["type"] == CONFLICT
    gone = status == 404 and sent.deletion and answer.get("result") == "not_found"
    return error is None and (status in (200, 201) or gone)


@given(replies)
@settings(deadline=None, max_examples=150)
def test_replies_of_any_content(reply):
    check(200, json.dumps(reply).encode())


@given(st.sampled_from(STATUSES), odd_replies | json_values)
@settings(deadline=None, max_examples=150)
def test_replies_of_any_form(status, reply):
    check(status, json.dumps(reply).encode())
    check(200, json.dumps(reply).encode())


@given(mutated(GOOD))
@settings(deadline=None, max_examples=150)
def test_mutated_replies(body):
    check(200, body)


@given(st.integers(0, 999), st.binary())
@settings(deadline=None)
def test_any_bytes(status, body):
    check(status, body)


def reply(**answer):
    return json.dumps({"items": [{"index": {"_id": "a", **answer}}]}).encode()


@pytest.mark.parametrize("depth", range(100, 1100, 50))
@pytest.mark.parametrize("key", ["type", "reason", "caused_by"])
def test_errors_nested_deep(depth, key):
    error = f'{{"type":"x","reason":"y","{key}":{nested(depth)}}}'
    check(400, f'{{"error":{error}}}'.encode())
    check(200, f'{{"items":[{{"index":{{"_id":"a","status":400,"error":{error}}}}}]}}'.encode())


def test_a_version_of_5000_digits_is_none():
    reason = f"[a]: version conflict, current version [{'9' * 5000}] is higher"
    body = reply(status=409, error={"type": CONFLICT, "reason": reason})
    (outcome,) = read_reply(200, body, [item("a")], "orders")
    assert outcome.verdict is Verdict.DELIVERED


@pytest.mark.parametrize("version", [2 * VERSION, 2**63 - 1])
def test_the_token_of_a_later_life_is_one_that_can_be_kept(version):
    reason = f"[a]: version conflict, current version [{version}] is higher"
    body = reply(status=409, error={"type": CONFLICT, "reason": reason})
    with pytest.raises(WrittenByLaterLife) as raised:
        read_reply(200, body, [item("a")], "orders")
    assert raised.value.token == version // NUMBERS_PER_TOKEN


@pytest.mark.parametrize(
    ("sent", "entry"),
    [
        (item("a"), {"delete": {"_id": "a", "status": 200}}),
        (item("a"), {"index": {"_id": "a", "status": 404, "result": "not_found"}}),
        (item("a", deletion=True), {"index": {"_id": "a", "status": 201}}),
        (
            item("a", deletion=True),
            {"delete": {"_id": "a", "status": 404, "result": "not_found", "error": "x"}},
        ),
    ],
)
def test_what_is_said_of_something_else_is_not_believed(sent, entry):
    (outcome,) = read_reply(200, json.dumps({"items": [entry]}).encode(), [sent], "orders")
    assert outcome.verdict is not Verdict.DELIVERED


def test_a_reply_that_cannot_be_read_is_named_as_such():
    with pytest.raises(ServerBusy, match="not the reply to a bulk"):
        read_reply(200, reply(status="201"), [item("a")], "orders")
