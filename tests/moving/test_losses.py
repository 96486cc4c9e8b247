"""What once lost documents: a move, and whatever else operators ask for meanwhile."""

from __future__ import annotations

import re
import subprocess

from dev.proxy import Fault, Proxy, is_bulk
from tests.couch import call
from tests.moving.conftest import wait_for_release
from tests.moving.test_kills import is_move
from tests.projects import wait_until
from tests.real_servers import request

FILTERED = """    couch_filter = "_selector"
    extra_args = {{"selector": {{"n": {{"$gte": 0}}}}}}
"""

NARROW = """
    def filter(self, change):
        return change.document["n"] % 2 == 0
"""


def is_on(moving, index):
    return moving.serving() == [index]


def interrupted_replay(moving, one):
    """Have the pillow begin to read everything again, and stop it before the end."""
    moving.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url, BATCH_DOCUMENTS=10)
        worker = one.project.start("--all")
        proxy.faults.append(Fault(is_bulk, proxy.hang, passed=2, reset=False))
        wait_until(lambda: not proxy.faults[0].times)
        worker.process.kill()
        worker.process.wait()
        proxy.go_on()
    one.reconfigure()


def test_a_replay_that_is_given_up_sweeps_nothing(moving):
    """What it had not written again by then was taken for what the filter does not show."""
    one = moving.setup
    moving.deploy(1, moving.source(1) + FILTERED)
    one.project.catch_up()
    interrupted_replay(moving, one)
    seq = call("GET", one.database.url)["update_seq"]
    moving.manage("ptop_checkpoint", "set", "OrderPillow", seq, "--noinput")
    one.project.catch_up()
    assert one.in_step()


def test_a_rollback_brings_all_back_that_the_other_release_has_written_again(moving, one, old):
    moving.deploy(2, moving.source(2) + NARROW)
    moving.run()
    moving.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    one.project.catch_up()
    assert len(one.index.documents()) == 25
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    moving.deploy(1)
    one.project.catch_up()
    assert is_on(moving, old)
    wait_for_release(moving, 1)


def test_a_rollback_writes_again_what_was_run_again(moving, one, old):
    moving.deploy(2)
    moving.run()
    one.project.catch_up()
    worker = one.project.start("--all")
    moving.manage("ptop_run_docs", "OrderPillow", "doc000001")
    assert moving.releases_in(old)["doc000001"] == 2
    assert worker.stop() == 0
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    moving.deploy(1)
    one.project.catch_up()
    wait_for_release(moving, 1)


