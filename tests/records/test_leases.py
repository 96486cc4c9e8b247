from __future__ import annotations

import pytest

from pillowtop.engine.leases import Holder, Standing
from pillowtop.models import PillowRecord
from pillowtop.records import leases, tokens

pytestmark = pytest.mark.django_db

ONE = Holder("1", "a", "boot", 7, 70)
OTHER = Holder("2", "b", "boot", 8, 80)


def take(by):
    return leases.take("OrderPillow", leases.look("OrderPillow"), by)


def test_a_lease_is_taken_renewed_and_released():
    assert leases.look("OrderPillow") == leases.NOBODY
    assert take(ONE)
    assert leases.look("OrderPillow") == Standing(ONE, 1)
    assert leases.renew("1", ["OrderPillow", "UserPillow"]) == {"OrderPillow": None}
    assert leases.look("OrderPillow") == Standing(ONE, 2)
    leases.release("1", ["OrderPillow"])
    assert leases.look("OrderPillow").holder.id == ""
    assert take(OTHER)


def test_a_lease_that_has_moved_since_it_was_seen_is_not_taken():
    assert take(ONE)
    seen = leases.look("OrderPillow")
    leases.renew("1", ["OrderPillow"])
    assert not leases.take("OrderPillow", seen, OTHER)
    assert leases.look("OrderPillow").holder == ONE


def test_of_two_that_see_the_same_one_takes_it():
    seen = leases.look("OrderPillow")
    assert leases.take("OrderPillow", seen, ONE)
    assert not leases.take("OrderPillow", seen, OTHER)


def test_what_another_holds_is_neither_renewed_nor_released():
    assert take(ONE)
    assert leases.renew("2", ["OrderPillow"]) == {}
    leases.release("2", ["OrderPillow"])
    assert leases.look("OrderPillow") == Standing(ONE, 1)


def test_tokens_and_leases_leave_each_other_alone():
    assert take(ONE)
    token = tokens.raise_token("OrderPillow")
    assert take(OTHER)
    assert PillowRecord.objects.get().token == token
    assert tokens.raise_token("OrderPillow") == token + 1
    assert leases.look("OrderPillow").holder == OTHER


def test_the_holder_hears_who_asks_and_hands_over():
    assert take(ONE)
    leases.ask("OrderPillow", OTHER)
    leases.ask("OrderPillow", Holder("3", "c", "boot", 9, 90))  # too late
    assert leases.renew("1", ["OrderPillow"]) == {"OrderPillow": OTHER}
    leases.hand_over("1", "OrderPillow", OTHER)
    assert leases.look("OrderPillow").holder == OTHER
    assert leases.renew("2", ["OrderPillow"]) == {"OrderPillow": None}


def test_what_another_holds_is_not_handed_over():
    assert take(ONE)
    leases.hand_over("2", "OrderPillow", OTHER)
    assert leases.look("OrderPillow").holder == ONE


def test_a_lease_is_offered_until_somebody_takes_it():
    assert take(ONE)
    leases.offer("2", "OrderPillow")
    assert not leases.look("OrderPillow").yields
    leases.offer("1", "OrderPillow")
    assert leases.look("OrderPillow").yields
    assert take(OTHER)
    assert not leases.look("OrderPillow").yields


def test_who_has_asked_and_takes_it_is_asked_by_nobody():
    assert take(ONE)
    leases.ask("OrderPillow", OTHER)
    leases.release("1", ["OrderPillow"])
    assert take(OTHER)
    assert leases.renew("2", ["OrderPillow"]) == {"OrderPillow": None}
