"""A pillow in two releases, of which the second one asks for another index."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from tests.couch import call
from tests.projects import Project, Worker, wait_until
from tests.real_servers import request
from tests.worker.conftest import Setup, database, index, setup

__all__ = ["database", "index", "setup"]

RELEASE = """
import logging
import os
import signal
from pillowtop.listener import AliasedElasticPillow

class KillAt(logging.Filter):
    def filter(self, record):
        at = f"{{getattr(record, 'step', '')}} {{getattr(record, 'when', '')}}"
        if at == os.environ.get("KILL_AT"):
            os.kill(os.getpid(), signal.SIGKILL)
        return True

logging.getLogger("pillowtop.worker.moving").addFilter(KillAt())

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
    index_version = %d
    es_meta = {{"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "200ms"}}

    def change_transform(self, document):
        return {{**document, "release": %d}}
"""


def release(number: int) -> str:
    return RELEASE % (number, number)


@dataclass
class Moving:
    """A project whose pillow is to move. A process keeps the code that it was started with."""

    setup: Setup
    releases: dict[int, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return self.setup.project

    def deploy(self, number: int, source: str | None = None) -> None:
        """Have what is started from now on be of another release."""
        text = (source or release(number)).format(
            database=self.setup.database.name, alias=self.alias
        )
        (self.project.folder / "pillows.py").write_text(text)

    @staticmethod
    def source(number: int) -> str:
        return release(number)

    def elastic(self, method: str, path: str, body: Any = None) -> Any:
        return call(method, f"{self.setup.index.server}/{path}", body)

    @property
    def alias(self) -> str:
        return self.setup.index.url.rpartition("/")[2]

    def serving(self) -> list[str]:
        """The indices that the alias is on."""
        reply = request("GET", f"{self.setup.index.server}/_alias/{self.alias}")
        return sorted(reply.json()) if reply.status == 200 else []

    def start(self, *args: str, **options: Any) -> Worker:
        return self.project.begin("ptop_reindex", "run", "OrderPillow", *args, **options)

    def run(self, *args: str, code: int = 0) -> str:
        """Run to the end without following; what was said."""
        return self.manage("ptop_reindex", "run", "OrderPillow", "--no-follow", *args, code=code)

    def manage(self, *args: str, code: int = 0) -> str:
        result = self.project.manage(*args)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result.stdout + result.stderr

    def has_looked_again(self) -> bool:
        """Whether the worker has gone through what it does where another index serves, and begun
        anew: what it does by itself then, it has done, or left."""
        shown = self.project.manage("ptop_status", "--format=json").stdout
        (pillow,) = [one for one in json.loads(shown)["pillows"] if one["pillow"] == "OrderPillow"]
        figures = pillow["figures"]
        return bool(figures["state"] == "needs_reindex" and figures["lives"] > 1)

    def releases_in(self, index: str) -> dict[str, int]:
        """Which release each document in an index is of."""
        call("POST", f"{self.setup.index.server}/{index}/_refresh")
        found = call(
            "POST",
            f"{self.setup.index.server}/{index}/_search",
            {"size": 10000, "_source": ["release"]},
        )
        return {hit["_id"]: hit["_source"]["release"] for hit in found["hits"]["hits"]}


@pytest.fixture
def moving(setup):
    one = Moving(setup(release(1)))
    one.setup.database.fill(50)
    return one


@pytest.fixture
def one(moving):
    """The project whose pillow is to move, once its first release has caught up."""
    moving.setup.project.catch_up()
    return moving.setup


@pytest.fixture
def old(moving, one):
    """The index that serves then."""
    (serving,) = moving.serving()
    return serving


@pytest.fixture
def worker(moving, one, old):
    """That of the second release, behind a move: it writes to both indices."""
    moving.deploy(2)
    moving.run()
    started = one.project.start("--all")
    started.wait_for(f"keeps {old} in step, too")
    return started


@contextmanager
def writing(database: Any, ids: int = 50) -> Iterator[list[int]]:
    """Write, update and delete documents meanwhile; the list has how many changes there were."""
    over, count = threading.Event(), [0]

    def write() -> None:
        while not over.is_set():
            count[0] += 1
            name = f"doc{count[0] % ids:06}"
            if count[0] % 7 == 0:
                database.delete(name)
            else:
                database.put(name, n=count[0])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield count
    finally:
        over.set()
        thread.join()


class Poller:
    """Reads through an alias all the time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.reads = 0
        self.fewest = 10**9
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._over.is_set():
            reply = request("GET", f"{self._url}/_count")
            self.reads += 1
            if reply.status != 200:
                self.failures.append(str(reply.data))
            else:
                self.fewest = min(self.fewest, reply.json()["count"])
            time.sleep(0.02)


def wait_for_release(moving: Moving, number: int) -> None:
    """Wait until all that is served is of a release, and in step."""
    wait_until(
        lambda: (
            moving.setup.in_step() and set(moving.releases_in(moving.alias).values()) <= {number}
        ),
        what=lambda: f"release {number}: {moving.releases_in(moving.alias)}\n{moving.project.logs}",
    )
