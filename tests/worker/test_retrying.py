"""Dead letters are tried again: with what the document is by then, under a newer version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from pillowtop.exceptions import StartAgain
from pillowtop.listener import AliasedElasticPillow, SQLPillow
from pillowtop.models import DeadLetter, PillowRecord, Position
from pillowtop.testing import meanwhile, reject


class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = "orders"


class PickyPillow(OrderPillow):
    """Refuses documents until they are what it wants."""

    refused = frozenset({"a", "b", "c"})
    taken = True

    def filter(self, change):
        return self.taken

    def change_transform(self, document):
        if document["_id"] in self.refused:
            raise ValueError(f"no {document['_id']}")
        return document


@pytest.fixture
def orders(pillowtop_database):
    for doc_id in "abcd":
        pillowtop_database.put({"_id": doc_id, "n": 1})
    return pillowtop_database


@pytest.fixture
def run(pillowtop_run, pillowtop_elasticsearch):
    """Run a pillow, and return what the index holds: `n` by id."""

    def run_pillow(pillow):
        pillowtop_run(pillow)
        documents = pillowtop_elasticsearch.documents("orders")
        return {doc_id: one["n"] for doc_id, one in documents.items()}

    return run_pillow


@pytest.fixture
def refused(orders, run):
    """The letters of a, b and c, of a pillow that would take them by now."""
    assert run(PickyPillow()) == {"d": 1}
    assert letters() == {"a": 1, "b": 1, "c": 1}
    pillow = PickyPillow()
    pillow.refused = frozenset()
    return pillow


def letters():
    """How often documents have failed, by id."""
    return dict(DeadLetter.objects.values_list("doc_id", "attempts"))


def let_all_be_due():
    DeadLetter.objects.update(next_attempt_at=timezone.now())


def minutes_until_next(doc_id):
    letter = DeadLetter.objects.get(doc_id=doc_id)
    return (letter.next_attempt_at - letter.last_at) / timedelta(minutes=1)


def test_nothing_is_tried_before_its_time(refused, run):
    assert run(refused) == {"d": 1}
    assert letters() == {"a": 1, "b": 1, "c": 1}


def test_letters_that_are_due_are_tried_with_what_the_document_is_now(refused, run, orders):
    orders.put({"_id": "b", "n": 2})
    orders.delete("c")
    let_all_be_due()
    assert run(refused) == {"a": 1, "b": 2, "d": 1}
    assert letters() == {}


def test_a_retry_undoes_no_later_update_and_brings_back_nothing(refused, run, orders):
    """What changes behind the reading is in the feed, under a higher version."""
    let_all_be_due()
    refused.include_docs = False
    orders.fail_next(meanwhile(lambda: orders.delete("a")))
    run(refused)
    orders.put({"_id": "b", "n": 9})
    DeadLetter.objects.all().delete()
    assert run(refused) == {"b": 9, "c": 1, "d": 1}


def test_a_document_that_goes_through_on_its_own_clears_its_letter(refused, run, orders):
    orders.put({"_id": "a", "n": 5})
    assert run(refused) == {"a": 5, "d": 1}
    assert letters() == {"b": 1, "c": 1}


def test_a_document_that_is_not_wanted_any_more_has_no_letter(refused, run):
    refused.taken = False
    let_all_be_due()
    assert run(refused) == {"d": 1}
    assert letters() == {}


def test_the_schedule(refused, run):
    refused.refused = frozenset({"a"})
    assert minutes_until_next("a") == pytest.approx(5, abs=0.1)
    for attempts, minutes in [(2, 20), (3, 45), (4, 24 * 60), (5, 24 * 60)]:
        let_all_be_due()
        run(refused)
        assert letters() == {"a": attempts}
        assert minutes_until_next("a") == pytest.approx(minutes, abs=0.1)


def test_a_schedule_of_ones_own(orders, run):
    with override_settings(PILLOWTOP={**settings.PILLOWTOP, "RETRY_MINUTES": [2]}):
        run(PickyPillow())
        assert minutes_until_next("a") == pytest.approx(2, abs=0.1)
        let_all_be_due()
        run(PickyPillow())
        assert minutes_until_next("a") == pytest.approx(24 * 60, abs=0.1)


def test_what_couchdb_does_not_know_is_deleted_at_the_end_of_the_schedule(refused, run, orders):
    run(OrderPillow())  # it stands in the index
    orders.purge("a")
    refused.refused = frozenset("bc")
    for attempts in (2, 3):
        let_all_be_due()
        assert "a" in run(refused)
        assert letters()["a"] == attempts
    let_all_be_due()
    assert "a" not in run(refused)
    assert letters().keys() == {"b", "c"}


def test_a_database_that_was_made_anew_deletes_nothing(
    refused, run, orders, pillowtop_elasticsearch
):
    run(OrderPillow())
    DeadLetter.objects.update(attempts=3)
    let_all_be_due()
    orders.fail_next(meanwhile(orders.recreate))
    with pytest.raises(StartAgain, match="not the one that was read"):
        run(refused)
    assert pillowtop_elasticsearch.documents("orders").keys() == set("abcd")
    assert letters().keys() == set("abc")


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "restored from a backup"])
def test_letters_that_the_django_database_has_lost_are_written_again(refused, run, is_lost):
    DeadLetter.objects.all().delete()
    if is_lost:
        Position.objects.all().delete()
        PillowRecord.objects.all().delete()
    else:
        Position.objects.update(letters=0)
    run(PickyPillow())
    assert letters() == {"a": 1, "b": 1, "c": 1}
    DeadLetter.objects.all().delete()  # by an operator: nothing is written again for that
    run(PickyPillow())
    assert letters() == {}


def test_of_a_database_made_again_no_letter_stays_that_is_about_the_former_one(
    refused, run, orders
):
    refused.on_recreated = "resync"
    DeadLetter.objects.update(attempts=4)
    orders.recreate()
    orders.put({"_id": "b", "n": 2})
    assert run(refused) == {"b": 2}
    assert letters() == {}


def test_a_line_that_is_no_change_is_not_tried_again(orders, run):
    orders.garble("a")
    run(OrderPillow())
    assert DeadLetter.objects.get().next_attempt_at is None


def test_a_filter_in_couchdb_is_believed(orders, run):
    """It has let the revision pass that failed, and is not asked about another."""

    class FilteredPillow(PickyPillow):
        couch_filter = "orders/open"
        selection_is_stable = True

    run(FilteredPillow())
    orders.put({"_id": "a", "n": 2})
    orders.delete("b")
    pillow = FilteredPillow()
    pillow.taken = False  # the filter passes over what has changed
    run(pillow)
    pillow = FilteredPillow()
    pillow.refused = frozenset()
    let_all_be_due()
    assert run(pillow) == {"c": 1, "d": 1}
    assert letters() == {"a": 2}


def test_letters_of_a_sql_pillow(orders, pillowtop_run):
    class RecordPillow(SQLPillow):
        couch_db = "orders"
        refused = True

        def process_sql(self, document, delete=False):
            if self.refused:
                raise ValueError("not now")
            PillowRecord.objects.create(name=document["_id"])

    pillowtop_run(RecordPillow())
    assert letters().keys() == set("abcd")
    let_all_be_due()
    pillow = RecordPillow()
    pillow.refused = False
    pillowtop_run(pillow)
    assert letters() == {}
    assert PillowRecord.objects.filter(name__in="abcd").count() == 4


def test_what_the_index_rejected(orders, run, pillowtop_elasticsearch):
    pillowtop_elasticsearch.fail_next(reject("a"))
    assert run(OrderPillow()) == {"b": 1, "c": 1, "d": 1}
    let_all_be_due()
    assert run(OrderPillow()) == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert letters() == {}
