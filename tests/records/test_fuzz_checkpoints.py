"""Documents of any form in the place of a checkpoint, or of an identity."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.engine.resuming import START, Checkpoint, Surroundings, decide_start
from pillowtop.models import Position
from pillowtop.records import couch, positions
from tests.fuzzing import HUGE, attempted, json_values

NOW = Surroundings("identity", "filter", "target")
SAVED = Checkpoint("9-x", "identity", "filter", "target", token=5, generation=20)
WRITTEN = {**msgspec.structs.asdict(SAVED), "pillow": "OrderPillow", "_rev": "0-1"}

documents = st.fixed_dictionaries(
    {},
    optional={
        key: st.just(value) | st.sampled_from(HUGE) | json_values for key, value in WRITTEN.items()
    },
)
checkpoints = documents | st.dictionaries(st.text(max_size=8), json_values, max_size=3)
surroundings = st.builds(
    Surroundings,
    st.sampled_from(["identity", "other", None]),
    st.sampled_from(["filter", "other"]),
    st.sampled_from(["target", "other"]),
)


class Locals:
    """The `_local` documents of a database."""

    def __init__(self, **documents):
        self.documents = documents

    def get_local(self, local_id):
        return self.documents.get(local_id)

    def put_local(self, local_id, document):
        self.documents[local_id] = document


def read(document):
    return couch.read_checkpoint(
        Locals(**{couch.checkpoint_id("OrderPillow"): document}), "OrderPillow"
    )


@given(checkpoints, st.sampled_from([None, SAVED]), surroundings)
@settings(deadline=None, max_examples=150)
def test_it_goes_on_only_from_what_vouches_for_what_is_there(document, in_django, now):
    in_couch = read(document)
    start, error = attempted(decide_start, in_couch, in_django, now)
    if error:
        assert str(error)
        return
    if start.seq == START:
        return
    assert in_couch is not None
    assert start.seq in [one.seq for one in (in_couch, in_django) if one]
    assert (in_couch.identity, in_couch.target) == (now.identity, now.target) or in_django
    if start.seq == in_couch.seq and in_django:
        assert in_couch.generation >= in_django.generation


@given(checkpoints)
@settings(deadline=None)
def test_what_is_read_fits_everywhere(document):
    found = read(document)
    if found is not None:
        assert 0 <= found.token < 2**32 - 1
        assert 0 <= found.generation <= 2**62
        assert "\0" not in found.identity + found.filter + found.target
        assert len(found.identity) <= 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", 10**30),
        ("token", 2**32),
        ("token", -1),
        ("token", "5"),
        ("generation", 2**63 - 1),
        ("generation", None),
        ("born", 1.5),
        ("identity", "x" * 65),
        ("identity", "\0"),
        ("target", {}),
    ],
)
def test_an_unreadable_checkpoint_is_said_to_be_one(caplog, field, value):
    assert read(WRITTEN) == SAVED
    assert read({**WRITTEN, field: value}) is None
    (record,) = caplog.records
    assert (record.action, record.pillow) == ("checkpoint_unreadable", "OrderPillow")
    assert field in record.getMessage()


@given(json_values)
@settings(deadline=None)
def test_an_identity_is_what_we_would_give_or_none(value):
    found = couch.read_identity(Locals(**{couch.IDENTITY: {"identity": value}}))
    assert found is None or (found == value and 0 < len(found) <= 64 and found.isprintable())


@pytest.mark.parametrize("value", ["", "x" * 65, "\0", "ü", "a b", "a\n", 5, None, ["a"]])
def test_a_database_with_an_identity_of_another_form_has_none(monkeypatch, value):
    monkeypatch.setattr(couch, "SETTLE_SECONDS", 0)
    database = Locals(**{couch.IDENTITY: {"identity": value}})
    assert couch.read_identity(database) is None
    given_one = couch.settled_identity(database)
    assert couch.read_identity(database) == given_one


@pytest.mark.django_db
@pytest.mark.parametrize("seq", ["", "nonsense", '"9-x', "[" * 2000])
def test_a_position_that_is_no_json_counts_as_none(caplog, seq):
    positions.remember("OrderPillow", "orders", SAVED)
    Position.objects.update(seq=seq)
    assert positions.recall("OrderPillow", "orders") is None
    assert positions.recall_all("OrderPillow") == []
    assert {record.action for record in caplog.records} == {"checkpoint_unreadable"}
    later = msgspec.structs.replace(SAVED, token=6)
    positions.claim(None, "OrderPillow", "orders", later)
    assert positions.recall("OrderPillow", "orders") == later
