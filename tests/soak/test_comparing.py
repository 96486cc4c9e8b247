"""What an index has to hold, and how it is said that it does not."""

from __future__ import annotations

import random

import pytest

from airports.pillows import AirportPillow, FrenchAirportPillow
from dev.soak.comparing import Difference, Kind, State, differences, expected, lost
from dev.soak.tasks import airport, spoiled

SPOILED = "KeyError: 'elevation'"


def written(doc_id, rev, country="DE"):
    return airport(random.Random(doc_id), doc_id) | {"_rev": rev, "country": country}


@pytest.fixture
def documents():
    return [
        written("a", "1-a"),
        written("b", "2-b", "FR"),
        spoiled(written("c", "1-c")),
        spoiled(written("d", "1-d", "FR")),
    ]


@pytest.fixture
def wanted(documents):
    return expected(AirportPillow(), documents)


def test_all_documents_are_expected_as_their_pillow_transforms_them(documents, wanted):
    assert wanted.sources.keys() == {"a", "b"}
    source = wanted.sources["a"]
    assert source["elevation_m"] == round(documents[0]["elevation"] * 0.3048)
    assert source["pillowtop"] == {
        "id": "a",
        "rev": "1-a",
        "database": AirportPillow.couch_db,
        "pillow": "AirportPillow",
    }
    assert not {"_id", "lat", "lon", "elevation"} & source.keys()
    assert wanted.letters == {"c": SPOILED, "d": SPOILED}


def test_only_what_the_filter_takes_is_expected(documents):
    wanted = expected(FrenchAirportPillow(), documents)
    assert wanted.sources.keys() == {"b"}
    assert wanted.letters == {"d": SPOILED}


def test_what_is_as_expected_has_no_differences(wanted):
    assert differences("AirportPillow", wanted, wanted) == []


def said(wanted, sources, letters=None):
    found = State(sources, wanted.letters if letters is None else letters)
    return [str(one) for one in differences("P", wanted, found)]


def test_what_is_missing_is_named(wanted):
    found = {"b": wanted.sources["b"]}
    assert said(wanted, found) == ["P: 'a' is missing in the index, in revision 1-a"]


def test_what_is_too_much_is_named(wanted):
    found = {**wanted.sources, "x": {"pillowtop": {"rev": "3-x"}}}
    assert said(wanted, found) == ["P: 'x' should not be in the index, and is, in revision 3-x"]


def test_another_revision_is_named(wanted):
    found = {**wanted.sources, "a": {"pillowtop": {"rev": "0-a"}}}
    assert said(wanted, found) == ["P: 'a' is indexed in revision 0-a, not 1-a"]


def test_other_content_is_named(wanted):
    found = {**wanted.sources, "a": {**wanted.sources["a"], "elevation_m": 1, "more": 2}}
    assert said(wanted, found) == ["P: 'a' is indexed with other content: elevation_m, more"]
    assert differences("P", wanted.revs_only(), State(found, wanted.letters).revs_only()) == []


def test_what_has_a_letter_may_be_in_the_index_or_not(wanted):
    assert said(wanted, {**wanted.sources, "c": {"pillowtop": {"rev": "0-c"}}}) == []


def test_letters_that_should_not_be_are_named(wanted):
    letters = {**wanted.letters, "a": "mapper: no"}
    assert said(wanted, wanted.sources, letters) == [
        "P: 'a' has a dead letter it should not have: mapper: no"
    ]


def test_letters_that_should_be_are_named(wanted):
    assert said(wanted, wanted.sources, {"c": SPOILED}) == [
        "P: 'd' has no dead letter (KeyError: 'elevation')"
    ]


def test_what_couchdb_has_lost_is_not_laid_on_the_index():
    known = {"a": "2-a", "b": None, "c": "1-c", "d": None}
    assert lost(known, {"a": "1-a", "c": "1-c", "d": "1-d", "other": "1-o"}) == [
        Difference("CouchDB", "a", "has 1-a, but 2-a was acknowledged", Kind.LOST),
        Difference("CouchDB", "d", "has 1-d, but None was acknowledged", Kind.LOST),
    ]
