from __future__ import annotations

import pytest

from pillowtop.engine.versions import NUMBERS_PER_TOKEN, Versions, VersionsExhausted

LARGEST_LONG = 2**63 - 1


def test_versions_only_go_up():
    versions = Versions(token=7)
    first = versions.draw(3)
    assert versions.draw() == first + 3


def test_a_later_life_draws_higher_versions_than_all_of_an_earlier_one():
    earlier = Versions(token=7)
    last = earlier.draw(NUMBERS_PER_TOKEN - 1) + NUMBERS_PER_TOKEN - 2
    assert Versions(token=8).draw() > last


def test_a_life_that_has_drawn_them_all_says_so():
    versions = Versions(token=7)
    versions.draw(NUMBERS_PER_TOKEN - 1)
    with pytest.raises(VersionsExhausted):
        versions.draw()


def test_tokens_of_this_century_fit_a_long():
    seconds_in_2100 = 4_102_444_800
    assert Versions(seconds_in_2100).draw(NUMBERS_PER_TOKEN - 1) + NUMBERS_PER_TOKEN < LARGEST_LONG
