"""What is done to a run: each fault begins, lasts for a while, and is undone as an operator would.

A fault is a generator that yields for how long (in seconds) nothing is to be done.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

from dev.chaos import spells
from dev.chaos.act import POLL_SECONDS, Act
from dev.chaos.kills import ANY_TIME
from dev.chaos.stage import times_begun
from dev.proxy import is_bulk, is_feed
from dev.servers.process import Server

Fault = Callable[[Act], Iterator[float]]

FAULTS: dict[str, Fault] = {}
KINDS: dict[str, str] = {}
"""Two faults of one kind would be in each other's way, and are never in one run."""

UNKNOWABLE = {
    frozenset({"Django database lost", name})
    for name in ("database put back", "database made again")
}
"""Nor are these two at once: then nobody remembers that the database was another."""

COUCHDB, SEARCH, FEED, BOOKS, LISTENING = "couchdb", "search", "feed", "books", "listening"

REFUSED, LOCKED = "Connection refused", "database is locked"
"""What the worker says, where it notices."""


def fault(name: str, kind: str = "") -> Callable[[Fault], Fault]:
    def add(function: Fault) -> Fault:
        FAULTS[name] = function
        KINDS[name] = kind or name
        return function

    return add


# Servers.


@fault("couchdb killed", COUCHDB)
def couchdb_killed(act: Act) -> Iterator[float]:
    yield from _killed(act, act.stage.servers.couchdb, "CouchDB", 2)


@fault("elasticsearch killed", SEARCH)
def elasticsearch_killed(act: Act) -> Iterator[float]:
    yield from _killed(act, act.stage.servers.search, "Elasticsearch", 1)


def _killed(act: Act, server: Server, name: str, longest: float) -> Iterator[float]:
    server.kill()
    act.stage.killed[name] += 1
    act.bite()
    yield act.rng.uniform(0.2, longest)
    server.start()
    yield 0


@fault("database put back", COUCHDB)
def database_put_back(act: Act) -> Iterator[float]:
    """Its files are those of a while ago: from before each pillow's last checkpoint, without
    which nobody can know."""
    couchdb = act.stage.servers.couchdb
    files, kept = couchdb.folder, act.stage.folder / "kept"
    couchdb.stop()
    shutil.copytree(files, kept)
    couchdb.start()
    before = act.stage.generations()
    yield from act.lasting(2, 4, lambda: act.stage.have_saved_since(before))
    if not act.bites:
        return
    couchdb.kill()
    act.stage.killed["CouchDB"] += 1
    shutil.rmtree(files)
    shutil.copytree(kept, files)
    couchdb.start()
    yield 0


@fault("database made again", COUCHDB)
def database_made_again(act: Act) -> Iterator[float]:
    act.stage.database.delete()
    act.bite()
    yield act.rng.uniform(0, 1)
    act.stage.database.create()
    yield 0


# Connections.


@fault("connections refused", LISTENING)
def connections_refused(act: Act) -> Iterator[float]:
    proxy = act.either()
    harm = act.listen(REFUSED)
    proxy.refuse()
    yield from act.lasting(0.5, 4, harm)
    proxy.accept()
    yield 0


@fault("connections reset")
def connections_reset(act: Act) -> Iterator[float]:
    with act.under(act.either(), spells.resets(act.bite, act.rng, 0.3)):
        yield from act.lasting(2, 5)


@fault("replies cut")
def replies_cut(act: Act) -> Iterator[float]:
    with act.under(act.either(), spells.cuts(act.bite, act.rng, 0.3)):
        yield from act.lasting(2, 5)


@fault("half-open")
def half_open(act: Act) -> Iterator[float]:
    ended = threading.Event()
    with act.under(act.either(), spells.half_open(act.bite, ended)):
        yield from act.lasting(1, 5)
    ended.set()
    yield 0


@fault("1 KB/s")
def slow(act: Act) -> Iterator[float]:
    ended = threading.Event()
    with act.under(act.either(), spells.slow(act.bite, ended)):
        yield from act.lasting(2, 5)
    ended.set()
    yield 0


@fault("delayed")
def delayed(act: Act) -> Iterator[float]:
    """Everything takes longer than is waited for (`REQUEST_SECONDS`), and happens all the same."""
    proxy = act.either()
    with act.under(proxy, spells.held(act.bite, proxy, act.rng.uniform(2.5, 5))):
        yield from act.lasting(2, 5)
    while proxy.held:
        yield POLL_SECONDS


# Bulks.


@fault("late bulks")
def late_bulks(act: Act) -> Iterator[float]:
    """Longer than a bulk may take (`REQUEST_SECONDS`)."""
    proxy = act.stage.elastic
    seconds, times = act.rng.uniform(4, 7), act.rng.randint(1, 4)
    with act.under(proxy, spells.held(act.bite, proxy, seconds, is_bulk, times)):
        yield from act.lasting(3, 3)
    while proxy.held:
        yield POLL_SECONDS


@fault("429")
def too_many_requests(act: Act) -> Iterator[float]:
    with act.under(act.stage.elastic, spells.bulks_refused(act.bite, 429)):
        yield from act.lasting(1, 4)


@fault("503")
def unavailable(act: Act) -> Iterator[float]:
    with act.under(act.stage.elastic, spells.bulks_refused(act.bite, 503)):
        yield from act.lasting(1, 4)


