"""What is done to a run: each fault begins, lasts for a while, and is undone as an operator would.

A fault is a generator that yields for how long (in seconds) nothing is to be done.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from dev.chaos import network
from dev.chaos.network import ChaosProxy, Spell
from dev.chaos.stage import Stage
from dev.proxy import as_it_is

Fault = Callable[[Stage, random.Random], Iterator[float]]

FAULTS: dict[str, Fault] = {}
KINDS: dict[str, str] = {}
"""Two faults of one kind would be in each other's way, and are never in one run."""

COUCHDB, SEARCH, FEED, BOOKS, LISTENING = "couchdb", "search", "feed", "books", "listening"


def fault(name: str, kind: str = "") -> Callable[[Fault], Fault]:
    def add(function: Fault) -> Fault:
        FAULTS[name] = function
        KINDS[name] = kind or name
        return function

    return add


@contextmanager
def _under(proxy: ChaosProxy, spell: Spell) -> Iterator[None]:
    proxy.spells.append(spell)
    try:
        yield
    finally:
        proxy.spells.remove(spell)


def _either(stage: Stage, rng: random.Random) -> ChaosProxy:
    return rng.choice([stage.couch, stage.elastic])


# Servers.


@fault("couchdb killed", COUCHDB)
def couchdb_killed(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.servers.couchdb.kill()
    stage.kills += 1
    yield rng.uniform(0.2, 2)
    stage.servers.couchdb.start()
    yield 0


@fault("elasticsearch killed", SEARCH)
def elasticsearch_killed(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.servers.search.kill()
    stage.kills += 1
    yield rng.uniform(0.2, 1)
    stage.servers.search.start()
    yield 0


@fault("database put back", COUCHDB)
def database_put_back(stage: Stage, rng: random.Random) -> Iterator[float]:
    """Its files are those of a while ago."""
    couchdb = stage.servers.couchdb
    files, kept = couchdb.folder, stage.folder / "kept"
    couchdb.stop()
    shutil.copytree(files, kept)
    couchdb.start()
    yield rng.uniform(2, 4)
    couchdb.kill()
    stage.kills += 1
    shutil.rmtree(files)
    shutil.copytree(kept, files)
    couchdb.start()
    yield 0


@fault("database made again", COUCHDB)
def database_made_again(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.database.delete()
    yield rng.uniform(0, 1)
    stage.database.create()
    yield 0


# Connections.


@fault("connections refused", LISTENING)
def connections_refused(stage: Stage, rng: random.Random) -> Iterator[float]:
    proxy = _either(stage, rng)
    proxy.refuse()
    yield rng.uniform(0.5, 4)
    proxy.accept()
    yield 0


@fault("connections reset")
def connections_reset(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(_either(stage, rng), network.resets(rng, 0.3)):
        yield rng.uniform(2, 5)


@fault("replies cut")
def replies_cut(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(_either(stage, rng), network.cuts(rng, 0.3)):
        yield rng.uniform(2, 5)


@fault("half-open")
def half_open(stage: Stage, rng: random.Random) -> Iterator[float]:
    ended = threading.Event()
    with _under(_either(stage, rng), network.half_open(ended)):
        yield rng.uniform(1, 5)
    ended.set()
    yield 0


@fault("1 KB/s")
def slow(stage: Stage, rng: random.Random) -> Iterator[float]:
    ended = threading.Event()
    with _under(_either(stage, rng), network.slow(ended)):
        yield rng.uniform(2, 5)
    ended.set()
    yield 0


# Bulks.


@fault("late bulks")
def late_bulks(stage: Stage, rng: random.Random) -> Iterator[float]:
    """Longer than a bulk may take (`REQUEST_SECONDS`)."""
    proxy = stage.elastic
    with _under(proxy, network.late(proxy, rng.uniform(4, 7), rng.randint(1, 4))):
        yield 3
    while proxy.held:
        yield 0.1


@fault("429")
def too_many_requests(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(stage.elastic, network.bulks_refused(429)):
        yield rng.uniform(1, 4)


@fault("503")
def unavailable(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(stage.elastic, network.bulks_refused(503)):
        yield rng.uniform(1, 4)


@fault("429 for some")
def some_refused(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(stage.elastic, network.items_refused(rng, rng.uniform(0.1, 0.9))):
        yield rng.uniform(2, 5)


@fault("replies lost")
def replies_lost(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(stage.elastic, network.replies_lost(rng, 0.5)):
        yield rng.uniform(2, 5)


# Indices.


@fault("index deleted", SEARCH)
def index_deleted(stage: Stage, rng: random.Random) -> Iterator[float]:
    """The log asks for a restart."""
    stage.ask("DELETE", f"/{stage.index_of(rng.choice(stage.pillows))}")
    yield rng.uniform(0.5, 2)
    stage.restart_worker()
    yield 0


@fault("index read-only", SEARCH)
def index_read_only(stage: Stage, rng: random.Random) -> Iterator[float]:
    path = f"/{stage.index_of(rng.choice(stage.pillows))}/_settings"
    stage.ask("PUT", path, {"index.blocks.write": True})
    yield rng.uniform(1, 3)
    stage.ask("PUT", path, {"index.blocks.write": None})
    stage.restart_worker()
    yield 0


@fault("mapping contradicts", SEARCH)
def mapping_contradicts(stage: Stage, rng: random.Random) -> Iterator[float]:
    """Somebody has made the index by hand, and wrongly."""
    pillow = stage.pillows[1]
    name = stage.index_of(pillow)
    stage.kill_worker()
    stage.ask("DELETE", f"/{name}")
    wrong = {"properties": {"location": {"type": "keyword"}}}
    stage.ask("PUT", f"/{name}", {"mappings": wrong, "aliases": {pillow.es_alias: {}}})
    stage.start_worker()
    yield rng.uniform(2, 4)
    stage.ask("DELETE", f"/{name}")
    stage.restart_worker()
    yield 0


# Feeds.


@fault("feed rewound")
def feed_rewound(stage: Stage, rng: random.Random) -> Iterator[float]:
    with _under(stage.couch, network.rewound(rng.randint(1, 4))):
        yield rng.uniform(2, 4)


@fault("feed repeated", FEED)
def feed_repeated(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.couch.rewrite = network.rows_repeated
    yield rng.uniform(2, 5)
    stage.couch.rewrite = as_it_is


@fault("feed reordered", FEED)
def feed_reordered(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.couch.rewrite = network.rows_reordered(rng)
    yield rng.uniform(2, 5)
    stage.couch.rewrite = as_it_is


# The worker and its Django database.


@fault("Django database locked", BOOKS)
def books_locked(stage: Stage, rng: random.Random) -> Iterator[float]:
    with stage.locked_books():
        yield rng.uniform(1, 4)


@fault("tokens lost", BOOKS)
def tokens_lost(stage: Stage, rng: random.Random) -> Iterator[float]:
    with closing(sqlite3.connect(stage.sqlite, timeout=30)) as books, books:
        books.execute("DELETE FROM pillowtop_pillowrecord")
    yield 0


@fault("Django database lost", BOOKS)
def books_lost(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.kill_worker()
    shutil.copy(stage.servers.template, stage.sqlite)
    stage.start_worker()
    yield 0


@fault("worker paused")
def worker_paused(stage: Stage, rng: random.Random) -> Iterator[float]:
    """For longer than its lease, while nobody else is there to take over."""
    stage.worker.pause()
    yield rng.uniform(2.5, 5)
    stage.worker.resume()
    yield 0


@fault("worker paused, another takes over")
def another_takes_over(stage: Stage, rng: random.Random) -> Iterator[float]:
    """In the middle of whatever it does; and then both are there."""
    stage.other.start()
    yield rng.uniform(1.5, 3)
    stage.worker.pause()
    yield rng.uniform(3, 5)
    stage.worker.resume()
    yield rng.uniform(0, 2)
    stage.other.end(rng.choice([signal.SIGTERM, signal.SIGKILL]))
    yield 0


@fault("clock set back")
def clock_set_back(stage: Stage, rng: random.Random) -> Iterator[float]:
    stage.worker.environment["CHAOS_CLOCK_BACK_SECONDS"] = str(rng.choice([60, 86400, 10**7]))
    stage.restart_worker()
    yield rng.uniform(2, 4)
    stage.worker.environment["CHAOS_CLOCK_BACK_SECONDS"] = "0"
    stage.restart_worker()
    yield 0
