"""`ptop_errors`: dead letters as operators see and treat them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from pillowtop.engine.letters import Letter
from pillowtop.exits import Exit
from pillowtop.models import DeadLetter
from pillowtop.records import letters

pytestmark = pytest.mark.django_db


def letter(doc_id, stage="transform", error_type="KeyError", reason="'total'"):
    return Letter(doc_id, "1-a", "7-abc", False, stage, error_type, reason, "Traceback\n  line 1")


@pytest.fixture
def some(settings):
    settings.PILLOWTOPS = ["tests.test_errors_command.OrderPillow"]
    letters.write(
        "OrderPillow", "orders", [letter("a"), letter("b", "transport", "mapper_parsing")]
    )
    letters.write("OrderPillow", "orders", [letter("sha256:00", "feed", "UnreadableLine")])
    letters.write("OldPillow", "orders", [letter("c")])
    aged("c", days=40)


def aged(doc_id, **length):
    moment = timezone.now() - timedelta(**length)
    DeadLetter.objects.filter(doc_id=doc_id).update(first_at=moment)


def run(capsys, *args):
    call_command("ptop_errors", *args)
    return capsys.readouterr().out


def ids(capsys, *args):
    return {row["doc_id"] for row in json.loads(run(capsys, "list", "--format=json", *args))}


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ([], {"a", "b", "c", "sha256:00"}),
        (["--pillow=OrderPillow"], {"a", "b", "sha256:00"}),
        (["--pillow=OldPillow"], {"c"}),
        (["--type=KeyError"], {"a", "c"}),
        (["--stage=transport"], {"b"}),
        (["--older-than=30d"], {"c"}),
        (["--newer-than=30d", "--stage=transform"], {"a"}),
        (["a", "c", "x"], {"a", "c"}),
    ],
)
def test_letters_are_chosen(some, capsys, args, found):
    assert ids(capsys, *args) == found


def test_a_list_for_people(some, capsys):
    said = run(capsys, "list")
    assert "OldPillow    c " in said
    assert "1 of OrderPillow at transport: mapper_parsing" in said
    assert run(capsys, "list", "--stage=filter") == (
        "no dead letters of these; 4 in all (ptop_errors list)\n"
    )


def test_a_list_that_is_long_says_so(some, capsys):
    letters.write("OrderPillow", "orders", [letter(f"n{n}") for n in range(120)])
    said = run(capsys, "list")
    assert len(said.partition("\n\n")[0].splitlines()) == 1 + 100
    assert "124 in all" in said


def test_one_letter_is_shown_whole(some, capsys):
    said = run(capsys, "show", "a")
    assert "traceback: Traceback\n      line 1\n" in said
    assert "seq: 7-abc" in said
    (row,) = json.loads(run(capsys, "show", "a", "--format=json"))
    assert row["traceback"] == "Traceback\n  line 1"


def test_letters_are_exported_as_lines(some, capsys):
    lines = [json.loads(line) for line in run(capsys, "export").splitlines()]
    assert {line["doc_id"] for line in lines} == {"a", "b", "c", "sha256:00"}
    columns = {field.name for field in DeadLetter._meta.get_fields()}
    assert all(line.keys() == columns for line in lines)
    assert lines[0]["seq"] == "7-abc"


def test_letters_are_made_due(some, capsys):
    before = DeadLetter.objects.get(doc_id="a").next_attempt_at
    run(capsys, "retry", "--pillow=OrderPillow", "--dry-run")
    assert DeadLetter.objects.get(doc_id="a").next_attempt_at == before
    said = run(capsys, "retry", "--pillow=OrderPillow")
    assert "2 due now" in said
    assert "1 cannot be tried again" in said
    assert {due.doc_id for due in letters.due("OrderPillow", "orders", 10)} == {"a", "b"}
    assert not letters.due("OldPillow", "orders", 10)


def test_letters_are_removed_after_a_yes(some, capsys, monkeypatch):
    assert "1 of OldPillow" in run(capsys, "purge", "--older-than=30d", "--dry-run")
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="nothing was changed"):
        run(capsys, "purge", "--older-than=30d")
    assert DeadLetter.objects.count() == 4
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert "removed 1" in run(capsys, "purge", "--older-than=30d")
    assert "removed 2" in run(capsys, "purge", "a", "b", "--noinput")
    assert "no dead letters" in run(capsys, "purge", "a")
    assert [row.doc_id for row in DeadLetter.objects.all()] == ["sha256:00"]


def test_a_pillow_that_nobody_knows(some, capsys):
    with pytest.raises(CommandError, match="did you mean 'OrderPillow'") as raised:
        run(capsys, "list", "--pillow=OrderPilow")
    assert raised.value.returncode == Exit.CONFIGURATION


@pytest.mark.parametrize(
    ("arg", "words"),
    [
        ("--older-than=soon", "say 90s, 30m, 2h or 7d"),
        ("--older-than=999999999d", "more than 36500 days"),
        ("--stage=flight", "invalid choice"),
        ("--dry", "unrecognized arguments"),
    ],
)
def test_mistakes(some, capsys, arg, words):
    with pytest.raises(CommandError, match=words):
        run(capsys, "purge", arg)
