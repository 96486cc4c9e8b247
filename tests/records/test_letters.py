from __future__ import annotations

from datetime import timedelta

import pytest

from pillowtop.engine.letters import Letter
from pillowtop.records import letters
from pillowtop.records.models import DeadLetter

pytestmark = pytest.mark.django_db


def letter(doc_id="a", **fields):
    values = {
        "rev": "1-a",
        "seq": "5-x",
        "deletion": False,
        "stage": "transform",
        "error_type": "KeyError",
        "reason": "'lines'",
        "traceback": "Traceback …",
    }
    return Letter(doc_id=doc_id, **{**values, **fields})


def test_a_letter_keeps_everything():
    letters.write("OrderPillow", "orders", [letter(seq=[7, "x"], deletion=True)])
    row = DeadLetter.objects.get()
    assert (row.pillow, row.stream, row.doc_id, row.rev) == ("OrderPillow", "orders", "a", "1-a")
    assert (row.seq, row.deletion, row.stage) == ('[7,"x"]', True, "transform")
    assert (row.error_type, row.reason, row.traceback) == ("KeyError", "'lines'", "Traceback …")
    assert row.attempts == 1
    assert row.first_at == row.last_at
    assert row.next_attempt_at - row.last_at == timedelta(minutes=5)


def test_a_second_failure_counts_and_keeps_the_first_time():
    letters.write("OrderPillow", "orders", [letter()])
    first = DeadLetter.objects.get()
    letters.write("OrderPillow", "orders", [letter(rev="2-b", reason="'total'")])
    row = DeadLetter.objects.get()
    assert (row.attempts, row.rev, row.reason) == (2, "2-b", "'total'")
    assert row.first_at == first.first_at
    assert row.last_at > first.last_at


def test_one_row_per_pillow_stream_and_document():
    for pillow in ("OrderPillow", "UserPillow"):
        for stream in ("orders", "users"):
            letters.write(pillow, stream, [letter(), letter(), letter("b")])
    assert DeadLetter.objects.count() == 8


@pytest.mark.parametrize("doc_id", ["x" * 4000, "null\0byte", "\ud800", "☃" * 200])
def test_any_id_has_its_letter(doc_id):
    letters.write("OrderPillow", "orders", [letter(doc_id)])
    letters.write("OrderPillow", "orders", [letter(doc_id)])
    assert DeadLetter.objects.get().attempts == 2
    assert letters.clear("OrderPillow", "orders", [doc_id]) == 1


def test_only_what_went_through_is_cleared():
    letters.write("OrderPillow", "orders", [letter(str(n)) for n in range(1200)])
    letters.write("UserPillow", "orders", [letter("0")])
    assert letters.clear("OrderPillow", "orders", [str(n) for n in range(1100)]) == 1100
    assert letters.count("OrderPillow") == 100
    assert letters.count("UserPillow") == 1
    assert letters.among("OrderPillow", "orders", ["0", "1150", "x"]) == {"1150"}
