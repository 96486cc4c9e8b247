from __future__ import annotations

import msgspec
import pytest
from django.utils import timezone

from pillowtop.engine.resuming import NOTHING, Checkpoint, Request
from pillowtop.exceptions import LeaseLost, StartAgain
from pillowtop.models import PastPosition
from pillowtop.records import history, letters, positions, requests
from tests.records.test_letters import letter

pytestmark = pytest.mark.django_db

SAVED = Checkpoint("9-x", "identity", "filter", "target", token=5, generation=20)


@pytest.mark.parametrize("seq", ["9-" + "x" * 5000, 7, [5, "opaque"], {"a": None}])
def test_seqs_of_any_form_and_length_come_back(seq):
    checkpoint = msgspec.structs.replace(SAVED, seq=seq)
    positions.remember("OrderPillow", "orders", checkpoint)
    assert positions.recall("OrderPillow", "orders") == checkpoint


def test_nothing_is_remembered_of_others():
    positions.remember("OrderPillow", "orders", SAVED)
    assert positions.recall("OrderPillow", "users") is None
    assert positions.recall("UserPillow", "orders") is None


def test_a_later_life_has_the_last_word():
    positions.remember("OrderPillow", "orders", SAVED)
    with pytest.raises(LeaseLost):
        positions.remember("OrderPillow", "orders", msgspec.structs.replace(SAVED, token=4))
    newer = msgspec.structs.replace(SAVED, token=6, seq="1-y", generation=3)
    positions.remember("OrderPillow", "orders", newer)
    assert positions.recall("OrderPillow", "orders") == newer


def test_a_life_claims_the_position_that_it_starts_from():
    first = msgspec.structs.replace(SAVED, born=3)
    positions.claim(None, "OrderPillow", "orders", first)
    moved = msgspec.structs.replace(first, seq="10-x")
    positions.move("OrderPillow", "orders", first, "10-x", int)
    second = msgspec.structs.replace(SAVED, token=6)
    for outdated in (None, first):
        with pytest.raises(StartAgain, match="while this one started"):
            positions.claim(outdated, "OrderPillow", "orders", second)
    positions.claim(moved, "OrderPillow", "orders", second)
    with pytest.raises(LeaseLost):
        positions.move("OrderPillow", "orders", moved, "11-x", int)
    assert positions.recall("OrderPillow", "orders") == second


def test_letters_are_those_that_this_database_has_seen_written():
    """It may have been replaced under a life: then its count must not become that of CouchDB."""
    vouched = msgspec.structs.replace(SAVED, letters=5)
    positions.remember("OrderPillow", "orders", vouched)
    assert positions.recall("OrderPillow", "orders") == SAVED
    positions.claim(SAVED, "OrderPillow", "orders", vouched)
    assert positions.recall("OrderPillow", "orders") == vouched
    letters.write("OrderPillow", "orders", [letter()])
    positions.remember("OrderPillow", "orders", vouched)
    assert positions.recall("OrderPillow", "orders").letters == 6


RESET, ACCEPT = Request("reset"), Request("accept")
BACK = Request("restore", "7-x", "identity")


def asked():
    return requests.asked("OrderPillow").request


def test_a_request_stands_until_it_is_done():
    requests.ask("OrderPillow", ACCEPT)
    assert asked() == ACCEPT
    assert requests.asked("UserPillow") == (NOTHING, 0)
    requests.done("OrderPillow", requests.asked("OrderPillow").last)
    assert asked() == NOTHING


def test_the_last_request_counts_and_a_reset_is_more_than_accepting():
    for request in (RESET, ACCEPT):
        requests.ask("OrderPillow", request)
    assert asked() == RESET
    requests.ask("OrderPillow", BACK)
    assert asked() == BACK
    requests.ask("OrderPillow", RESET)
    assert asked() == RESET


def test_a_request_that_came_later_is_not_acknowledged():
    requests.ask("OrderPillow", ACCEPT)
    seen = requests.asked("OrderPillow")
    requests.ask("OrderPillow", RESET)
    requests.done("OrderPillow", seen.last)
    assert asked() == RESET


def test_there_is_one_sweep_behind_the_latest_replay():
    assert requests.sweep_due("OrderPillow") is None
    requests.ask_sweep("OrderPillow", 5)
    requests.ask_sweep("OrderPillow", 7)
    assert requests.sweep_due("OrderPillow") == 7
    assert asked() == NOTHING
    requests.sweep_done("OrderPillow")
    assert requests.sweep_due("OrderPillow") is None


def test_positions_are_noted_now_and_then_and_forgotten_but_not_those_before_a_change():
    history.note("OrderPillow", "orders", SAVED, BACK)
    for seq in ("10-x", "11-x"):
        moved = msgspec.structs.replace(SAVED, seq=seq)
        history.note_in_passing("OrderPillow", "orders", moved)
    assert [one.seq for one in history.past("OrderPillow")] == ["10-x", "9-x"]
    long_ago = timezone.now() - history.KEPT * 2
    PastPosition.objects.update(noted_at=long_ago)
    history.note_in_passing("OrderPillow", "orders", SAVED)
    past = history.past("OrderPillow")
    assert [(one.seq, one.verb) for one in past] == [("9-x", ""), ("9-x", "restore")]
    assert past[-1].identity == "identity"