def test_what_is_needed_by_the_time_of_the_answer_is_not_removed(moving, one, old):
    for number in (2, 3):
        moving.deploy(number)
        moving.run("--keep=1s")
    cleanup = subprocess.Popen(
        one.project.command("ptop_reindex", "cleanup"),
        cwd=one.project.folder,
        env=one.project.env({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert cleanup.stdin
    assert cleanup.stdout
    said = ""
    while "Type yes" not in said:
        more = cleanup.stdout.read(1)
        assert more, said
        said += more
    moving.elastic("POST", "_aliases", {"actions": [
        {"add": {"index": name, "alias": f"{moving.alias}-kept"}}
        for name in moving.elastic("GET", f"{moving.alias}_*")
    ]})  # fmt: skip
    rest, _ = cleanup.communicate("yes\n", timeout=60)
    assert "0 removed" in rest
    moving.elastic("POST", "_aliases", {"actions": [
        {"remove": {"index": f"{moving.alias}_*", "alias": f"{moving.alias}-kept"}},
    ]})  # fmt: skip


def test_a_rollback_whose_answer_is_lost(moving, one, old):
    moving.deploy(2, moving.source(2) + '    on_changed_mapping = "reindex"\n')
    moving.run()
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)
        proxy.faults.append(Fault(is_move, lambda: None, after=True))
        said = moving.manage("ptop_reindex", "rollback", "OrderPillow")
    one.reconfigure()
    assert f"is on {old} again" in said
    worker = one.project.start("--all")
    wait_until(moving.has_looked_again, what=lambda: worker.log)
    one.database.put("later")
    assert worker.stop() == 0
    assert is_on(moving, old)
    moving.deploy(1)
    one.project.catch_up()
    wait_for_release(moving, 1)


def test_who_is_to_move_by_itself_waits_for_who_is_at_it(moving, one, old):
    """And goes on where that one has died."""
    moving.deploy(2, moving.source(2) + '    on_changed_mapping = "reindex"\n')
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)
        first = one.project.start("--all")
        first.wait_for("copy: copy")
        proxy.hang()
        one.reconfigure()
        second = one.project.start("--all")
        second.wait_for("moves this pillow already")
        first.process.kill()
        first.process.wait()
        second.wait_for("in step, too")
        assert second.stop() == 0
    one.project.catch_up()
    assert not is_on(moving, old)
    wait_for_release(moving, 2)


REINDEX = '    on_changed_mapping = "reindex"\n'


def test_an_index_that_is_filled_anew_is_no_way_back_for_who_serves_meanwhile(moving, one, old):
    """The release that serves wrote its own documents over those that were just filled in."""
    moving.deploy(2, moving.source(2) + NARROW)
    moving.run()
    second = one.project.start("--all")
    second.wait_for(f"keeps {old} in step, too")
    one.database.put("doc000002", n=2)
    moving.deploy(1)
    moving.run("--no-flip")
    second.wait_for("ptop_reindex run fills it anew")
    said = moving.manage("ptop_reindex", "rollback", "OrderPillow", code=4)
    assert f"has begun to fill {old} anew" in said
    moving.run()
    assert second.stop() == 0
    one.project.catch_up()
    assert is_on(moving, old)
    assert one.in_step()
    wait_for_release(moving, 1)


def test_two_releases_that_move_by_themselves_do_not_move_to_and_fro(moving, one, old):
    moving.deploy(1, moving.source(1) + REINDEX)
    first = one.project.start("--all", "--status-bind=127.0.0.1:0")
    first.wait_for("caught up")
    status = re.search(r"at (http://127.0.0.1:\d+)", first.log)[1] + "/status"

    def lives():
        return request("GET", status).json()["pillows"][0]["figures"]["lives"]

    moving.deploy(2, moving.source(2) + REINDEX)
    second = one.project.start("--all")
    second.wait_for(f"keeps {old} in step, too")
    first.wait_for("this is the release before")
    begun = lives()
    # By then it has looked several times.
    wait_until(lambda: lives() > begun + 5, what=lambda: first.log)
    assert not is_on(moving, old)
    assert "create: make index" not in first.log
    assert first.stop() == second.stop() == 0


TWO = """
class OtherPillow(OrderPillow):
    def index_id(self, change):
        return "other-" + change.id
"""


def test_who_shares_its_alias_does_not_move_by_itself(moving, one, old):
    pillows = ["pillows.OrderPillow", "pillows.OtherPillow"]
    moving.deploy(1, moving.source(1) + TWO)
    one.project.configure(one.settings, pillows)
    one.project.catch_up()
    moving.deploy(2, moving.source(2) + REINDEX + TWO)
    worker = one.project.start("--all")
    wait_until(moving.has_looked_again, what=lambda: worker.log)
    assert "cannot be moved for OrderPillow alone" in worker.log
    assert is_on(moving, old)
    assert len(one.index.documents()) == 100
    assert worker.stop() == 0


def test_an_archive_under_the_alias_takes_no_document_from_the_index(moving, one, old):
    archive = f"{moving.alias}-archive"
    source = moving.elastic("GET", f"{old}/_doc/doc000003")["_source"]
    moving.elastic("PUT", f"{archive}/_doc/doc000003?refresh=true", source)
    moving.elastic("POST", "_aliases", {"actions": [
        {"add": {"index": archive, "alias": moving.alias, "is_write_index": False}},
        {"add": {"index": old, "alias": moving.alias, "is_write_index": True}},
    ]})  # fmt: skip
    moving.manage("ptop_checkpoint", "reset", "OrderPillow", "--noinput")
    one.project.catch_up()
    assert set(moving.releases_in(old)) == set(one.database.revs())
    moving.manage("ptop_verify", "OrderPillow")
    moving.elastic("DELETE", archive)


OLD_MAPPING = '    default_mapping = {{"properties": {{"size": {{"type": "%s"}}}}}}\n'
SIZED = """
    def change_transform(self, document):
        return {{**document, "release": 2, "size": "%s"}}
"""


def test_many_documents_that_only_the_old_mapping_refuses_are_no_hindrance(moving):
    one = moving.setup
    moving.deploy(1, moving.source(1) + OLD_MAPPING % "long" + SIZED % "1")
    one.project.catch_up()
    (old,) = moving.serving()
    moving.deploy(2, moving.source(2) + OLD_MAPPING % "keyword" + SIZED % "large")
    moving.run()
    worker = one.project.start("--all")
    worker.wait_for(f"keeps {old} in step, too")
    one.database.fill(20, prefix="new")
    worker.wait_for("does not take 'new")
    one.wait_until_in_step()
    assert worker.stop() == 0
    moving.manage("ptop_reindex", "rollback", "OrderPillow")
    assert is_on(moving, old)


def test_what_cannot_be_compared_is_not_copied_first(moving, one, old):
    moving.deploy(
        2,
        moving.source(2)
        + REINDEX
        + """
    def change_transport(self, document):
        super().change_transport(document)
""",
    )
    said = moving.run(code=3)
    assert "change documents in change_transform" in said
    worker = one.project.start("--all")
    wait_until(moving.has_looked_again, what=lambda: worker.log)
    assert "change documents in change_transform" in worker.log
    assert worker.stop() == 0
    assert list(moving.elastic("GET", f"{moving.alias}_*")) == [old]
