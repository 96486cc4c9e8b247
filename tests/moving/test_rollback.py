"""There is a way back from a move."""

from __future__ import annotations

from tests.moving.conftest import Poller, wait_for_release
from tests.projects import wait_until


def test_the_release_before_serves_again(moving):
    one = moving.setup
    first = one.project.start("--all")
    one.wait_until_in_step()
    (old,) = moving.serving()
    moving.deploy(2)
    moving.run()
    second = one.project.start("--all")
    second.wait_for(f"keeps {old} in step, too")
    one.database.put("later", n=1)
    one.database.delete("doc000001")
    wait_for_release(moving, 2)
    wait_until(lambda: set(moving.releases_in(old)) == set(one.database.revs()))

    with Poller(one.index.url) as poller:
        said = moving.manage("ptop_reindex", "rollback", "OrderPillow")
        assert f"is on {old} again" in said
        assert moving.serving() == [old]
        # What the second release has written there meanwhile is written by the first one again.
        wait_for_release(moving, 1)
        one.database.put("last", n=2)
        one.wait_until_in_step()
    assert (poller.failures, poller.fewest) == ([], 50)
    second.wait_for("needs reindex")
    assert "a rollback has put the alias there" in second.log
    assert "starts from" in first.log
    assert "as was asked for (rollback)" in first.log
    assert first.stop() == second.stop() == 0


def test_what_was_rolled_back_can_be_moved_again(moving, one, old):
    moving.deploy(2)
    moving.run()
    one.project.catch_up()
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    moving.deploy(1)
    one.database.delete("doc000002")
    one.project.catch_up()
    moving.deploy(2)
    moving.run()
    one.project.catch_up()
    (new,) = moving.serving()
    assert new != old
    wait_for_release(moving, 2)


def test_the_time_for_a_rollback_is_over(moving, one, old):
    moving.deploy(2)
    moving.run("--keep=0s")
    one.database.put("later")
    one.project.catch_up()
    assert one.in_step()
    assert "later" not in moving.releases_in(old)
    said = moving.manage("ptop_reindex", "rollback", "OrderPillow", code=4)
    assert "the time for a rollback to" in said


def test_without_a_move_there_is_nothing_to_undo(moving):
    moving.setup.project.catch_up()
    said = moving.manage("ptop_reindex", "rollback", "OrderPillow", code=4)
    assert "there is nothing to undo" in said


def test_an_old_index_that_refuses_what_the_new_release_makes_is_no_hindrance(moving):
    """Of another kind than the mapping: nobody reads that index now."""
    one = moving.setup
    strict = '{{"dynamic": "strict", "properties": {{"n": {{"type": "long"}}}}}}'
    source = moving.source(1).replace('"release": 1', '"n": 1')
    moving.deploy(1, source + f"    default_mapping = {strict}\n")
    one.project.catch_up()
    (old,) = moving.serving()
    moving.deploy(2)
    moving.run()
    worker = one.project.start("--all")
    one.database.put("later")
    one.wait_until_in_step()
    worker.wait_for("does not take 'later'")
    assert worker.stop() == 0
    assert moving.serving() != [old]


def test_an_old_index_that_is_gone_is_no_hindrance(moving, one, old, worker):
    moving.elastic("DELETE", old)
    one.database.put("later")
    one.wait_until_in_step()
    worker.wait_for("is not kept in step any more")
    said = moving.manage("ptop_reindex", "rollback", "OrderPillow", code=4)
    assert "no way back" in said
    assert worker.stop() == 0


def test_an_old_index_that_is_made_read_only_is_no_hindrance(moving, one, old, worker):
    moving.elastic("PUT", f"{old}/_settings", {"index.blocks.write": True})
    one.database.put("later")
    one.wait_until_in_step()
    worker.wait_for("is not kept in step any more")
    assert worker.stop() == 0


def test_there_is_one_step_back_and_no_second_one(moving, one):
    """What the first index has missed since the second move is not known to anybody."""
    moving.deploy(2)
    moving.run()
    one.project.catch_up()
    (second,) = moving.serving()
    moving.deploy(3)
    moving.run()
    one.database.put("missed by the first")
    one.project.catch_up()
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    assert moving.serving() == [second]
    said = moving.manage("ptop_reindex", "rollback", "OrderPillow", code=4)
    assert "moved on to" in said
    assert moving.serving() == [second]
