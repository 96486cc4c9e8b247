"""What a run takes place on: servers, proxies before them, a database, a worker, writers."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from airports.couch import Database
from airports.management.commands.load_airports import published
from dev.chaos import EXAMPLE, ROOT, pillows
from dev.chaos.network import ChaosProxy
from dev.demo.indices import Indices
from dev.servers import CouchServer, SearchServer
from dev.soak.reading import Reader, SoakedDatabase
from dev.soak.worker import Worker
from dev.soak.writers import Writer
from pillowtop.endpoints import Endpoint
from pillowtop.listener import AliasedElasticPillow

KINDS: tuple[type[AliasedElasticPillow], ...] = (pillows.Everything, pillows.Made, pillows.French)
WRITERS = 2
BEGUN = b": follows "
JOIN_SECONDS = 15.0


@dataclass
class Servers:
    """They outlive a run: starting them takes longer than one."""

    couchdb: CouchServer
    search: SearchServer
    folder: Path

    def __post_init__(self) -> None:
        self.template = self.folder / "migrated.sqlite3"

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.couchdb, self.search:
            _migrate(self.template)
            yield


def find_servers(folder: Path) -> Servers:
    for name in ("couchdb", "elasticsearch"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return Servers(CouchServer(folder / "couchdb"), SearchServer(folder / "elasticsearch"), folder)


@dataclass
class Stage:
    """One run's own."""

    servers: Servers
    name: str
    seed: str
    writers: list[Writer] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    """How often which server, and the worker at which point."""

    def __post_init__(self) -> None:
        self.folder = self.servers.folder / "run"
        self.sqlite = self.folder / "run.sqlite3"
        self.log = self.folder / "all.log"
        self.couch = ChaosProxy(self.servers.couchdb.url)
        self.elastic = ChaosProxy(self.servers.search.url)
        self.worker = Worker(self.environment, self.folder / "worker.log")
        self.other = Worker(self.environment, self.folder / "other.log")
        self.pillows = [self._pillow(kind) for kind in KINDS]
        self.indices = Indices(Endpoint(self.servers.search.url))
        endpoint = Endpoint(self.servers.couchdb.url)
        self.database = SoakedDatabase(endpoint, self.name)
        self.reader = Reader(self.database, self.indices, self.sqlite, self.pillows)

    @property
    def environment(self) -> dict[str, str]:
        return worker_environment(self.sqlite, self.couch.url, self.elastic.url, self.name)

    @contextmanager
    def set_up(self) -> Iterator[None]:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copy(self.servers.template, self.sqlite)
        self.database.create()
        with self.couch, self.elastic:
            try:
                yield
            finally:
                self._clear()

    def start_writers(self, ids: list[str]) -> None:
        server = Endpoint(self.servers.couchdb.url)
        self.writers = [
            Writer(server, self.name, ids[number::WRITERS], f"{self.seed}/{number}")
            for number in range(WRITERS)
        ]
        for writer in self.writers:
            writer.start()

    def end_writers(self) -> None:
        for writer in self.writers:
            writer.end()
        for writer in self.writers:
            writer.join(JOIN_SECONDS)

    def kill_worker(self, point: str) -> None:
        """May be called from any thread; the run sees that it is gone."""
        if self.worker.strike():
            self.killed[point] += 1

    def start_worker(self) -> None:
        """Start it unless it runs; logs of all its lives are kept."""
        if self.worker.pid is not None:
            return
        self.worker.kill()  # what is dead is waited for
        if self.worker.log.exists():
            with self.log.open("ab") as log:
                log.write(self.worker.log.read_bytes())
        self.worker.start()

    def restart_worker(self) -> None:
        """As an operator does."""
        self.worker.end(signal.SIGTERM)
        self.start_worker()

    def said(self) -> str:
        """What all lives of the workers have logged."""
        logs = [self.log, self.worker.log, self.other.log]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def times_said(self, words: str) -> int:
        return self.said().count(words)

    def generations(self) -> dict[str, int]:
        """How often the checkpoint of each pillow was saved, as the Django database has it."""
        query = "SELECT pillow, generation FROM pillowtop_position"
        with closing(sqlite3.connect(self.sqlite, timeout=30)) as books:
            return dict(books.execute(query).fetchall())

    def have_saved_since(self, before: dict[str, int]) -> bool:
        """Whether all have. One more save may have been under way before, in CouchDB alone."""
        now = self.generations()
        return len(now) == len(KINDS) and all(
            count > before.get(name, 0) + 1 for name, count in now.items()
        )

    def index_of(self, pillow: AliasedElasticPillow) -> str:
        """The index behind a pillow's alias; empty where there is none."""
        return next(iter(self.ask("GET", f"/_alias/{pillow.es_alias}")), "")

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """A request to Elasticsearch itself; what it refuses is no matter."""
        answer = urllib3.request(method, f"{self.servers.search.url}{path}", json=body)
        found: dict[str, object] = answer.json() if answer.status == 200 else {}
        return found

    @contextmanager
    def locked_books(self) -> Iterator[None]:
        """Nobody else can use the Django database meanwhile."""
        with closing(sqlite3.connect(self.sqlite, timeout=30, isolation_level=None)) as books:
            books.execute("BEGIN EXCLUSIVE")
            yield

    def _pillow(self, kind: type[AliasedElasticPillow]) -> AliasedElasticPillow:
        pillow = kind()
        pillow.couch_db, pillow.es_alias = self.name, f"{self.name}-{kind.__name__.lower()}"
        return pillow

    def _clear(self) -> None:
        self.end_writers()
        self.worker.kill()
        self.other.kill()
        for pillow in self.pillows:
            self.indices.delete(pillow.es_alias)
        self.database.delete()


def has_begun(worker: Worker) -> bool:
    """Whether all of its pillows are at work."""
    return times_begun(worker) >= len(KINDS)


def times_begun(worker: Worker) -> int:
    """How often a pillow has begun in this life."""
    return worker.log.read_bytes().count(BEGUN) if worker.log.exists() else 0


def load(database: Database, count: int) -> list[str]:
    """Some airports; their ids, and ids that nobody has yet."""
    documents = published([])[:count]
    for _ in database.save(documents):
        pass
    return [one["_id"] for one in documents] + [f"new/{number}" for number in range(count)]


def worker_environment(
    sqlite: Path, couchdb: str, elasticsearch: str, database: str
) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "dev.chaos.settings",
        "PYTHONPATH": f"{ROOT}:{EXAMPLE}",
        # Compiled in each life anew, it would take longer to begin.
        "PYTHONDONTWRITEBYTECODE": "",
        "CHAOS_SQLITE": str(sqlite),
        "CHAOS_COUCHDB": couchdb,
        "CHAOS_ELASTICSEARCH": elasticsearch,
        "CHAOS_DATABASE": database,
    }


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLE / "manage.py"), *arguments]


def _migrate(sqlite: Path) -> None:
    sqlite.unlink(missing_ok=True)
    nowhere = "http://127.0.0.1:9"
    subprocess.run(
        manage("migrate", "--verbosity=0"),
        env={**os.environ, **worker_environment(sqlite, nowhere, nowhere, "none")},
        check=True,
    )
