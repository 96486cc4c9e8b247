"""What may go wrong with a move."""

from __future__ import annotations

import json

from dev.proxy import Fault, Proxy, is_bulk
from tests.couch import call
from tests.moving.conftest import wait_for_release
from tests.projects import wait_until

REJECTING = '    default_mapping = {{"properties": {{"bad": {{"type": "long"}}}}}}\n'


def test_documents_that_the_new_index_does_not_take(moving, one, old):
    one.database.put("rejected", bad="no number")
    one.project.catch_up()
    moving.deploy(2, moving.source(2) + REJECTING)
    said = moving.run(code=4)
    assert "does not take 1 documents" in said
    assert "--accept-letters" in said
    build = said.partition("ptop_errors list --pillow=")[2].partition(",")[0]
    assert "rejected" in moving.manage("ptop_errors", "list", f"--pillow={build}")
    assert moving.serving() == [old]

    moving.run("--accept-letters", code=4)
    (new,) = moving.serving()
    assert new != old
    listed = moving.manage("ptop_errors", "list", "--pillow=OrderPillow")
    assert "rejected" in listed
    assert set(moving.releases_in(new)) == set(one.database.revs()) - {"rejected"}


def test_of_two_moves_at_once_the_second_refuses(moving, one, old):
    one.database.fill(2000, prefix="more")
    one.project.catch_up()
    moving.deploy(2)
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)
        first = moving.start("--no-follow")
        first.wait_for("copy: copy")
        proxy.hang()
        said = moving.run(code=6)
        assert "moves this pillow already" in said
        proxy.go_on()
        assert first.wait() == 0, first.log
    assert moving.serving() != [old]


def test_a_full_disk_is_waited_for(moving, one, old):
    one.database.fill(3000, prefix="more")
    one.project.catch_up()
    moving.deploy(2)
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url, BATCH_DOCUMENTS=200)
        block = {"index.blocks.read_only_allow_delete": True}
        new = []

        def fill_disk():
            new.extend(set(call("GET", f"{one.index.server}/{moving.alias}_*")) - {old})
            moving.elastic("PUT", f"{new[0]}/_settings", block)

        proxy.faults.append(Fault(is_bulk, fill_disk, passed=4, reset=False))
        mover = moving.start("--no-follow")
        mover.wait_for("cluster_block_exception")
        assert moving.serving() == [old]
        moving.elastic("PUT", f"{new[0]}/_settings", {"index.blocks.read_only_allow_delete": None})
        assert mover.wait() == 0, mover.log
    one.reconfigure()
    one.project.catch_up()
    wait_for_release(moving, 2)


def test_a_stop_leaves_the_old_index_in_its_place(moving, one, old):
    one.database.fill(2000, prefix="more")
    moving.deploy(2)
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)
        mover = moving.start()
        mover.wait_for("copy: copy")
        assert mover.stop() in (4, 7), mover.log
    assert moving.serving() == [old]
    one.reconfigure()
    moving.run()
    one.project.catch_up()
    wait_for_release(moving, 2)


def test_a_new_index_that_is_made_ahead(moving, one, old):
    moving.deploy(2)
    said = moving.manage("ptop_reindex", "run", "OrderPillow", "--no-flip")
    assert "is ready" in said
    assert moving.serving() == [old]
    assert "no difference" in moving.manage("ptop_verify", "OrderPillow", "--build")
    listed = json.loads(moving.manage("ptop_reindex", "plan", "--format=json"))
    assert listed[0]["stage"] == "ready"
    assert listed[0]["steps"][0] == "catch_up"
    one.database.put("later")
    moving.manage("ptop_es_manage", "--flip_all_aliases")
    one.project.catch_up()
    assert moving.serving() != [old]
    wait_for_release(moving, 2)


def test_an_index_that_is_not_built_takes_no_place(moving, one, old):
    moving.deploy(2)
    said = moving.manage("ptop_verify", "OrderPillow", "--build", code=3)
    assert "no index is being built" in said
    said = moving.manage("ptop_es_manage", "--flip_alias", "OrderPillow", code=4)
    assert "is not built yet" in said
    assert moving.serving() == [old]


def test_what_differs_takes_no_place_and_is_made_anew_by_the_next_run(moving, one, old):
    moving.deploy(2)
    with Proxy(one.index.server) as proxy:
        one.reconfigure(ELASTICSEARCH_URL=proxy.url)

        def lose_one():
            (new,) = set(call("GET", f"{one.index.server}/{moving.alias}_*")) - {old}
            written = moving.elastic("GET", f"{new}/_doc/doc000001")["_source"]
            written["pillowtop"]["id"] = "too-much"
            moving.elastic("DELETE", f"{new}/_doc/doc000001?refresh=true")
            moving.elastic("PUT", f"{new}/_doc/too-much?refresh=true", written)

        settled = Fault(lambda request: b"200ms" in request.body, lose_one, passed=1, reset=False)
        proxy.faults.append(settled)
        said = moving.run(code=5)
    assert "missing 'doc000001'" in said
    assert moving.serving() == [old]
    one.reconfigure()
    moving.run()
    assert moving.serving() != [old]
    one.project.catch_up()
    assert one.in_step()


def test_a_worker_of_another_host_hands_over(moving, one, old):
    worker = one.project.start("--all")
    worker.wait_for("follows")
    moving.deploy(2)
    moving.run()
    worker.wait_for("needs reindex")
    wait_until(lambda: moving.serving() != [old])
    assert worker.stop() == 0


def test_documents_that_were_mended_are_tried_again_at_once(moving, one, old):
    one.database.put("rejected", bad="no number")
    one.project.catch_up()
    moving.deploy(2, moving.source(2) + REJECTING)
    moving.run(code=4)
    moving.deploy(
        2, moving.source(2).replace('**document, "release": 2', '"release": 2') + REJECTING
    )
    moving.run()
    assert moving.serving() != [old]
