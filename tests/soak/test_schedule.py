"""What a seed decides: the harms of a storm."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dev.soak.schedule import HANGS_LONG_SECONDS, Deed, storm

VICTIMS = ["couchdb", "elasticsearch", "worker"]
storms = st.builds(
    storm,
    seed=st.integers(0, 1000),
    number=st.integers(0, 5),
    seconds=st.floats(0, 400),
    victims=st.just(VICTIMS),
)


def test_a_seed_decides_everything():
    assert storm(7, 0, 180, VICTIMS) == storm(7, 0, 180, VICTIMS)
    assert storm(7, 0, 180, VICTIMS) != storm(8, 0, 180, VICTIMS)
    assert storm(7, 0, 180, VICTIMS) != storm(7, 1, 180, VICTIMS)


@given(harms=storms)
def test_harms_are_in_order(harms):
    assert harms == sorted(harms, key=lambda harm: harm.at)


@given(number=st.integers(0, 5), seconds=st.floats(0, 400))
def test_all_harm_is_undone_within_the_storm(number, seconds):
    assert all(0 < harm.at <= harm.ends < seconds for harm in storm(1, number, seconds, VICTIMS))


@given(harms=storms)
def test_nobody_is_harmed_twice_at_once(harms):
    for victim in VICTIMS:
        own = [harm for harm in harms if harm.victim == victim]
        assert all(one.ends <= other.at for one, other in itertools.pairwise(own))


def test_everything_happens_to_everybody():
    done = {(harm.victim, harm.deed) for harm in storm(1, 0, 180, VICTIMS)}
    assert done == set(itertools.product(VICTIMS, Deed))


def test_two_may_be_harmed_at_once():
    harms = storm(1, 0, 180, VICTIMS)
    assert any(one.ends > other.at for one, other in itertools.pairwise(harms))


def test_some_hang_for_longer_than_a_request_may_take():
    lasts = [harm.lasts for number in range(10) for harm in storm(1, number, 180, VICTIMS)]
    assert any(seconds >= HANGS_LONG_SECONDS[0] for seconds in lasts)


def test_only_those_are_harmed_who_are_given():
    harms = storm(1, 0, 180, ["worker"])
    assert {harm.victim for harm in harms} == {"worker"}
    assert {harm.deed for harm in harms} == set(Deed)


def test_a_harm_says_what_it_is():
    words = {str(harm) for harm in storm(1, 0, 60, VICTIMS)}
    assert any(one.startswith("kill worker, for ") for one in words)
