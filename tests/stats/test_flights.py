"""The messages of the example."""

from __future__ import annotations

import re
import sys
from datetime import datetime

import pytest

from flights import messages
from flights.listed import PLUGINS
from flights.messages import PACKAGE
from pillowtop.stats import checks, registry


def test_there_is_one_for_each_departure_in_the_order_of_time():
    found = messages.messages()
    assert len(found) == 6099
    assert len({message["_id"] for message in found}) == len(found)
    times = [datetime.fromisoformat(message["timestamp"]) for message in found]
    assert times == sorted(times)
    assert found[0] == {
        "_id": "2013-01-01-UA-1545-EWR",
        "timestamp": "2013-01-01T05:17:00-05:00",
        "status": "departed",
        "flight": {"carrier": "UA", "number": 1545},
        "aircraft": "N14228",
        "origin": "EWR",
        "destination": "IAH",
        "delay_minutes": 2,
        "distance_miles": 1400,
    }


def test_what_did_not_leave_has_no_delay():
    cancelled = [one for one in messages.messages() if one["status"] == "cancelled"]
    assert len(cancelled) == 35
    assert {one["delay_minutes"] for one in cancelled} == {None}


def test_pandas_is_not_imported():
    assert PACKAGE not in sys.modules


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(messages, "PACKAGE", "no_such_package")
    with pytest.raises(ModuleNotFoundError, match=re.escape("pip install no_such_package")):
        messages.messages()


def test_its_statistics_can_be_used(settings):
    settings.PILLOWTOP_STATS = {"PLUGINS": PLUGINS}
    assert checks.check_statistics(None) == []
    assert list(registry.plugins()) == [
        "late-departures-1h",
        "volume-1h",
        "departures-by-carrier-1h",
        "delays-1h",
        "aircraft-1d",
        "destinations-1d",
        "latest-departures-1m",
    ]
