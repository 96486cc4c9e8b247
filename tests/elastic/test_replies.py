"""The table of bulk replies, row by row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.elastic.replies import TOO_LARGE, BatchRefused, blame_the_target, read_reply
from pillowtop.engine.items import Outcome, Verdict
from pillowtop.exceptions import (
    AccessDenied,
    PillowtopError,
    ServerBusy,
    TargetUnusable,
    WrittenByLaterLife,
)
from tests.elastic.making import VERSION, item, items

DELIVERED, AGAIN, REJECTED = Verdict.DELIVERED, Verdict.AGAIN, Verdict.REJECTED


def entry(doc_id, status, error=None, result="", *, kind="index"):
    answer = {"_id": doc_id, "status": status}
    if error:
        answer["error"] = {"type": error, "reason": f"reason of {error}"}
    if result:
        answer["result"] = result
    return {kind: answer}


def read(status, reply, sent):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return read_reply(status, body, sent, "orders")


def verdict(answered, sent=None):
    """Of one item, answered between two that are well."""
    sent = sent or item("b")
    reply = {"errors": True, "items": [entry("a", 201), answered, entry("c", 200)]}
    outcomes = read(200, reply, [item("a"), sent, item("c")])
    assert [outcome.item.id for outcome in outcomes] == ["a", "b", "c"]
    assert outcomes[0].verdict is outcomes[2].verdict is DELIVERED
    return outcomes[1].verdict


ITEMS = [
    # Written.
    (entry("b", 200, result="updated"), DELIVERED),
    (entry("b", 201, result="created"), DELIVERED),
    # A newer version is there.
    (entry("b", 409, "version_conflict_engine_exception"), DELIVERED),
    # Busy.
    (entry("b", 429, "es_rejected_execution_exception"), AGAIN),
    (entry("b", 429, "rejected_execution_exception"), AGAIN),
    (entry("b", 429, "circuit_breaking_exception"), AGAIN),
    (entry("b", 400, "es_rejected_execution_exception"), AGAIN),
    (entry("b", 403, "circuit_breaking_exception"), AGAIN),
    (entry("b", 400, "unavailable_shards_exception"), AGAIN),
    (entry("b", 503, "unavailable_shards_exception"), AGAIN),
    (entry("b", 429), AGAIN),
    (entry("b", 408), AGAIN),
    (entry("b", 500, "null_pointer_exception"), AGAIN),
    (entry("b", 502), AGAIN),
    (entry("b", 503), AGAIN),
    (entry("b", 504), AGAIN),
    (entry("b", 599, "never_seen_exception"), AGAIN),
    # The server protects itself.
    (entry("b", 403, "cluster_block_exception"), AGAIN),
    (entry("b", 429, "cluster_block_exception"), AGAIN),
    # It will never fit.
    (entry("b", 400, "document_parsing_exception"), REJECTED),
    (entry("b", 400, "mapper_parsing_exception"), REJECTED),
    (entry("b", 400, "strict_dynamic_mapping_exception"), REJECTED),
    (entry("b", 400, "illegal_argument_exception"), REJECTED),
    (entry("b", 400), REJECTED),
    (entry("b", 403, "never_seen_exception"), REJECTED),
    (entry("b", 404, "never_seen_exception"), REJECTED),
    (entry("b", 418, "never_seen_exception"), REJECTED),
    # Never trusted.
    (entry("b", 0), AGAIN),
    (entry("b", 202), AGAIN),
    (entry("b", 304), AGAIN),
    (entry("b", 200, "never_seen_exception"), AGAIN),
    (entry("x", 200), AGAIN),
    (entry("a", 200), AGAIN),
    ({}, AGAIN),
    ({"index": None}, AGAIN),
]


@pytest.mark.parametrize(
    ("answered", "expected"), ITEMS, ids=[json.dumps(answered) for answered, _ in ITEMS]
)
def test_items(answered, expected):
    if answered == entry("a", 200):  # an id twice: neither is what was meant
        reply = {"items": [entry("a", 201), answered, entry("c", 200)]}
        outcomes = read(200, reply, [item("a"), item("b"), item("c")])
        assert [outcome.verdict for outcome in outcomes] == [AGAIN, AGAIN, DELIVERED]
    else:
        assert verdict(answered) is expected


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (entry("b", 200, result="deleted", kind="delete"), DELIVERED),
        (entry("b", 404, result="not_found", kind="delete"), DELIVERED),
        (entry("b", 409, "version_conflict_engine_exception", kind="delete"), DELIVERED),
        (entry("b", 404, kind="delete"), REJECTED),
        (entry("b", 503, kind="delete"), AGAIN),
    ],
)
def test_deletions(answered, expected):
    assert verdict(answered, item("b", deletion=True)) is expected


def test_a_conflict_without_a_version_of_ours():
    answered = entry("b", 409, "version_conflict_engine_exception")
    assert verdict(answered, item("b", version=0)) is AGAIN


def conflict(current):
    answered = entry("b", 409, "version_conflict_engine_exception")
    answered["index"]["error"]["reason"] = (
        f"[b]: version conflict, current version [{current}] is higher than the one provided [7]"
    )
    return answered


@pytest.mark.parametrize("current", [VERSION, VERSION + 1, 2 * VERSION - 1, 5])
def test_a_conflict_with_a_life_of_ours(current):
    assert verdict(conflict(current), item("b", version=VERSION)) is DELIVERED


@pytest.mark.parametrize("current", [2 * VERSION, 3 * VERSION + 17])
def test_a_conflict_with_a_later_life(current):
    with pytest.raises(WrittenByLaterLife) as raised:
        verdict(conflict(current), item("b", version=VERSION))
    assert raised.value.token == current // 2**31


def test_a_reply_that_is_nested_too_deep():
    body = b'{"items":' + b"[" * 1000 + b"]" * 1000 + b"}"
    with pytest.raises(ServerBusy):
        read(200, body, [item("a")])


def test_another_conflict():
    """A dead letter reads its document afresh, and gives up in the end."""
    assert verdict(entry("b", 409, "never_seen_exception")) is REJECTED


def with_reason(reason):
    answered = entry("b", 400, "illegal_argument_exception")
    answered["index"]["error"]["reason"] = reason
    return answered


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (entry("b", 404, "index_not_found_exception"), "index_not_found_exception"),
        (entry("b", 404, "index_not_found_exception", kind="delete"), "index_not_found_exception"),
        (entry("b", 400, "index_closed_exception"), "index_closed_exception"),
        (entry("b", 400, "invalid_index_name_exception"), "invalid_index_name_exception"),
        (with_reason("no write index is defined for alias [orders]."), "no write index"),
        (with_reason("pipeline with id [p] does not exist"), "pipeline"),
    ],
)
def test_it_is_the_index(answered, words):
    with pytest.raises(TargetUnusable, match=words) as raised:
        verdict(answered, item("b", deletion="delete" in answered))
    assert "'orders'" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_document_that_speaks_of_indices_is_still_a_document():
    quoting = "failed to parse [x]: 'no write index is defined'"
    assert verdict(with_reason(quoting)) is REJECTED


@pytest.mark.parametrize("status", [401, 403])
def test_rights_of_an_item(status):
    with pytest.raises(AccessDenied, match="'orders'"):
        verdict(entry("b", status, "security_exception"))


def error_body(error_type, reason="why"):
    return {"error": {"type": error_type, "reason": reason}, "status": 0}


HTML = b"<html>nginx</html>"

REQUESTS = [
    (413, HTML, BatchRefused),
    (413, b"", BatchRefused),
    (400, error_body("action_request_validation_exception"), BatchRefused),
    (400, error_body("illegal_argument_exception"), BatchRefused),
    (400, HTML, ServerBusy),
    (429, error_body("es_rejected_execution_exception"), ServerBusy),
    (429, b"", ServerBusy),
    (408, b"", ServerBusy),
    (500, error_body("null_pointer_exception"), ServerBusy),
    (502, HTML, ServerBusy),
    (503, error_body("unavailable_shards_exception"), ServerBusy),
    (504, HTML, ServerBusy),
    (599, b"", ServerBusy),
    (403, error_body("cluster_block_exception"), ServerBusy),
    (401, error_body("security_exception"), AccessDenied),
    (403, error_body("security_exception"), AccessDenied),
    (401, HTML, AccessDenied),
    (403, b"", AccessDenied),
    (404, error_body("index_not_found_exception"), TargetUnusable),
    (400, error_body("index_closed_exception"), TargetUnusable),
    (400, error_body("illegal_argument_exception", "pipeline with id [p] does not exist"),
     TargetUnusable),
    (400, error_body("illegal_argument_exception",
                     "request [/orders/_bulk] contains unrecognized parameter: [require_alias]"),
     TargetUnusable),
    (406, error_body("media_type_header_exception"), TargetUnusable),
    (405, {"error": "Incorrect HTTP method", "status": 405}, ServerBusy),
    (404, HTML, ServerBusy),
    (302, b"", ServerBusy),
    (200, b'{"errors":false,"items":[{"index":{"_id":"a","stat', ServerBusy),
    (200, b"", ServerBusy),
    (200, b"\xff\xfe", ServerBusy),
    (200, HTML, ServerBusy),
    (200, b"[]", ServerBusy),
    (200, {"error": "something", "status": 500}, ServerBusy),
    (500, {"errors": False, "items": [entry("doc-0", 200)]}, ServerBusy),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reply", "error"), REQUESTS, ids=[f"{row[0]} {row[1]}" for row in REQUESTS]
)
def test_requests(status, reply, error):
    with pytest.raises(error) as raised:
        read(status, reply, items(3))
    assert type(raised.value) is error
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"errors": False},
        {"errors": False, "items": []},
        {"errors": False, "items": [entry("doc-1", 200)]},
        {"errors": False, "items": [entry("doc-1", 200), entry("doc-0", 503)]},
        {"errors": False, "items": [entry("x", 200), entry("doc-1", 200), entry("y", 200)]},
        {"errors": False, "items": [entry("doc-1", 200)] + [entry("doc-2", 201)] * 2},
    ],
)
def test_what_the_reply_does_not_say_is_sent_again(reply):
    outcomes = read(200, reply, items(3))
    said = {answer["index"]["_id"] for answer in reply.get("items", [])
            if answer["index"]["status"] == 200}  # fmt: skip
    assert [outcome.item.id for outcome in outcomes] == ["doc-0", "doc-1", "doc-2"]
    for outcome in outcomes:
        assert outcome.verdict is (DELIVERED if outcome.item.id in said else AGAIN)


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "_id": st.sampled_from(["doc-0", "doc-1", "doc-2", "other"]),
        "status": st.sampled_from([0, 200, 201, 204, 400, 409, 429, 503]),
        "error": st.none() | st.just("text") | st.just({"type": "x_exception", "reason": None}),
    },
)


@given(
    answers=st.lists(st.fixed_dictionaries({"index": ANSWERS}), max_size=4), errors=st.booleans()
)
def test_only_what_was_said_to_be_written_counts(answers, errors):
    outcomes = read(200, {"errors": errors, "items": answers}, items(3))
    assert [outcome.item.id for outcome in outcomes] == ["doc-0", "doc-1", "doc-2"]
    for outcome in outcomes:
        mine = [answer["index"] for answer in answers if answer["index"].get("_id") ==
                outcome.item.id]  # fmt: skip
        if outcome.verdict is DELIVERED:
            (answer,) = mine
            assert answer["status"] in (200, 201)
            assert answer.get("error") is None
        elif outcome.verdict is REJECTED:
            assert outcome.error_type
            assert outcome.reason


@given(body=st.binary(max_size=50), status=st.integers(100, 599))
def test_no_reply_whatever_is_taken_for_success(body, status):
    try:
        outcomes = read(status, body, items(2))
    except PillowtopError:
        return
    assert all(outcome.verdict is AGAIN for outcome in outcomes)


def test_the_useful_part_of_a_reason_is_told():
    answered = entry("b", 400, "document_parsing_exception")
    answered["index"]["error"]["caused_by"] = {
        "type": "illegal_argument_exception",
        "reason": 'For input string: "abc"',
        "caused_by": {"type": "x", "reason": "reason of document_parsing_exception"},
    }
    (outcome,) = read(200, {"items": [answered]}, [item("b")])
    assert outcome.error_type == "document_parsing_exception"
    assert outcome.reason == (
        'reason of document_parsing_exception; caused by: For input string: "abc"'
    )


def test_a_cause_that_the_reason_quotes_is_not_said_again():
    answered = with_reason("Failed to parse mapping: no such type")
    answered["index"]["error"]["caused_by"] = {"type": "x", "reason": "no such type"}
    (outcome,) = read(200, {"items": [answered]}, [item("b")])
    assert outcome.reason == "Failed to parse mapping: no such type"


def test_reasons_are_cut():
    (outcome,) = read(200, {"items": [with_reason("x" * 5000)]}, [item("b")])
    assert len(outcome.reason) == 1000


def rejections(reasons, error_type="document_parsing_exception"):
    return [
        Outcome(item(f"doc-{number}"), REJECTED, error_type, reason)
        for number, reason in enumerate(reasons)
    ]


def parse_failures(count):
    return [
        f"[1:{number * 7}] failed to parse field [price] of type [long] in document with id "
        f"'doc-{number}'. Preview of field's value: 'x{number}'"
        for number in range(count)
    ]


def test_all_items_failing_for_one_reason_are_not_to_blame():
    with pytest.raises(TargetUnusable, match=r"refuses every document.*\[price\]"):
        blame_the_target(rejections(parse_failures(10)), "orders")


def test_a_reply_that_rejects_everything_alike():
    reply = {"items": [entry(f"doc-{number}", 400, "x_exception") for number in range(10)]}
    with pytest.raises(TargetUnusable):
        read(200, reply, items(10))


@pytest.mark.parametrize(
    "outcomes",
    [
        rejections(parse_failures(9)),
        [*rejections(parse_failures(20)), Outcome(item(), DELIVERED)],
        [*rejections(parse_failures(20)), Outcome(item(), REJECTED, "other", "reason")],
        [*rejections(parse_failures(20)),
         *rejections(["failed to parse field [date]"])],
        rejections(["too large"] * 20, TOO_LARGE),
        [],
    ],
)  # fmt: skip
def test_documents_that_fail_for_themselves(outcomes):
    blame_the_target(outcomes, "orders")
