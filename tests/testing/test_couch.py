"""The fake database and its feed: by itself, and next to a real one."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillowtop.exceptions import FeedInterrupted, SequenceRefused
from pillowtop.feeds.couch import CouchFeed
from pillowtop.listener import BasicPillow
from pillowtop.testing import (
    FakeDatabase,
    FakeElasticsearch,
    busy,
    interrupted,
    meanwhile,
    repeated,
    rewound,
    without_seqs,
)
from tests.couch import call
from tests.feeds.scripts import database_at, ids, until_error


def filled(*doc_ids, **options):
    database = FakeDatabase("orders", **options)
    for doc_id in doc_ids:
        database.put({"_id": doc_id, "n": 1})
    return database


def rows(database, since=0, **options):
    """The changes of one reading."""
    reads = database.feed(**options).read(since, follow=False)
    return [change for read in reads for change in read.changes]


def last_seq(database, since=0):
    return list(database.feed().read(since, follow=False))[-1].seq


def test_rows_are_those_of_couchdb():
    database = filled("a")
    rev = database.put({"_id": "a", "_rev": "1-stale", "n": 2})
    (change,) = rows(database)
    assert dict(change) == {
        "seq": change.seq,
        "id": "a",
        "changes": [{"rev": rev}],
        "doc": {"_id": "a", "_rev": rev, "n": 2},
    }
    assert bytes(change.doc).startswith(b'{"_id":"a","_rev":"2-')
    assert change.database == "orders"


def test_a_deletion_keeps_the_fields_of_its_tombstone():
    database = filled("a")
    rev = database.delete("a", why="sold")
    (change,) = rows(database)
    assert change.deleted
    assert change.document == {"_id": "a", "_rev": rev, "_deleted": True, "why": "sold"}


def test_a_feed_without_documents():
    database = filled("a")
    (change,) = rows(database, include_docs=False)
    assert not change.has_document
    assert database.load(["a"])["a"].doc is not None


def test_reading_goes_on_from_any_seq():
    database = filled(*"abcdefgh")
    (first, *_) = database.feed(read_rows=3).read(0, follow=False)
    rest = rows(database, first.seq)
    assert sorted([*ids([first]), *(change.id for change in rest)]) == list("abcdefgh")


def test_order_and_seqs_differ_from_reading_to_reading_but_not_from_run_to_run():
    def two_readings(seed):
        database = filled(*"abcdefgh", seed=seed)
        return [[(change.id, change.seq) for change in rows(database)] for _ in range(2)]

    first, second = two_readings(0)
    assert sorted(doc_id for doc_id, _ in first) == sorted(doc_id for doc_id, _ in second)
    assert [doc_id for doc_id, _ in first] != [doc_id for doc_id, _ in second]
    assert not {seq for _, seq in first} & {seq for _, seq in second}
    assert two_readings(0) == [first, second] != two_readings(1)


def test_with_one_shard_rows_come_in_order():
    assert [change.id for change in rows(filled(*"hgfedcba", shards=1))] == list("hgfedcba")


@pytest.mark.parametrize("seq", ["5-x", 5, [], {"a": 1}])
def test_a_seq_of_somebody_else_is_refused(seq):
    with pytest.raises(SequenceRefused, match="Malformed"):
        rows(filled("a"), seq)


def test_an_interruption_leaves_the_last_seq_good():
    database = filled(*"abcde")
    database.fail_next(interrupted(after=3))
    taken, error = until_error(database.feed().read(0, follow=False), FeedInterrupted)
    assert "orders" in str(error)
    assert len(ids(taken)) == 3
    assert len(rows(database, taken[-1].seq)) == 2


def test_a_cut_without_seqs_vouches_for_nothing():
    database = filled(*"abcde")
    database.fail_next(without_seqs(), interrupted(after=3))
    (read,), _ = until_error(database.feed().read(0, follow=False), FeedInterrupted)
    assert read.seq is None
    assert {change.seq for change in read.changes} == {None}


def test_without_seqs_the_end_vouches_for_all():
    database = filled(*"abc")
    database.fail_next(without_seqs())
    first, end = database.feed().read(0, follow=False)
    assert first.seq is None
    assert end.caught_up
    assert rows(database, end.seq) == []


def test_a_rewound_feed_gives_everything_again():
    database = filled(*"abc")
    since = last_seq(database)
    database.fail_next(rewound())
    assert {change.id for change in rows(database, since)} == set("abc")
    assert rows(database, since) == []


def test_rows_that_come_twice():
    database = filled("a", "b", shards=1)
    database.fail_next(repeated())
    assert [change.id for change in rows(database)] == ["a", "a", "b", "b"]


def test_what_is_no_fault_and_no_document_is_refused_at_once():
    with pytest.raises(TypeError, match=r"no fault of a feed, such as interrupted\(\)"):
        FakeDatabase().fail_next(busy())
    with (
        FakeElasticsearch() as es,
        pytest.raises(TypeError, match=r"no fault of Elasticsearch, such as busy\(\)"),
    ):
        es.fail_next(interrupted())
    with pytest.raises(TypeError, match=r"give the document an `_id`.*\['id', 'price'\]"):
        FakeDatabase().put({"id": "a", "price": 5})


def test_faults_are_of_one_reading_each():
    database = filled("a")
    database.fail_next(interrupted())
    database.fail_next()
    database.fail_next(interrupted())
    feed = database.feed()
    for fails in (True, False, True, False):
        if fails:
            until_error(feed.read(0, follow=False), FeedInterrupted)
        else:
            assert ids(feed.read(0, follow=False)) == ["a"]


def test_a_document_that_is_deleted_between_reading_and_loading():
    database = filled("a")
    database.fail_next(meanwhile(lambda: database.delete("a")))
    (change,) = rows(database, include_docs=False)
    assert not change.deleted
    assert database.load(["a"])["a"].deleted
    assert database.gone(["a"]) == {"a"}
    assert rows(database, change.seq)[0].deleted


def test_a_document_that_is_purged_leaves_no_row():
    database = filled("a", "b")
    since = last_seq(database)
    database.purge("a")
    assert [change.id for change in rows(database)] == ["b"]
    assert rows(database, since) == []
    assert database.load(["a"])["a"].reason == "missing"


def test_the_losing_branch_of_a_conflict_is_not_seen():
    database = filled("a")
    winner = database.put({"_id": "a", "n": 2})
    since = last_seq(database)
    database.conflict({"_id": "a", "n": 9})
    (again,) = rows(database, since)
    assert (again.rev, again.document["n"]) == (winner, 2)


def test_when_the_winner_is_deleted_a_branch_of_fewer_generations_is_there():
    database = filled("a")
    database.put({"_id": "a", "n": 2})
    loser = database.conflict({"_id": "a", "n": 9})
    database.delete("a")
    (change,) = rows(database)
    assert not change.deleted
    assert (change.rev, change.document["n"]) == (loser, 9)
    assert change.rev.startswith("1-")


def test_a_branch_of_more_generations_wins():
    database = filled("a")
    rev = database.conflict({"_id": "a", "n": 9}, generation=7)
    assert [change.rev for change in rows(database)] == [rev]


def test_lines_that_cannot_be_read():
    database = filled("a", "b")
    database.garble("a")
    (read, _) = database.feed().read(0, follow=False)
    assert ids([read]) == ["b"]
    (line,) = read.unreadable
    (again,) = next(database.feed().read(0, follow=False)).unreadable
    assert line.digest == again.digest
    assert line.line != again.line  # its seq differs
    database.put({"_id": "a", "n": 2})
    assert {change.id for change in rows(database)} == {"a", "b"}


def test_rows_as_they_are_given():
    database = FakeDatabase()
    database.put_row({"seq": "1-x", "id": "a", "changes": [], "doc": None})
    (change,) = rows(database)
    assert (change.id, change.rev, change.has_document) == ("a", "", False)
    assert change.seq != "1-x"


def test_a_database_that_is_made_again_takes_old_seqs_and_starts_from_0():
    database = filled("a", "b")
    since, before = last_seq(database), database.info()
    database.put_local("x", {"n": 1})
    database.recreate()
    assert database.get_local("x") is None
    assert database.info().instance_start_time != before.instance_start_time
    database.put({"_id": "c"})
    assert [change.id for change in rows(database, since)] == ["c"]


def test_what_pillowtop_asks_of_a_database():
    database = filled("a", "b")
    database.delete("b")
    info = database.info()
    assert (info.doc_count, info.external_bytes) == (1, len(b'{"n":1}'))
    assert rows(database, info.update_seq) == []
    assert database.pending(0) == 2
    assert database.get("b") is None
    assert database.get("a")["n"] == 1
    assert database.load(["x"])["x"].reason == "missing"
    assert database.gone(["a", "b", "x"]) == {"b", "x"}
    assert database.ids_with_prefix("a") == ["a"]
    database.put_local("x", {"n": 1})
    assert database.get_local("x") == {"n": 1}


def test_following_yields_nothing_until_there_is_news():
    database = filled("a")
    reads = database.feed().read(0, follow=True)
    assert ids(islice(reads, 3)) == ["a"]
    assert next(reads).changes == []
    database.put({"_id": "b"})
    assert ids(islice(reads, 2)) == ["b"]


def test_a_pillow_follows_it():
    class Pillow(BasicPillow):
        couch_db = "elsewhere"
        include_docs = False

    pillow, database = Pillow(), filled("a")
    database.follow_with(pillow)
    (change,) = [one for read in pillow.get_feed().read(0, follow=False) for one in read.changes]
    assert not change.has_document
    assert pillow.change_trigger(change)["n"] == 1


faults = st.lists(
    st.sampled_from([interrupted(0), interrupted(2), rewound(), repeated(), without_seqs()]),
    max_size=2,
)
steps = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["put", "delete"])))


@given(st.lists(st.tuples(steps, faults), max_size=6), st.integers(0, 9))
def test_whoever_goes_on_from_its_last_seq_ends_with_the_last_state(rounds, seed):
    database, seen, since = FakeDatabase(seed=seed), {}, 0
    for happening, failing in [*rounds, ([], [])]:
        for number, (doc_id, what) in enumerate(happening):
            database.put({"_id": doc_id, "n": number}) if what == "put" else database.delete(doc_id)
        if happening or failing:
            database.fail_next(*failing)
        since = _read_some(database, seen, since)
    assert seen == {
        doc_id: None if database.get(doc_id) is None else database.get(doc_id)["_rev"]
        for doc_id in seen
    }
    assert seen.keys() == {change.id for change in rows(database)}
    assert rows(database, since) == []


def _read_some(database, seen, since):
    """Take one reading, broken or not, and say how far it vouches."""
    try:
        for read in database.feed(read_rows=2).read(since, follow=False):
            for change in read.changes:
                seen[change.id] = None if change.deleted else change.rev
            since = since if read.seq is None else read.seq
    except FeedInterrupted:
        pass
    return since


def test_it_gives_what_a_real_server_gives(couch_database):
    """The same happens to both: ids, deletions, generations and documents are the same."""
    real = database_at(couch_database.rpartition("/")[0], couch_database.rpartition("/")[2])
    fake = FakeDatabase()

    def put(doc_id, **fields):
        stored = real.get(doc_id) or {}
        rev = {"_rev": stored["_rev"]} if stored else {}
        call("PUT", f"{couch_database}/{doc_id}", {**fields, **rev})
        fake.put({"_id": doc_id, **fields})

    def delete(doc_id):
        rev = real.get(doc_id)["_rev"]
        call("DELETE", f"{couch_database}/{doc_id}?rev={rev}")
        fake.delete(doc_id)

    def conflict(doc_id, rev, generation, **fields):
        branch = {"_id": doc_id, "_rev": rev, **fields}
        call("POST", f"{couch_database}/_bulk_docs", {"docs": [branch], "new_edits": False})
        fake.conflict({"_id": doc_id, **fields}, generation)

    put("plain", n=1)
    put("updated", n=1)
    put("updated", n=2)
    put("deleted", n=1)
    delete("deleted")
    put("again", n=1)
    delete("again")
    put("again", n=2)
    put("lost", n=1)
    put("lost", n=2)
    conflict("lost", "1-abc", 1, n=9)
    put("surviving", n=1)
    put("surviving", n=2)
    conflict("surviving", "1-abc", 1, n=9)
    delete("surviving")
    put("unicode", text="☃ \u2028")

    assert _facts(CouchFeed(real)) == _facts(fake.feed())
    assert real.info().doc_count == fake.info().doc_count
    for doc_id in ("plain", "deleted", "never"):
        there, here = real.load([doc_id])[doc_id], fake.load([doc_id])[doc_id]
        assert (there.deleted, there.doc is None, there.reason) == (
            here.deleted,
            here.doc is None,
            here.reason,
        )


def _facts(feed):
    return {
        change.id: (change.deleted, change.rev.partition("-")[0], change.document.get("n"))
        for read in feed.read(0, follow=False)
        for change in read.changes
    }
