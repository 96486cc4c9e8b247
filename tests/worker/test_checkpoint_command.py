"""`ptop_checkpoint`: positions shown, moved by hand, and brought back."""

from __future__ import annotations

import json

import pytest

from tests.couch import call

AGED = "from pillowtop.models import PastPosition; from django.utils import timezone; from datetime"
AGED += " import timedelta; PastPosition.objects.filter(pk={}).update(noted_at=timezone.now() - {})"


def checkpoint(one, verb, *args, code=0, text=""):
    result = one.project.manage("ptop_checkpoint", verb, "OrderPillow", *args, text=text)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result.stdout + result.stderr


def shown(one):
    return json.loads(checkpoint(one, "show", "--format=json"))


def seq(one):
    return shown(one)["checkpoints"]["Django"]["seq"]


def spoil(one, *doc_ids):
    """Take documents out of the index, behind the worker's back."""
    for doc_id in doc_ids:
        call("DELETE", f"{one.index.url}/_doc/{doc_id}?refresh=true")


@pytest.fixture
def one(setup):
    one = setup()
    one.database.put("a")
    one.project.catch_up()
    return one


def test_a_position_is_shown_before_and_after_the_first_start(setup):
    one = setup()
    assert shown(one)["checkpoints"] == {"CouchDB": None, "Django": None}
    assert "has no checkpoint yet" in checkpoint(one, "backup", code=2)
    one.database.put("a")
    one.project.catch_up()
    both = shown(one)["checkpoints"]
    assert both["CouchDB"] == both["Django"]
    assert both["Django"]["seq"].startswith("1-")
    assert "as CouchDB has it" in checkpoint(one, "show")


def test_a_running_worker_goes_back_and_on(one):
    before = seq(one)
    worker = one.project.start("--all")
    one.database.put("b")
    one.wait_until_in_step()
    spoil(one, "b")
    checkpoint(one, "set", before, "--noinput")
    one.wait_until_in_step()
    worker.wait_for("as was asked for (set)")
    assert worker.stop() == 0
    assert seq(one) != before


def test_a_position_is_brought_back_by_its_number_or_a_file(one):
    (one.project.folder / "backup.json").write_text(checkpoint(one, "backup"))
    one.database.put("b")
    one.project.catch_up()
    for way in ("backup.json", "-"):
        spoil(one, "b")
        text = (one.project.folder / "backup.json").read_text()
        assert "1 changes ahead" in checkpoint(one, "restore", way, "--noinput", text=text)
        one.project.catch_up()
        assert one.in_step()
    last = shown(one)["past"][0]
    assert last["verb"] == "restore"
    assert last["seq"].startswith("2-")
    checkpoint(one, "restore", str(last["number"]), "--noinput")
    one.project.catch_up()
    assert shown(one)["past"][0]["verb"] == "restore"


def test_a_position_of_some_time_ago(one):
    assert "no position of OrderPillow is remembered from 2h ago" in checkpoint(
        one, "rewind", "2h", "--noinput", code=2
    )
    number = shown(one)["past"][0]["number"]
    aged = AGED.format(number, "timedelta(hours=3)")
    assert one.project.manage("shell", "--no-imports", "-c", aged).returncode == 0
    spoil(one, "a")
    assert "1 changes ahead" in checkpoint(one, "rewind", "2h", "--noinput")
    one.project.catch_up()
    assert one.in_step()


def test_what_is_passed_over_stays_out(one):
    one.database.put("b")
    assert "2 changes" not in checkpoint(one, "to-head", "--dry-run")
    said = checkpoint(one, "to-head", text="yes\n")
    assert "0 changes ahead of it (its position now has 1)" in said
    assert "is never delivered" in said
    one.database.put("c")
    one.project.catch_up()
    assert one.index.revs().keys() == {"a"} | {"c"}


def test_the_position_of_the_original(setup):
    one = setup()
    one.database.put("a")
    name = "pillowtop_shop.pillows.OrderPillow.host1"
    assert "has none" in checkpoint(one, "import", code=2)
    since = call("GET", one.database.url)["update_seq"]
    one.database.put(name, seq=since)
    assert "ran ahead of what it had delivered" in checkpoint(one, "import", "--noinput")
    one.database.put("b")
    one.project.catch_up()
    assert one.index.revs().keys() == {name, "b"}
    one.database.put(f"{name}2", seq=since)
    assert "has several, name one" in checkpoint(one, "import", code=2)
    assert "goes on from" in checkpoint(one, "import", name, "--dry-run")
    one.database.put(f"{name}3", seq=1234)
    assert "does not accept" in checkpoint(one, "import", f"{name}3", "--noinput", code=3)


def test_nothing_is_asked_by_a_dry_run_or_a_no(one):
    for verb, *value in (["reset"], ["accept"], ["set", "0"], ["to-head"]):
        assert "as this is a dry run" in checkpoint(one, verb, *value, "--dry-run")
        assert "nothing was changed" in checkpoint(one, verb, *value, text="no\n", code=2)
    assert "as was asked for" not in one.project.catch_up()


def test_a_backup_of_another_database_is_refused(one):
    (one.project.folder / "old").write_text(checkpoint(one, "backup"))
    one.database.recreate()
    checkpoint(one, "restore", "old", "--noinput")
    assert "is of another database" in one.project.catch_up(code=3)
    checkpoint(one, "reset", "--noinput")
    one.project.catch_up()
    assert one.in_step()


def test_a_backup_without_a_seq_is_refused(one):
    kept = {**json.loads(checkpoint(one, "backup")), "seq": None}
    (one.project.folder / "empty").write_text(json.dumps(kept))
    assert "has no seq" in checkpoint(one, "restore", "empty", "--noinput", code=1)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["set"], 2, "set needs SEQ"),
        (["set", "nonsense"], 3, "does not accept the checkpoint"),
        (["set", "now"], 3, "is no position"),
        (["set", "\udcff"], 2, "'\\udcff' is no UTF-8"),
        (["rewind"], 2, "rewind needs AGE"),
        (["rewind", "soon"], 2, "say 90s, 30m, 2h or 7d"),
        (["restore", "99999"], 2, "has the number 99999"),
        (["restore", "none.json"], 2, "none.json cannot be read"),
        (["restore", "manage.py"], 2, "is no backup of ptop_checkpoint"),
        (["reset", "0"], 2, "reset takes nothing but a pillow"),
        (["import", "a"], 2, "has no checkpoint of the original called 'a'"),
    ],
)
def test_mistakes(one, args, code, words):
    said = checkpoint(one, *args, code=code)
    assert words in said
    assert "Traceback" not in said


def test_a_couchdb_that_is_down(one):
    one.reconfigure(COUCHDB_URL="http://127.0.0.1:9")
    said = checkpoint(one, "show")
    assert "cannot be reached" in said
    assert "as Django has it" in said
    assert "cannot be reached" in checkpoint(one, "to-head", "--noinput", code=1)
