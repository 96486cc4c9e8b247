"""Pillows that share a feed, by hypothesis: whoever joins, lags, leaves or dies meanwhile, and
whatever the feed does, each target ends with the last state of each document.
"""

from __future__ import annotations

import time
from contextlib import closing
from itertools import islice
from random import Random
from types import SimpleNamespace

import gevent.pool
import msgspec
import pytest
from django.test.utils import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from pillowtop.changes import Change, Revision
from pillowtop.engine.versions import Versions
from pillowtop.engine.way import Way
from pillowtop.exceptions import FeedInterrupted, ServerBusy, StartAgain
from pillowtop.feeds.couch_values import Loaded
from pillowtop.feeds.reading import Read
from pillowtop.listener import BasicPillow, SQLPillow
from pillowtop.worker import sharing
from pillowtop.worker.gates import Gates
from pillowtop.worker.loading import Loader
from pillowtop.worker.patience import Patience
from pillowtop.worker.seats import Seat
from pillowtop.worker.sharing import Group, groups_of

LAG_SECONDS = 0.01
DEADLINE_SECONDS = 20


class Database:
    """A log of changes; nodes that lag see of it what is older than that."""

    name = "orders"

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

    def load(self, doc_ids, at_most):
        if self.random.random() < 0.5:
            gevent.sleep(self.random.random() * 0.01)
        if self.is_rough and self.random.random() < 0.1:
            raise ServerBusy("rough")
        found = {doc_id: loaded(doc_id, *self.state()[doc_id]) for doc_id in doc_ids}
        if self.random.random() < 0.5:
            gevent.sleep(self.random.random() * 0.01)
        return found


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


def loaded(doc_id, rev, deleted):
    return Loaded(doc_id, rev, deleted, None if deleted else msgspec.Raw(b'{"x":"y"}'))


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
        self.loads = database.random.random() < 0.5
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
                "the database",
                lambda: None,
                lambda: None,
            )
            crew = gevent.pool.Group()
            try:
                self.live(seat, versions, random, crew)
            finally:
                crew.kill()
                seat.leave()

    def live(self, seat, versions, random, crew):
        while True:
            try:
                for read in self.reads(seat, versions, crew):
                    if self.database.is_rough and random.random() < 0.01:
                        return
                    self.take(read, versions)
                    if self.database.is_rough and random.random() < 0.1:
                        gevent.sleep(random.random() * 0.02)
            except FeedInterrupted:
                gevent.sleep(random.random() * 0.01)

    def reads(self, seat, versions, crew):
        """What comes to the seat; or its documents, as they are when they are loaded."""
        reads = seat.read(self.position, True)
        if not self.loads:
            return reads
        loader = Loader(
            Way(BasicPillow(), BasicPillow),
            self.database,
            versions,
            Patience(self.name, Gates(0.001), 0.001),
            crew.spawn,
            0.001,
            lambda: seat.fetcher,
        )
        return loader.through(reads)

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


def nothing():
    pass


def seat(name, group, feed, identity="it", verify=nothing, verify_identity=nothing):
    return Seat(name, group, feed, identity, verify, verify_identity)


def positions(one, since, count):
    """Up to where the reads vouch, one after the other, until there are so many."""
    with closing(one.read(since, True)) as reads:
        return list(islice((read.seq for read in reads if read.seq is not None), count))


@pytest.fixture
def first():
    """Somebody who is up to date, in `group`."""
    made = Group([], Page(["5-main", "9-own", "5-main"]).anew)
    one = seat("first", made, Page(["10-own"]))
    with closing(one.read("0", True)) as one.reads:
        next(one.reads)
        next(one.reads)
        yield one


@pytest.fixture
def group(first):
    return first._group


@pytest.fixture(autouse=True)
def _deadline():
    with gevent.Timeout(10 * DEADLINE_SECONDS):
        yield


def test_who_joins_is_where_the_others_are_and_not_where_its_own_pages_end(group):
    second = seat("second", group, Page(["12-own"]))
    assert positions(second, "7-x", 2) == ["9-own", "5-main"]


def up_to_date(one, since="7-x", turns=5):
    """Reads of one that has nothing more to read."""
    reads = one.read(since, True)
    for _ in range(turns):
        next(reads)
    return reads


def test_where_nodes_may_lag_it_joins_at_the_same_seq_only(group):
    second, third = (seat(name, group, Page([], copies=3)) for name in ("second", "third"))
    with closing(up_to_date(second, turns=100)):
        assert second.companions == []
        with closing(up_to_date(third)):
            assert third.companions == ["first"]


