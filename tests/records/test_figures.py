from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from pillowtop.engine.figures import Mishap, Snapshot, Waiting
from pillowtop.records import figures
from pillowtop.records.models import PillowStatus

pytestmark = pytest.mark.django_db


def snapshot(state="running", process="host:1", **more):
    return Snapshot(pillow="OrderPillow", state=state, process=process, **more)


def make_old():
    PillowStatus.objects.update(reported_at=F("reported_at") - timedelta(seconds=100))


def test_the_latest_figures_are_kept():
    figures.write([snapshot(changes=1)])
    shot = snapshot(
        changes=2,
        position=[1, "g"],
        waiting=[Waiting("answer", "…", 5.0)],
        last_error=Mishap("é", 1),
    )
    assert figures.write([shot]) == {"OrderPillow": 0}
    report = figures.read(["OrderPillow", "Other"])
    assert report.keys() == {"OrderPillow"}
    assert report["OrderPillow"].figures == shot
    assert 0 <= report["OrderPillow"].age_seconds < 60


def test_a_report_gets_old():
    figures.write([snapshot()])
    make_old()
    assert 100 <= figures.read(["OrderPillow"])["OrderPillow"].age_seconds < 160


@pytest.mark.parametrize("state", figures.YIELDING)
def test_who_does_not_run_a_pillow_leaves_the_word_to_who_does(state):
    figures.write([snapshot()])
    figures.write([snapshot(state, "other:2")])
    assert figures.read(["OrderPillow"])["OrderPillow"].figures.process == "host:1"
    make_old()
    figures.write([snapshot(state, "other:2")])
    figures.write([snapshot(state, "other:2", changes=5)])
    assert figures.read(["OrderPillow"])["OrderPillow"].figures.changes == 5


def test_figures_of_another_version_are_none():
    figures.write([snapshot()])
    PillowStatus.objects.update(figures={"pillow": 3})
    assert figures.read(["OrderPillow"])["OrderPillow"].figures is None
