"""A move is killed at every step of its plan, and goes on from there."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from dev.proxy import Fault, Proxy, is_bulk
from pillowtop.elastic.moving import Step
from tests.moving.conftest import Poller, wait_for_release
from tests.moving.test_faults import REJECTING
from tests.projects import UNMEASURED, wait_until


def killed(moving, **environment):
    """What a killed run has logged."""
    mover = moving.start("--no-follow", env={**UNMEASURED, **environment})
    assert mover.wait() == -signal.SIGKILL, mover.log
    return mover.log


@pytest.mark.parametrize("step", list(Step), ids=lambda step: step.slug)
def test_a_kill_where_a_step_begins(moving, step):
    """Which is where the one before it has ended."""
    one = moving.setup
    old_worker = one.project.start("--all")
    one.wait_until_in_step()
    moving.deploy(2)
    with Poller(one.index.url) as poller:
        killed(moving, KILL_AT=f"{step.slug} begins")
        one.database.put("meanwhile")
        one.database.delete("doc000001")
        moving.run()
        one.project.catch_up()
    (serving,) = moving.serving()
    assert one.in_step()
    assert set(moving.releases_in(serving).values()) == {2}
    assert poller.failures == []
    assert poller.fewest >= 49
    assert old_worker.process.poll() is None


@pytest.fixture
def through_proxy(moving):
    with Proxy(moving.setup.index.server) as proxy:
        moving.setup.reconfigure(ELASTICSEARCH_URL=proxy.url)
        yield proxy


def is_move(request):
    return request.method == "POST" and request.path == "/_aliases"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_the_request_that_moves_the_alias(moving, through_proxy, after):
    one = moving.setup
    one.project.catch_up()
    (old,) = moving.serving()
    moving.deploy(2)
    movers = []
    through_proxy.faults.append(
        Fault(is_move, lambda: os.kill(movers[0].process.pid, signal.SIGKILL), after=after)
    )
    movers.append(moving.start("--no-follow"))
    assert movers[0].wait() == -signal.SIGKILL, movers[0].log
    one.database.put("meanwhile")
    assert (moving.serving() == [old]) is not after
    said = moving.run()
    assert ("copy" in said) is False
    one.project.catch_up()
    assert moving.serving() != [old]
    wait_for_release(moving, 2)


@pytest.fixture
def killed_behind_the_request(moving, through_proxy):
    """A move of which the alias is on the new index, and which does not know it. One document has
    a letter: the new mapping does not take it."""
    moving.setup.database.put("rejected", bad="no number")
    moving.setup.project.catch_up()
    moving.deploy(2, moving.source(2) + REJECTING)
    movers = []
    through_proxy.faults.append(
        Fault(is_move, lambda: os.kill(movers[0].process.pid, signal.SIGKILL), after=True)
    )
    movers.append(moving.start("--no-follow", "--accept-letters"))
    assert movers[0].wait() == -signal.SIGKILL, movers[0].log


def letters_of(moving):
    listed = json.loads(moving.manage("ptop_errors", "list", "--format=json"))
    return {one["pillow"] for one in listed}


@pytest.mark.usefixtures("killed_behind_the_request")
def test_the_worker_ends_a_move_that_does_not_know_it_is_made(moving):
    assert letters_of(moving) != {"OrderPillow"}
    moving.setup.project.catch_up(code=4)
    assert letters_of(moving) == {"OrderPillow"}
    (plan,) = json.loads(moving.manage("ptop_reindex", "plan", "--format=json"))
    assert plan["stage"] == "flipped"


@pytest.mark.usefixtures("killed_behind_the_request")
def test_a_rollback_of_a_move_that_does_not_know_it_is_made(moving):
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    assert letters_of(moving) == {"OrderPillow"}
    moving.deploy(1)
    moving.setup.project.catch_up()
    assert letters_of(moving) == set()
    assert moving.setup.in_step()


def test_an_answer_that_is_lost_moves_nothing_twice(moving, through_proxy):
    one = moving.setup
    one.project.catch_up()
    (old,) = moving.serving()
    moving.deploy(2)
    through_proxy.faults.append(Fault(is_move, lambda: None, after=True))
    moving.run()
    (new,) = moving.serving()
    assert new != old


def test_a_kill_in_the_middle_of_the_copy(moving):
    """It goes on from the last page that was delivered whole, of which there are two."""
    one = moving.setup
    one.database.fill(12_000, prefix="more")
    one.project.catch_up()
    moving.deploy(2)
    movers = []

    def saved():
        (build,) = set(re.findall("OrderPillow@[0-9a-f]{8}", movers[0].log))
        return one.database.local(f"pillowtop-{build}").get("seq", "0") != "0"

    def kill():
        wait_until(saved, what=lambda: movers[0].log)
        movers[0].process.kill()

    with Proxy(one.index.server) as proxy:
        one.reconfigure(CHECKPOINT_SECONDS=0.05, ELASTICSEARCH_URL=proxy.url)
        proxy.faults.append(Fault(is_bulk, kill, passed=11))
        movers.append(moving.start("--no-follow"))
        assert movers[0].wait() == -signal.SIGKILL, movers[0].log
        said = moving.run()
    one.reconfigure()
    assert "starts from 0" not in said
    one.project.catch_up()
    assert set(moving.releases_in(moving.alias).values()) == {2}
    assert one.in_step()
