"""Pillows that share a feed, by hypothesis: whoever joins, lags, leaves or dies meanwhile, and
whatever the feed does, each target ends with the last state of each document.
"""

from __future__ import annotations

import time
from contextlib import closing
from itertools import islice
from random import Random
from types import SimpleNamespace

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.changes import Change, Revision
from pillowtop.engine.versions import Versions
from pillowtop.exceptions import FeedInterrupted
from pillowtop.feeds.reading import Read
from pillowtop.worker import sharing
from pillowtop.worker.seats import Seat
from pillowtop.worker.sharing import Group

LAG_SECONDS = 0.01
PROOF_SECONDS = 0.03
DEADLINE_SECONDS = 20


class Database:
    """A log of changes; nodes that lag see of it what is older than that."""

    def __init__(self, random, copies):
        self.random = random
        self.copies = copies
        self.ids = range(random.choice([6, 30, 300]))
        self.log = []
        self.is_rough = True

    def write(self):
        doc_id = str(self.random.choice(self.ids))
        deleted = self.random.random() < 0.3
        self.log.append((time.monotonic(), doc_id, f"{len(self.log) + 1}-x", deleted))

    def state(self):
        return {doc_id: (rev, deleted) for _, doc_id, rev, deleted in self.log}

    def info(self):
        return SimpleNamespace(copies=self.copies)


class Feed:
    """A feed of it, each reading from a node that lags, perhaps, with seqs of its own."""

    stream = "orders"
    connections = 0

    def __init__(self, database):
        self.database = database

    def anew(self):
        return Feed(self.database)

    def read(self, since, follow):
        database, random = self.database, self.database.random
        Feed.connections += 1
        name = f"{Feed.connections}"
        lag = LAG_SECONDS * random.random() if database.copies > 1 else 0.0
        position, known = int(str(since).partition("-")[0]), False
        while True:
            if database.is_rough:
                if random.random() < 0.02:
                    raise FeedInterrupted("cut")
                if random.random() < 0.02:
                    position = random.randint(0, position)  # it may rewind
            limit = random.randint(1, 4)
            seen = [one for one in database.log[position:] if one[0] <= time.monotonic() - lag]
            # Of each document the last change only.
            last = {one[1]: number for number, one in enumerate(seen, position)}
            numbers = sorted(last.values())[:limit]
            end = numbers[-1] + 1 if len(numbers) == limit else position + len(seen)
            rows = [change(*database.log[number][1:]) for number in numbers]
            random.shuffle(rows)
            position, full = end, len(numbers) == limit
            seq = f"{end}-{name}"
            if random.random() < 0.3 and rows:
                yield Read("orders", rows, more=True)
                rows = []
            yield Read(
                "orders", rows, seq, full, caught_up=not full and not known, current=not full
            )
            if not (full or follow):
                return
            known = known or not full
            gevent.sleep(0 if full else 0.001)


def change(doc_id, rev, deleted):
    return Change(doc_id, None, [Revision(rev)], deleted)


class Target:
    def __init__(self):
        self.held = {}

    def write(self, version, one):
        if version >= self.held.get(one.id, (0,))[0]:
            self.held[one.id] = version, (one.rev, one.deleted)

    def state(self):
        return {doc_id: state for doc_id, (_, state) in self.held.items()}


class Follower:
    """Reads as a lane does: from its position, for ever, and dies now and then."""

    def __init__(self, name, group, database):
        self.name = name
        self.group = group
        self.database = database
        self.target = Target()
        self.position = "0"
        self.token = 0
        self.lives = 0

    def run(self):
        random = self.database.random
        while True:
            self.lives += 1
            self.token += 1
            versions = Versions(self.token)
            seat = Seat(
                self.name,
                self.group,
                Feed(self.database),
                versions.draw,
                fills_in=random.random() < 0.5,
                is_versioned=True,
                lag_seconds=PROOF_SECONDS,
            )
            try:
                self.live(seat, versions, random)
            finally:
                seat.leave()

    def live(self, seat, versions, random):
        while True:
            try:
                for read in seat.read(self.position, True):
                    if self.database.is_rough and random.random() < 0.01:
                        return
                    self.take(read, versions)
                    if self.database.is_rough and random.random() < 0.1:
                        gevent.sleep(random.random() * 0.02)
            except FeedInterrupted:
                gevent.sleep(random.random() * 0.01)

    def take(self, read, versions):
        version = read.version
        if version is None:
            version = versions.draw(len(read.changes))
        for number, one in enumerate(read.changes):
            self.target.write(version + number, one)
        if read.seq is not None:
            self.position = read.seq

    def reached(self):
        return int(self.position.partition("-")[0])


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        gevent.sleep(0.005)