def test_a_new_life_hears_what_the_database_says_now(group):
    """Not what others remember of it: a reset is the remedy for what no feed tells, as a purge."""
    assert positions(seat("second", group, Page(["10-again"])), "0", 1) == ["9-own"]


def test_nobody_sits_with_those_who_read_another_database(group):
    second = seat("second", group, Page([]), identity="made again")
    with closing(up_to_date(second)):
        assert second.companions == []


def test_where_somebody_has_stalled_nobody_sits_down_any_more(first, group):
    first.condemn()
    second = seat("second", group, Page([]))
    with closing(up_to_date(second)):
        assert second.companions == []
        for _ in range(3):
            next(first.reads)
        assert first.companions == ["second"]


def test_a_feed_that_is_followed_never_just_ends():
    group = Group([], Full([]).anew)
    with pytest.raises(FeedInterrupted, match="ended"):
        list(seat("one", group, Full([])).read("0", True))


class Cut(Page):
    def read(self, since, follow):
        raise FeedInterrupted("cut")
        yield


def test_what_a_feed_has_learnt_outlives_a_reading():
    feeds = []

    def make_feed():
        feeds.append(Cut([]))
        return feeds[-1]

    one = seat("one", Group([], make_feed), Cut([]))
    for _ in range(3):
        with pytest.raises(FeedInterrupted):
            list(one.read("0", True))
    assert len(feeds) == 1


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


def overtaken(**options):
    """Reads of one who hung while another read on to the end."""
    group = Group(["slow", "quick"], Full([]).anew)
    slow = seat("slow", group, Full([]), **options).read("0", False)
    begun = gevent.spawn(next, slow)
    quick = gevent.spawn(list, seat("quick", group, Full([])).read("0", False))
    assert begun.get().seq == "0-0"
    assert quick.get()[-1].seq == "99-0"
    return slow


def test_one_that_hangs_holds_up_nobody():
    assert list(overtaken())[-1].seq == "99-0-0"  # alone, from where it was


def test_the_database_is_looked_at_before_another_connection_is_used():
    def verify():
        raise StartAgain("made again")

    with pytest.raises(StartAgain):
        list(overtaken(verify=verify))


def test_one_that_was_overtaken_has_no_companions():
    group = Group(["slow", "quick"], Full([]).anew)
    slow = seat("slow", group, Full([]))
    begun = gevent.spawn(next, slow.read("0", False))
    quick = gevent.spawn(list, seat("quick", group, Full([])).read("0", False))
    assert begun.get().seq == "0-0"
    quick.get()
    assert slow.companions == []


def test_an_error_that_ends_a_reading_comes_before_what_is_left_of_it():
    """It is of a time that the database does not remember."""
    group = Group(["one", "other"], Full([]).anew)
    reads = seat("one", group, Full([])).read("0", False)
    other = seat("other", group, Full([]))
    begun = gevent.spawn(next, other.read("0", False))
    next(reads)
    begun.get()
    group.end(StartAgain("the database went back"))
    with pytest.raises(StartAgain):
        next(reads)
    # Whoever comes then begins anew.
    assert next(seat("one", group, Full([])).read("0", False)).seq == "0-0"


def test_the_database_is_looked_at_once_more_after_waiting_for_the_others():
    def verify_identity():
        raise StartAgain("made again")

    group = Group(["one", "late"], Full([]).anew)
    with pytest.raises(StartAgain):
        next(seat("one", group, Full([]), verify_identity=verify_identity).read("0", False))


class Shared(BasicPillow):
    couch_db = "orders"

    def __init__(self, name):
        super().__init__()
        self.name = name


class Own(Shared):
    def get_feed(self):
        return super().get_feed()


class OwnDatabase(Shared):
    def get_database(self):
        return super().get_database()


class Counting(SQLPillow):
    couch_db = "orders"

    def process_sql(self, document, delete=False):
        pass


@override_settings(PILLOWTOP={"COUCHDB_URL": "http://localhost:5984"})
def test_who_shares():
    other = Shared("elsewhere")
    other.couch_db = "customers"
    filtered = Shared("filtered")
    filtered.couch_filter = "design/name"
    groups = groups_of(
        [Shared("a"), Shared("b"), Own("own"), OwnDatabase("x"), Counting(), other, filtered]
    )
    assert groups.keys() == {"a", "b"}
    assert groups["a"] is groups["b"]
