"""What stands still is noticed, and starts anew; what is slow is left alone."""

from __future__ import annotations

import pytest

from tests.projects import wait_until
from tests.worker.test_status import figures, wait_for_words, wait_until_healthy

HANGING = """
from pathlib import Path
import gevent
from pillowtop.listener import AliasedElasticPillow

def hang():
    while Path("hang").exists():
        gevent.sleep(10**6)

class OrderPillow(AliasedElasticPillow):
    couch_db = {{database!r}}
    es_alias = {{alias!r}}

    def {hook}(self, argument):
        hang()
        return super().{hook}(argument)
"""

SLOW = """
import time
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {{database!r}}
    es_alias = {{alias!r}}

    def {hook}(self, argument):
        time.sleep(0.5)
        return super().{hook}(argument)
"""

KILLING = """
import gc
from pathlib import Path
import gevent
from pillowtop.listener import AliasedElasticPillow

def kill(name):
    for one in gc.get_objects():
        if isinstance(one, gevent.Greenlet) and name in str(one.args):
            one.kill(block=False)

class OrderPillow(AliasedElasticPillow):
    couch_db = {{database!r}}
    es_alias = {{alias!r}}

    def change_transform(self, document):
        if not Path("killed").exists():
            Path("killed").touch()
            kill({name!r})
        return document
"""

QUICK = {"STALL_SECONDS": 3.0}


@pytest.mark.parametrize("hook", ["change_transform", "change_transport", "filter"])
def test_a_hook_that_hangs(setup, hook):
    one = setup(HANGING.format(hook=hook), **QUICK)
    flag = one.project.folder / "hang"
    flag.touch()
    one.database.fill(5)
    worker = one.project.start("--all")
    worker.wait_for("OrderPillow: stalled: ")
    assert "in hang" in worker.log
    wait_for_words(one, "crashed", "Stalled: ")
    worker.wait_for("OrderPillow: stalled: ", times=2)
    flag.unlink()
    one.wait_until_in_step()
    assert worker.stop() == 0


def test_a_hook_that_hangs_is_not_waited_for_until_caught_up(setup):
    one = setup(HANGING.format(hook="change_transform"), **QUICK)
    (one.project.folder / "hang").touch()
    one.database.fill(5)
    assert "stalled" in one.project.catch_up(code=1)


@pytest.mark.parametrize("hook", ["change_transform", "change_transport"])
def test_a_hook_that_is_slow_is_left_alone(setup, hook):
    one = setup(SLOW.format(hook=hook), STALL_SECONDS=2.0)
    one.database.fill(15)
    worker = one.project.start("--all")
    one.wait_until_in_step()
    assert "stalled" not in worker.log
    assert worker.stop() == 0


def test_a_feed_that_withholds_changes(proxied):
    one, couch, _ = proxied(**QUICK)
    one.database.fill(3)
    worker = one.project.start("--all")
    one.wait_until_in_step()

    def withhold(request, body):
        return b"\n" if request.query.get("feed") == "continuous" else body

    couch.rewrite = withhold
    one.database.fill(5, prefix="withheld-")
    worker.wait_for("that its feed has not brought")
    one.wait_until_in_step()
    assert worker.stop() == 0


def test_a_server_that_hangs_is_no_stall(proxied):
    one, _, elastic = proxied(STALL_SECONDS=0.1)
    worker = one.project.start("--all")
    wait_until_healthy(one)
    elastic.hang()
    one.database.fill(3)
    wait_until(lambda: figures(one)["batch_age_seconds"] > 5)
    assert "stalled" not in worker.log
    elastic.go_on()
    one.wait_until_in_step()
    assert worker.stop() == 0


@pytest.mark.parametrize("name", ["Lane._keep_saving", "Lane._read", "Watcher.run"])
def test_a_greenlet_that_is_killed_ends_the_life_and_another_follows(setup, name):
    one = setup(KILLING.format(name=name))
    one.database.fill(5)
    worker = one.project.start("--all")
    worker.wait_for(f"the greenlet of {name} was killed")
    one.wait_until_in_step()
    worker.wait_for("OrderPillow: follows", times=2)
    assert worker.stop() == 0
