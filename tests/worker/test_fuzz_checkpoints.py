"""A whole lane whose memory in CouchDB is not what it left there: no document is passed by."""

from __future__ import annotations

import itertools

import pytest
from django.test.utils import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pillowtop.exceptions import PillowtopError
from pillowtop.records.couch import IDENTITY, checkpoint_id
from pillowtop.testing import FakeDatabase, FakeElasticsearch
from pillowtop.worker.rehearsal import rehearse
from tests.fuzzing import HUGE, json_values
from tests.worker.test_in_memory import OrderPillow

FIELDS = ["seq", "identity", "filter", "target", "token", "generation", "born", "letters"]

names = itertools.count()
odd = json_values | st.sampled_from(HUGE)
changes = st.dictionaries(st.sampled_from(FIELDS), odd, min_size=1, max_size=2)


def run(pillow):
    """Run a pillow, again where its ground has changed; the error with which it ends, if any."""
    for _ in range(3):
        try:
            rehearse(pillow)
        except PillowtopError as error:
            ended = error
        else:
            return None
    return ended


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes, st.none() | odd, st.booleans())
def test_all_is_delivered_or_an_error_says_why_not(changed, identity, emptied):
    database = FakeDatabase(f"fuzzed-{next(names)}")
    database.put_local(IDENTITY, {"identity": database.name})
    pillow = OrderPillow()
    pillow.name = database.name
    database.follow_with(pillow)
    with FakeElasticsearch() as es, override_settings(PILLOWTOP={"ELASTICSEARCH_URL": es.url}):
        database.put({"_id": "a"})
        rehearse(pillow)
        database.put({"_id": "b"})
        left = {} if emptied else database.get_local(checkpoint_id(pillow.name))
        database.put_local(checkpoint_id(pillow.name), {**left, **changed})
        if identity is not None:
            database.put_local(IDENTITY, {"identity": identity})
        error = run(pillow)
        found = es.documents("orders")
    assert error or set(found) == {"a", "b"}
