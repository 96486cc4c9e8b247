"""The example project."""

from __future__ import annotations

import os
import subprocess
import sys

import airportsdata
import pytest

from airports.management.commands.load_airports import published
from airports.pillows import AirportPillow, FrenchAirportPillow
from tests.project.source import ROOT

PARIS = {"_id": "CDG", "_rev": "1-a", **airportsdata.load("IATA")["CDG"]}


def test_it_has_no_mistake():
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
        cwd=ROOT / "example", capture_output=True, text=True, check=False,
        env={
            **os.environ,
            "COUCHDB_URL": "http://localhost:5984",  # in place of one with a password (W001)
            "DJANGO_SETTINGS_MODULE": "project.settings",
        },
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_an_airport_gets_a_location_and_metres():
    indexed = AirportPillow().change_transform(dict(PARIS))
    assert indexed["location"] == {"lat": PARIS["lat"], "lon": PARIS["lon"]}
    assert indexed["elevation_m"] == 119
    assert indexed["name"] == PARIS["name"]
    assert not {"lat", "lon", "elevation"} & indexed.keys()


@pytest.mark.parametrize(("country", "taken"), [("FR", True), ("DE", False)])
def test_french_airports_are_those_in_france(country, taken):
    assert FrenchAirportPillow().python_filter({**PARIS, "country": country}) is taken


def test_documents_replace_those_that_exist():
    documents = {document["_id"]: document for document in published([PARIS])}
    assert documents["CDG"]["_rev"] == "1-a"
    assert "_rev" not in documents["ORY"]
    assert len(documents) > 3000
