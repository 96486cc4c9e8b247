from __future__ import annotations

import msgspec
import pytest

from pillowtop.engine.resuming import (
    Checkpoint,
    Elsewhere,
    Request,
    Start,
    Surroundings,
    decide_start,
    fingerprint,
    shown,
)
from pillowtop.exceptions import DatabaseChanged, DatabaseRecreated, FilterChanged

SAVED = Checkpoint("9-x", "identity", "filter", "target", token=5, generation=20)
SAME = Surroundings("identity", "filter", "target")


def changed(value, **fields):
    return msgspec.structs.replace(value, **fields)


def test_a_first_start_is_from_0():
    assert decide_start(None, None, changed(SAME, identity=None)) == Start("0")


@pytest.mark.parametrize(
    ("known", "token", "target", "asks"),
    [
        (None, 5, "target", True),
        (SAVED, 6, "target", True),
        (SAVED, 5, "target", False),
        (None, 5, "another", False),
    ],
)
def test_what_came_from_another_database_since_is_asked_about(known, token, target, asks):
    there = Elsewhere("invoices", changed(SAVED, identity="there", token=token, target=target))
    if not asks:
        assert decide_start(known, known, SAME, elsewhere=there) == decide_start(known, known, SAME)
        return
    with pytest.raises(DatabaseChanged, match=r"'invoices'.*ptop_checkpoint reset P"):
        decide_start(known, known, SAME, elsewhere=there, pillow="P")
    reset = Request("reset")
    assert decide_start(known, known, SAME, elsewhere=there, requested=reset).seq == "0"


def test_without_a_target_that_remembers_another_database_is_no_matter():
    there = Elsewhere("invoices", changed(SAVED, target=""))
    assert decide_start(None, None, changed(SAME, target=""), elsewhere=there) == Start("0")


def test_it_goes_on_where_it_was():
    assert decide_start(SAVED, SAVED, SAME) == Start("9-x")


def test_couchdb_may_be_ahead_of_the_django_database():
    """Killed between the two saves."""
    behind = changed(SAVED, generation=19, seq="8-x")
    assert decide_start(SAVED, behind, SAME) == Start("9-x")


def test_the_late_save_of_a_stale_writer_does_not_count():
    """It may come at any time, with a lower token: after a reset, its position is no good."""
    after_reset = changed(SAVED, token=6, seq="0")
    assert decide_start(SAVED, after_reset, SAME) == Start("0")


@pytest.mark.parametrize(
    ("generation", "is_late_save"),
    [(10, False), (15, False), (16, True), (20, True)],
)
def test_a_late_save_is_told_from_a_backup(generation, is_late_save):
    """A backup holds what was there before this life began, at generation 15."""
    now = changed(SAVED, token=6, born=15)
    start = decide_start(changed(SAVED, generation=generation), now, SAME)
    assert (start.seq == "9-x") is is_late_save
    assert start.sweep is not is_late_save


def test_what_the_django_database_has_forgotten_is_taken_over():
    assert decide_start(SAVED, None, SAME) == Start("9-x")


@pytest.mark.parametrize("believed", ["couch", "django"])
@pytest.mark.parametrize("in_django", [None, changed(SAVED, letters=2, generation=19)])
def test_lost_letters_are_written_again(believed, in_django):
    """Their documents are nowhere else; a position of the Django database's own is before them."""
    start = decide_start(changed(SAVED, letters=3), in_django, SAME, believed=believed)
    kept = in_django is not None and believed == "django"
    assert start.seq == ("9-x" if kept else "0")
    assert ("lost dead letters" in start.notice) is not kept


def test_letters_that_no_checkpoint_vouches_for_are_not_lost():
    assert decide_start(SAVED, changed(SAVED, letters=3), SAME) == Start("9-x")


AHEAD = changed(SAVED, generation=21, seq="10-x")


@pytest.mark.parametrize(
    ("believed", "seq"), [("couch", "10-x"), ("django", "9-x"), ("target", "9-x")]
)
def test_whose_position_counts(believed, seq):
    assert decide_start(AHEAD, SAVED, SAME, believed=believed).seq == seq


@pytest.mark.parametrize(("believed", "seq"), [("django", "9-x"), ("target", "0")])
def test_a_position_that_went_with_its_rows_is_not_taken_over(believed, seq):
    assert decide_start(SAVED, None, SAME, believed=believed).seq == seq


