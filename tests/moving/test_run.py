"""A pillow moves to a new index on real servers."""

from __future__ import annotations

from tests.moving.conftest import Poller, wait_for_release, writing
from tests.projects import wait_until


def test_a_move_while_the_release_before_serves(moving):
    one = moving.setup
    old_worker = one.project.start("--all")
    one.wait_until_in_step()
    (old,) = moving.serving()
    moving.deploy(2)
    with Poller(one.index.url) as poller, writing(one.database):
        mover = moving.start()
        mover.wait_for("it takes over from here")
        wait_until(lambda: "until run_ptop does" in one.project.manage("ptop_status").stdout)
        assert "is on" in moving.manage("ptop_reindex", "run", "OrderPillow")
        new_worker = one.project.start("--all")
        new_worker.wait_for("follows")
        assert mover.wait() == 0, mover.log
    (new,) = moving.serving()
    assert new != old
    wait_for_release(moving, 2)
    assert poller.failures == []
    assert poller.reads > 10
    # The old one is kept in step.
    wait_until(lambda: set(moving.releases_in(old)) == set(one.database.revs()))
    old_worker.wait_for("this is the release before")
    assert old_worker.stop() == 0
    assert new_worker.stop() == 0


def test_a_pillow_that_says_so_moves_by_itself(moving):
    one = moving.setup
    old_worker = one.project.start("--all")
    one.wait_until_in_step()
    (old,) = moving.serving()
    moving.deploy(2, moving.source(2) + '    on_changed_mapping = "reindex"\n')
    new_worker = one.project.start("--all")
    new_worker.wait_for(f"keeps {old} in step, too")
    one.database.put("later")
    wait_for_release(moving, 2)
    assert moving.serving() != [old]

    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    wait_for_release(moving, 1)
    new_worker.wait_for("needs reindex", times=2)
    assert new_worker.stop() == old_worker.stop() == 0
    again = one.project.start("--all")
    wait_until(moving.has_looked_again, what=lambda: again.log)
    assert moving.serving() == [old]
    assert again.stop() == 0
