"""Whoever asks is told that a mapping has changed, and what to type."""

from __future__ import annotations

import json

from tests.projects import wait_until


def test_a_changed_mapping_is_noticed(moving):
    one = moving.setup
    worker = one.project.start("--all")
    one.wait_until_in_step()
    assert "needs reindex" not in moving.manage("check")
    wait_until(lambda: "caught up" in one.project.manage("ptop_status").stdout)
    moving.manage("ptop_status")

    moving.deploy(2)
    (old,) = moving.serving()
    checked = moving.manage("check")
    assert "(pillowtop.W006)" in checked
    for said in (checked, moving.manage("ptop_status", code=4)):
        assert old in said
        assert "manage.py ptop_reindex run OrderPillow" in said
    listed = json.loads(moving.manage("ptop_es_manage", "--list", "--format=json"))
    assert listed == [
        {"pillow": "OrderPillow", "alias": moving.alias, "index": old, "state": "needs reindex"}
    ]
    assert worker.stop() == 0


def test_what_needs_reindex_does_not_keep_others_from_the_lease(moving):
    one = moving.setup
    one.project.catch_up()
    moving.deploy(2)
    new = one.project.start("--all")
    new.wait_for("needs reindex")
    moving.deploy(1)
    old = one.project.start("--all")
    old.wait_for("follows")
    one.database.put("later")
    one.wait_until_in_step()
    assert old.stop() == new.stop() == 0


def test_nobody_waits_for_a_server_that_is_down(moving):
    moving.setup.reconfigure(ELASTICSEARCH_URL="http://127.0.0.1:9")
    assert "no issues" in moving.manage("check")


def test_the_plan_is_printed_and_nothing_is_done(moving):
    one = moving.setup
    assert "run_ptop makes it" in moving.manage("ptop_reindex", "plan", code=3)
    one.project.catch_up()
    assert "nothing to do" in moving.manage("ptop_reindex", "plan", "OrderPillow")
    moving.deploy(2)
    said = moving.manage("ptop_reindex", "plan", "OrderPillow", "--keep=2d")
    (old,) = moving.serving()
    assert said.count("\n  ") == 9
    assert f"move alias {moving.alias} from {old} to" in said
    assert "in step for 2 days" in said
    assert list(moving.elastic("GET", f"{moving.alias}_*")) == [old]


def test_where_the_cluster_differs(moving):
    one = moving.setup
    one.project.catch_up()
    assert "as declared" in moving.manage("ptop_reindex", "drift")
    (old,) = moving.serving()
    moving.elastic("PUT", f"{old}/_settings", {"index.refresh_interval": "-1"})
    said = moving.manage("ptop_reindex", "drift", "OrderPillow", code=5)
    assert "setting refresh_interval: -1 there, 200ms here" in said
    body = json.loads(moving.manage("ptop_reindex", "drift", "--format=json", code=5))
    assert body[0]["drift"] == [
        {"kind": "setting", "what": "refresh_interval", "declared": "200ms", "found": "-1"}
    ]


def test_what_nobody_needs_is_removed(moving):
    one = moving.setup
    one.project.catch_up()
    (first,) = moving.serving()
    moving.deploy(2)
    moving.run("--keep=1s")
    (second,) = moving.serving()
    moving.deploy(3)
    moving.run()
    (third,) = moving.serving()
    others = f"{moving.alias}_archive"
    moving.elastic("PUT", others)

    said = moving.manage("ptop_reindex", "cleanup", "--dry-run")
    assert f"{first}: not needed" in said
    assert f"{second}: kept, as OrderPillow may be rolled back to it until" in said
    assert f"{third}: kept, as alias {moving.alias} is on it" in said
    assert "nothing was changed" in moving.manage("ptop_reindex", "cleanup", code=2)
    assert set(moving.elastic("GET", f"{moving.alias}_*")) == {first, second, third, others}

    body = json.loads(moving.manage("ptop_reindex", "cleanup", "--noinput", "--format=json"))
    assert body["removed"] == [first]
    assert set(moving.elastic("GET", f"{moving.alias}_*")) == {second, third, others}
    assert "0 removed" in moving.manage("ptop_reindex", "cleanup", "--noinput")


def test_what_is_mistyped_is_said(moving):
    for arguments, code, words in (
        (["run"], 2, "needs the name of a pillow"),
        (["run", "OrdrPillow"], 3, "OrderPillow"),
        (["cleanup", "OrderPillow"], 2, "takes no pillow"),
        (["run", "OrderPillow", "--keep=2"], 2, "say 90s, 30m, 2h or 7d"),
        (["rn", "OrderPillow"], 2, "invalid choice"),
        (["rollback", "OrderPillow", "--dry-run"], 2, "rollback takes no --dry-run"),
        (["run", "OrderPillow", "--dry-run"], 2, "run takes no --dry-run"),
        (["plan", "--no-flip"], 2, "plan takes no --no-flip"),
    ):
        assert words in moving.manage("ptop_reindex", *arguments, code=code)


TWO = """
from pillowtop.listener import AliasedElasticPillow

class Own(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    kind = ""

    def index_id(self, change):
        return f"{{self.name}}/{{change.id}}"

    def filter(self, change):
        return change.document.get("kind") == self.kind

class OrderPillow(Own):
    kind = "order"

class CustomerPillow(Own):
    kind = "customer"
"""


def test_two_pillows_write_one_index_without_clearing_each_others_documents(moving):
    one = moving.setup
    moving.deploy(1, TWO)
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.CustomerPillow"])
    one.database.put("a", kind="order")
    one.database.put("b", kind="customer")
    worker = one.project.start("--all")

    def held():
        return set(one.index.documents()) if one.index.exists() else set()

    wait_until(lambda: held() == {"OrderPillow/a", "CustomerPillow/b"}, what=lambda: worker.log)
    one.database.put("a", kind="customer")  # it becomes the other's
    one.database.put("b", kind="neither")
    wait_until(lambda: held() == {"CustomerPillow/a"}, what=lambda: f"{held()} {worker.log}")
    for name in ("OrderPillow", "CustomerPillow"):
        assert "no difference" in moving.manage("ptop_verify", name)
    one.database.delete("a")
    wait_until(lambda: held() == set())
    assert worker.stop() == 0


def test_an_index_that_two_pillows_write_is_not_moved_for_one_of_them(moving):
    one = moving.setup
    moving.deploy(1, TWO)
    one.project.configure(one.settings, ["pillows.OrderPillow", "pillows.CustomerPillow"])
    said = moving.manage("ptop_reindex", "run", "OrderPillow", code=3)
    assert "CustomerPillow writes to alias" in said
