from __future__ import annotations

import threading

import pytest

from pillowtop.verification.ahead import PAGES_AHEAD, ahead
from tests.projects import wait_until


def test_pages_come_in_order_and_not_too_many_are_read_ahead():
    read = []

    def pages():
        for number in range(20):
            read.append(number)
            yield number

    coming = ahead(pages())
    assert next(coming) == 0
    wait_until(lambda: len(read) == PAGES_AHEAD + 2)
    assert list(coming) == list(range(1, 20))


def test_an_error_is_raised_behind_the_pages_that_came_before():
    def pages():
        yield 1
        raise ValueError("broken")

    coming = ahead(pages())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="broken"):
        next(coming)


def test_who_wants_no_more_stops_the_reading():
    before = threading.active_count()
    coming = ahead(iter(range(1000)))
    next(coming)
    coming.close()
    wait_until(lambda: threading.active_count() == before)
