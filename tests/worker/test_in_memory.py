"""A whole lane between a database and an index that fail in turn, by hypothesis."""

from __future__ import annotations

import itertools

import pytest
from django.test.utils import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pillowtop.listener import AliasedElasticPillow, PythonPillow
from pillowtop.models import DeadLetter
from pillowtop.records.couch import IDENTITY
from pillowtop.testing import (
    FakeDatabase,
    FakeElasticsearch,
    answer_with,
    busy,
    disordered,
    interrupted,
    late,
    repeated,
    reset,
    rewound,
    shortened,
    truncated,
    without_seqs,
)
from pillowtop.worker.rehearsal import rehearse

names = itertools.count()


class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = "orders"


class LoadingPillow(OrderPillow):
    include_docs = False


class ChoosyPillow(PythonPillow, OrderPillow):
    selection_is_stable = True

    def python_filter(self, document):
        return document["paid"]


happening = st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), min_size=3, max_size=8)
of_feed = st.lists(
    st.sampled_from([interrupted(0), interrupted(2), rewound(), repeated(), without_seqs()]),
    max_size=2,
)
of_index = st.lists(
    st.sampled_from(
        [answer_with(503), busy("a"), busy(), disordered(), late(), reset(), reset(written=False),
         shortened(), truncated()]
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip


@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([OrderPillow, LoadingPillow]),
    st.lists(st.tuples(happening, of_feed, of_index), min_size=1, max_size=3),
)
def test_index_and_database_end_in_step(kind, lives):
    database = FakeDatabase(f"orders-{next(names)}")
    # Or each example would wait until its database's new identity has settled.
    database.put_local(IDENTITY, {"identity": database.name})
    with FakeElasticsearch() as es, override_settings(PILLOWTOP={"ELASTICSEARCH_URL": es.url}):
        for changes, faults, failures in lives:
            for number, (doc_id, lives_on) in enumerate(changes):
                database.put({"_id": doc_id, "n": number}) if lives_on else database.delete(doc_id)
            database.fail_next(*faults)
            for failure in failures:
                es.fail_next(failure)
            pillow = kind()
            pillow.name = database.name
            database.follow_with(pillow)
            rehearse(pillow)
            es.apply_late()
        found = es.documents("orders")
    assert {doc_id: document["_rev"] for doc_id, document in found.items()} == {
        doc_id: database.get(doc_id)["_rev"] for doc_id in "abcde" if database.get(doc_id)
    }


@pytest.mark.django_db
def test_a_filter_that_fails_on_one_document_is_asked_about_the_others():
    database = FakeDatabase("choosy")
    database.put_local(IDENTITY, {"identity": "choosy"})
    database.put({"_id": "a", "paid": True})
    database.put({"_id": "b"})
    database.put({"_id": "c", "paid": False})
    database.put({"_id": "d", "paid": True})
    with FakeElasticsearch() as es, override_settings(PILLOWTOP={"ELASTICSEARCH_URL": es.url}):
        pillow = ChoosyPillow()
        database.follow_with(pillow)
        rehearse(pillow)
        assert es.documents("orders").keys() == {"a", "d"}
    (letter,) = DeadLetter.objects.filter(pillow="ChoosyPillow")
    assert (letter.doc_id, letter.stage, letter.error_type) == ("b", "filter", "KeyError")
