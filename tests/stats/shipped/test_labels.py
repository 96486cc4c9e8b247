from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pillowtop.records.database import storable
from pillowtop.stats.shipped import labels
from tests.stats.shipped.messages import JSON


@given(JSON)
def test_every_value_has_a_label_that_databases_take(value):
    label = labels.label(value)
    assert 0 < len(label) <= labels.MAX_CHARACTERS
    assert storable(label) == label


@given(JSON)
def test_a_label_is_its_own_label(value):
    assert labels.label(labels.label(value)) == labels.label(value)


@given(st.lists(JSON))
def test_values_are_counted_as_their_labels(values):
    counts = Counter({"a": 1})
    labels.count(counts, values)
    assert counts == Counter(["a", *map(labels.label, values)])


@given(st.lists(JSON))
def test_labels_of_many_are_those_of_each(values):
    assert labels.labels(values) == [labels.label(value) for value in values]