@pytest.fixture(autouse=True)
def tight(monkeypatch):
    monkeypatch.setattr(sharing, "AHEAD_BYTES", 3000)
    monkeypatch.setattr(sharing, "AHEAD_ALONE_BYTES", 1500)
    monkeypatch.setattr(sharing, "HELD_SECONDS", 0.005)
    monkeypatch.setattr(sharing, "GATHER_SECONDS", 0.01)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), copies=st.sampled_from([1, 3]), writes=st.integers(20, 200))
def test_in_the_end_all_targets_hold_the_last_state(seed, copies, writes):
    random = Random(seed)
    database = Database(random, copies)
    for _ in range(random.randint(0, 30)):
        database.write()
    names = ["a", "b", "c"]
    group = Group(names, Feed(database).anew)
    followers = [Follower(name, group, database) for name in names]
    greenlets = [gevent.spawn_later(random.random() * 0.02, one.run) for one in followers]
    try:
        for _ in range(writes):
            database.write()
            gevent.sleep(random.random() * 0.004)
        database.is_rough = False
        for one in followers:
            # Behind everything that was not certain: what the position says is true then.
            wait_until(lambda one=one: one.reached() == len(database.log), lambda one=one: one.name)
            assert one.target.state() == database.state()
    finally:
        gevent.killall(greenlets)
    for greenlet in greenlets:
        assert greenlet.exception is None


class Page:
    """A feed whose every reading gives one page, and then nothing for ever."""

    stream = "orders"

    def __init__(self, seqs, copies=1):
        self.seqs = iter(seqs)
        self.copies = copies
        self.database = self

    def info(self):
        return SimpleNamespace(copies=self.copies)

    def anew(self):
        return self

    def read(self, since, follow):
        yield Read("orders", [], next(self.seqs), caught_up=True, current=True)
        while follow:
            gevent.sleep(0.001)
            yield Read("orders", current=True)


def seat(name, group, feed, **options):
    made = {"fills_in": False, "is_versioned": True} | options
    return Seat(name, group, feed, Versions(1).draw, **made)


def positions(one, since, count):
    """Up to where the reads vouch, one after the other, until there are so many."""
    with closing(one.read(since, True)) as reads:
        return list(islice((read.seq for read in reads if read.seq is not None), count))


@pytest.fixture
def group():
    """With somebody who is up to date."""
    made = Group([], Page(["5-main", "9-own"]).anew)
    with closing(seat("first", made, Page([])).read("0", True)) as reads:
        next(reads)
        next(reads)
        yield made


@pytest.fixture(autouse=True)
def _deadline():
    with gevent.Timeout(10 * DEADLINE_SECONDS):
        yield


def test_who_joins_is_where_the_others_are_and_not_where_its_own_pages_end(group):
    second = seat("second", group, Page(["12-own"]))
    assert positions(second, "7-x", 2) == ["9-own", "5-main"]


def test_where_nodes_may_lag_it_goes_back_to_where_it_was_long_before(group):
    own = Page(["12-own", "13-again"], copies=3)
    second = seat("second", group, own, lag_seconds=0.05)
    assert positions(second, "7-x", 3) == ["9-own", "9-own", "5-main"]


def test_a_target_without_versions_does_not_join_where_nodes_may_lag(group):
    second = seat("second", group, Page([], copies=3), is_versioned=False, lag_seconds=0.01)
    with closing(second.read("7-x", True)) as reads:
        for _ in range(100):
            next(reads)
        assert second.companions == []


def test_those_at_the_same_seq_begin_together():
    feed = Page(["1-a"])
    group = Group(["first", "second"], feed.anew)
    seats = [seat(name, group, feed) for name in ("first", "second")]
    readers = [gevent.spawn(positions, one, "0", 1) for one in seats]
    assert [one.get() for one in readers] == [["1-a"], ["1-a"]]


class Full(Page):
    """A feed that has more and more."""

    def read(self, since, follow):
        for number in range(100):
            yield Read("orders", [change("a", "1-x", False)], f"{number}-{since}", more=True)


def test_one_that_hangs_holds_up_nobody():
    group = Group([], Full([]).anew)
    with closing(seat("slow", group, Full([])).read("0", True)) as slow:
        assert next(slow).seq == "0-0"
        assert positions(seat("quick", group, Full([])), "0", 100)[-1] == "99-0"
        assert list(slow)[-1].seq == "99-0-0"  # alone, from where it was
