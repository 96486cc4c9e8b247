"""The fixtures, in our own tests, and in a project of somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from django.conf import settings

from pillowtop.exceptions import DatabaseRecreated
from pillowtop.listener import AliasedElasticPillow
from pillowtop.models import DeadLetter
from pillowtop.testing import (
    busy,
    interrupted,
    meanwhile,
    reject,
    repeated,
    reset,
    rewound,
    truncated,
    without_seqs,
)
from pillowtop.worker.rehearsal import rehearse
from tests.project.source import ROOT


class OrderPillow(AliasedElasticPillow):
    couch_db = "orders"
    es_alias = "orders"


class SlowPillow(OrderPillow):
    include_docs = False


@pytest.fixture
def orders(pillowtop_database):
    for number in range(5):
        pillowtop_database.put({"_id": f"order-{number}", "n": number})
    return pillowtop_database


def test_the_settings_point_at_the_fake(pillowtop_elasticsearch):
    assert {"ELASTICSEARCH_URL": pillowtop_elasticsearch.url} == settings.PILLOWTOP


def test_a_pillow_runs_until_it_is_caught_up(orders, pillowtop_run, pillowtop_elasticsearch):
    pillowtop_run(OrderPillow())
    orders.delete("order-1")
    orders.put({"_id": "order-2", "n": 22})
    orders.fail_next(interrupted())
    pillowtop_run(OrderPillow())
    found = pillowtop_elasticsearch.documents("orders")
    assert {doc_id: one["n"] for doc_id, one in found.items()} == {
        "order-0": 0, "order-2": 22, "order-3": 3, "order-4": 4
    }  # fmt: skip
    assert orders.get_local("pillowtop-OrderPillow")["token"] > 0


@pytest.mark.parametrize("pillow", [OrderPillow, SlowPillow])
def test_nothing_is_lost_whatever_fails(pillow, orders, pillowtop_run, pillowtop_elasticsearch):
    orders.fail_next(without_seqs(), interrupted(after=2))
    orders.fail_next(repeated(), interrupted(after=3))
    orders.fail_next(meanwhile(lambda: orders.delete("order-4")))
    for fault in (reset(), busy("order-0"), truncated(), reset(written=False)):
        pillowtop_elasticsearch.fail_next(fault)
    pillowtop_run(pillow())
    orders.fail_next(rewound())
    pillowtop_run(pillow())
    assert pillowtop_elasticsearch.documents("orders").keys() == {
        f"order-{number}" for number in range(4)
    }
    assert not DeadLetter.objects.exists()


def test_a_dead_letter(orders, pillowtop_run, pillowtop_elasticsearch):
    orders.garble("order-3")
    pillowtop_elasticsearch.fail_next(reject("order-1"))
    pillowtop_run(OrderPillow())
    assert pillowtop_elasticsearch.documents("orders").keys() == {"order-0", "order-2", "order-4"}
    letters = set(DeadLetter.objects.values_list("error_type", flat=True))
    assert letters == {"mapper_parsing_exception", "UnreadableLine"}


def test_what_ends_a_life_is_raised(orders, pillowtop_run, pillowtop_elasticsearch):
    pillowtop_run(OrderPillow())
    orders.recreate()
    with pytest.raises(DatabaseRecreated):
        pillowtop_run(OrderPillow())


def test_a_class_in_place_of_a_pillow(pillowtop_run):
    with pytest.raises(TypeError, match=r"takes a pillow, such as OrderPillow\(\), not <class"):
        pillowtop_run(OrderPillow)


@pytest.mark.django_db
def test_a_pillow_that_waits_for_ever(orders, pillowtop_elasticsearch):
    pillow = OrderPillow()
    orders.follow_with(pillow)
    for _ in range(100):
        pillowtop_elasticsearch.fail_next(busy())
    with pytest.raises(TimeoutError, match=r"OrderPillow was not caught up within 0\.5 s"):
        rehearse(pillow, seconds=0.5)


def run_pytest(folder, *options, test):
    (folder / "test_it.py").write_text(textwrap.dedent(test))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


NOTHING = """
    import sys

    def test_nothing_is_imported():
        loaded = {"gevent", "elasticsearch", "msgspec", "pillowtop.testing", "django.conf"}
        assert not loaded & sys.modules.keys()
"""


def test_it_costs_nothing_where_it_is_not_used(tmp_path):
    by_hand = ("-p", "pillowtop.pytest_plugin", "-p", "no:pillowtop")
    quiet = ("-p", "no:django", "-p", "no:hypothesispytest", "-W", "error")
    result = run_pytest(tmp_path, *by_hand, *quiet, test=NOTHING)
    assert result.returncode == 0, result.stdout + result.stderr


WITHOUT_DJANGO_DATABASE = """
    from django.conf import settings

    settings.configure()

    from pillowtop.listener import AliasedElasticPillow
    from pillowtop.testing import PillowContract


    class OrderPillow(AliasedElasticPillow):
        couch_db = es_alias = "orders"


    class TestOrderPillow(PillowContract):
        pillow = OrderPillow
        documents = [{"_id": "a"}, {"_id": "b"}]
"""


def test_a_contract_needs_neither_pytest_django_nor_a_database(tmp_path):
    options = ("-p", "no:django", "-p", "no:pillowtop", "-W", "error")
    result = run_pytest(tmp_path, *options, test=WITHOUT_DJANGO_DATABASE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "9 passed" in result.stdout