@pytest.mark.parametrize("identity", [None, "another"])
@pytest.mark.parametrize("in_couch", [None, SAVED])
def test_a_recreated_database_halts(identity, in_couch):
    with pytest.raises(DatabaseRecreated, match="ptop_checkpoint reset OrderPillow"):
        decide_start(in_couch, SAVED, changed(SAME, identity=identity), pillow="OrderPillow")


def test_a_recreated_database_is_read_from_0_if_the_pillow_says_so():
    start = decide_start(None, SAVED, changed(SAME, identity=None), on_recreated="resync")
    assert start.seq == "0"
    assert start.sweep
    assert "deleted and made again" in start.notice


@pytest.mark.parametrize("in_couch", [None, changed(SAVED, generation=19)])
def test_a_restored_database_is_read_from_0(in_couch):
    start = decide_start(in_couch, SAVED, SAME)
    assert start.seq == "0"
    assert start.sweep
    assert "restored from a backup" in start.notice


def test_another_index_is_filled_from_0():
    start = decide_start(SAVED, SAVED, changed(SAME, target="new"))
    assert (start.seq, start.sweep) == ("0", False)
    assert "made anew" in start.notice


def test_another_filter_asks():
    with pytest.raises(FilterChanged, match=r"reset OrderPillow.*accept OrderPillow"):
        decide_start(SAVED, SAVED, changed(SAME, filter="other"), pillow="OrderPillow")


def test_another_filter_may_be_accepted():
    other = changed(SAME, filter="other")
    assert decide_start(SAVED, SAVED, other, requested=Request("accept")) == Start("9-x")


def test_accepting_a_filter_accepts_nothing_else():
    with pytest.raises(DatabaseRecreated):
        decide_start(SAVED, SAVED, changed(SAME, identity=None), requested=Request("accept"))


@pytest.mark.parametrize("now", [SAME, changed(SAME, identity=None), changed(SAME, filter="other")])
def test_a_reset_starts_from_0_whatever_is_there(now):
    start = decide_start(SAVED, SAVED, now, requested=Request("reset"))
    assert start.seq == "0"
    assert start.sweep


def test_the_fingerprint_does_not_depend_on_the_order_of_parameters():
    assert fingerprint("a/b", {"x": 1, "y": 2}) == fingerprint("a/b", {"y": 2, "x": 1})
    assert fingerprint("a/b", {}) != fingerprint(None, {})
    assert fingerprint("a/b", {"x": 1}) != fingerprint("a/b", {"x": "1"})


@pytest.mark.parametrize("in_couch", [None, SAVED, changed(SAVED, generation=1)])
@pytest.mark.parametrize(
    "now", [SAME, changed(SAME, target="new"), changed(SAME, filter="other", identity="another")]
)
def test_a_position_that_was_asked_for(in_couch, now):
    """Whoever types it has seen what is there."""
    start = decide_start(in_couch, in_couch, now, requested=Request("set", "7-x"))
    assert start == Start("7-x", "starts from 7-x, as was asked for (set)", asked="set")
    assert start.abandons_replay
    assert start.repeats


@pytest.mark.parametrize("verb", ["reindex", "rollback"])
def test_a_position_that_was_noted_by_itself_is_none_of_a_restored_database(verb):
    """Nobody has looked at the database before it was asked for."""
    asked = Request(verb, "7-x", "identity")
    assert decide_start(SAVED, SAVED, SAME, requested=asked).seq == "7-x"
    for in_couch in (None, changed(SAVED, generation=SAVED.generation - 1)):
        start = decide_start(in_couch, SAVED, SAME, requested=asked)
        assert (start.seq, start.went_back, start.asked) == ("0", True, "")


def test_what_is_no_repetition():
    moved = decide_start(SAVED, SAVED, SAME, requested=Request("reindex", "7-x", "identity"))
    assert not moved.repeats
    assert moved.abandons_replay
    assert not decide_start(SAVED, SAVED, SAME).repeats
    assert decide_start(SAVED, SAVED, SAME, requested=Request("reset")).repeats
    assert not decide_start(SAVED, SAVED, SAME, requested=Request("reset")).abandons_replay


def test_a_position_of_another_database_is_refused():
    asked = Request("restore", "7-x", "identity")
    assert decide_start(SAVED, SAVED, SAME, requested=asked).seq == "7-x"
    with pytest.raises(DatabaseRecreated, match="is of another database"):
        decide_start(SAVED, SAVED, changed(SAME, identity="another"), requested=asked)


def test_a_long_seq_is_shown_short():
    assert shown("9-" + "g" * 400) == "9-" + "g" * 22 + "…"