@fault("429 for some")
def some_refused(act: Act) -> Iterator[float]:
    with act.under(
        act.stage.elastic, spells.items_refused(act.bite, act.rng, act.rng.uniform(0.1, 0.9))
    ):
        yield from act.lasting(2, 5)


@fault("replies lost")
def replies_lost(act: Act) -> Iterator[float]:
    with act.under(act.stage.elastic, spells.replies_lost(act.bite, act.rng, 0.5)):
        yield from act.lasting(2, 5)


# Indices.


@fault("index deleted", SEARCH)
def index_deleted(act: Act) -> Iterator[float]:
    """The log asks for a restart."""
    name = act.stage.index_of(act.rng.choice(act.stage.pillows))
    act.bite_if(act.stage.ask("DELETE", f"/{name}"))
    yield act.rng.uniform(0.5, 2)
    act.stage.restart_worker()
    yield 0


@fault("index read-only", SEARCH)
def index_read_only(act: Act) -> Iterator[float]:
    path = f"/{act.stage.index_of(act.rng.choice(act.stage.pillows))}/_settings"
    act.bite_if(act.stage.ask("PUT", path, {"index.blocks.write": True}))
    yield act.rng.uniform(1, 3)
    act.stage.ask("PUT", path, {"index.blocks.write": None})
    act.stage.restart_worker()
    yield 0


@fault("mapping contradicts", SEARCH)
def mapping_contradicts(act: Act) -> Iterator[float]:
    """Somebody has made the index by hand, and wrongly."""
    pillow = act.stage.pillows[1]
    name = act.stage.index_of(pillow)
    act.stage.kill_worker(ANY_TIME)
    act.stage.ask("DELETE", f"/{name}")
    wrong = {"properties": {"location": {"type": "keyword"}}}
    body = {"mappings": wrong, "aliases": {pillow.es_alias: {}}}
    act.bite_if(act.stage.ask("PUT", f"/{name}", body))
    act.stage.start_worker()
    yield act.rng.uniform(2, 4)
    act.stage.ask("DELETE", f"/{name}")
    act.stage.restart_worker()
    yield 0


# Feeds.


@fault("feed rewound")
def feed_rewound(act: Act) -> Iterator[float]:
    with act.under(act.stage.couch, spells.rewound(act.bite, act.rng.randint(1, 4))):
        yield from act.lasting(2, 4)


@fault("feed repeated", FEED)
def feed_repeated(act: Act) -> Iterator[float]:
    with act.rewritten(spells.rows_repeated):
        yield from act.lasting(2, 5)


@fault("feed reordered", FEED)
def feed_reordered(act: Act) -> Iterator[float]:
    with act.rewritten(spells.rows_reordered(act.rng)):
        yield from act.lasting(2, 5)


@fault("feed cut")
def feed_cut(act: Act) -> Iterator[float]:
    """In the middle of a row, or of a page."""
    with act.under(act.stage.couch, spells.cuts(act.bite, act.rng, 0.7, is_feed)):
        yield from act.lasting(2, 5)


# The worker and its Django database.


@fault("Django database locked", BOOKS)
def books_locked(act: Act) -> Iterator[float]:
    harm = act.listen(LOCKED)
    with act.stage.locked_books():
        yield from act.lasting(1.5, 4, harm)


@fault("tokens lost", BOOKS)
def tokens_lost(act: Act) -> Iterator[float]:
    with closing(sqlite3.connect(act.stage.sqlite, timeout=30)) as books, books:
        act.bite_if(books.execute("DELETE FROM pillowtop_pillowrecord").rowcount)
    yield 0


@fault("Django database lost", BOOKS)
def books_lost(act: Act) -> Iterator[float]:
    act.stage.kill_worker(ANY_TIME)
    shutil.copy(act.stage.servers.template, act.stage.sqlite)
    act.bite()
    act.stage.start_worker()
    yield 0


@fault("worker paused")
def worker_paused(act: Act) -> Iterator[float]:
    """For longer than its lease, while nobody else is there to take over."""
    act.bite_if(act.stage.worker.pid)
    act.stage.worker.pause()
    yield act.rng.uniform(2.5, 5)
    act.stage.worker.resume()
    yield 0


@fault("worker paused, another takes over")
def another_takes_over(act: Act) -> Iterator[float]:
    """In the middle of whatever it does; and then both are there."""
    act.stage.other.start()
    yield act.rng.uniform(1.5, 3)
    act.stage.worker.pause()
    yield from act.lasting(3, 5, lambda: times_begun(act.stage.other))
    act.stage.worker.resume()
    yield act.rng.uniform(0, 2)
    act.stage.other.end(act.rng.choice([signal.SIGTERM, signal.SIGKILL]))
    yield 0


@fault("clock set back")
def clock_set_back(act: Act) -> Iterator[float]:
    act.stage.worker.environment["CHAOS_CLOCK_BACK_SECONDS"] = str(
        act.rng.choice([60, 86400, 10**7])
    )
    act.stage.restart_worker()
    yield act.rng.uniform(2, 4)
    act.bite_if(act.stage.worker.pid)
    act.stage.worker.environment["CHAOS_CLOCK_BACK_SECONDS"] = "0"
    act.stage.restart_worker()
    yield 0
