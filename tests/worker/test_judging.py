"""What may become dead letters: `on_error`, and storms."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import override_settings

from pillowtop.exceptions import ConfigurationError, DocumentFailed, Stormy
from pillowtop.listener import AliasedElasticPillow, SQLPillow
from pillowtop.models import DeadLetter
from pillowtop.testing import reject


class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = "orders"


class RecordPillow(SQLPillow):
    couch_db = "orders"

    def process_sql(self, document, delete=False):
        if document["_id"] == "b":
            raise ValueError("no b")


@pytest.fixture
def orders(pillowtop_database):
    for doc_id in "abc":
        pillowtop_database.put({"_id": doc_id})
    return pillowtop_database


def saved(orders, name="OrderPillow"):
    return orders.get_local(f"pillowtop-{name}")["seq"]


@pytest.mark.parametrize("kind", [OrderPillow, RecordPillow])
def test_a_pillow_that_halts(kind, orders, pillowtop_run, pillowtop_elasticsearch):
    pillow = kind()
    pillow.on_error = "halt"
    pillowtop_elasticsearch.fail_next(reject("b"))
    with pytest.raises(DocumentFailed, match=r"'b' at transport.*mend the document or the pillow"):
        pillowtop_run(pillow)
    assert not DeadLetter.objects.exists()
    assert saved(orders, pillow.name) == "0"


@pytest.mark.parametrize("kind", [OrderPillow, RecordPillow])
def test_a_pillow_that_ignores(kind, orders, pillowtop_run, pillowtop_elasticsearch, caplog):
    pillow = kind()
    pillow.on_error = "ignore"
    pillowtop_elasticsearch.fail_next(reject("b"))
    pillowtop_run(pillow)
    assert not DeadLetter.objects.exists()
    assert saved(orders, pillow.name) != "0"
    assert "ignores 1 documents (on_error is 'ignore'), among them document 'b'" in caplog.text


def test_what_on_error_cannot_be(orders, pillowtop_run, pillowtop_elasticsearch):
    pillow = OrderPillow()
    pillow.on_error = "explode"
    with pytest.raises(ConfigurationError, match="on_error is one of letter, halt, ignore, not 'e"):
        pillowtop_run(pillow)


@pytest.mark.parametrize("kind", [OrderPillow, RecordPillow])
def test_no_letter_of_a_storm_is_written(kind, orders, pillowtop_run, pillowtop_elasticsearch):
    pillow = kind()
    pillowtop_elasticsearch.fail_next(reject("b"))
    stormy = {**settings.PILLOWTOP, "STORM_DOCUMENTS": 2}
    with override_settings(PILLOWTOP=stormy), pytest.raises(Stormy, match="'b' at transport"):
        pillowtop_run(pillow)
    assert not DeadLetter.objects.exists()
    assert saved(orders, pillow.name) == "0"
