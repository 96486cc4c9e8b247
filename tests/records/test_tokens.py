from __future__ import annotations

import time

import pytest

from pillowtop.records import tokens

pytestmark = pytest.mark.django_db


def test_each_start_raises_the_token():
    first = tokens.raise_token("OrderPillow")
    assert tokens.raise_token("OrderPillow") == first + 1


def test_a_token_that_couchdb_remembers_is_raised_too():
    assert tokens.raise_token("OrderPillow", at_least=7) == 8
    assert tokens.raise_token("OrderPillow", at_least=7) == 9


def test_a_pillow_that_nobody_remembers_is_above_what_its_index_may_hold():
    before = int(time.time())
    assert tokens.raise_token("OrderPillow") >= before
