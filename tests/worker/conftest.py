from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dev.proxy import Proxy
from tests.couch import Database, Index
from tests.projects import Project, wait_until

PILLOW = """
from pillowtop.listener import AliasedElasticPillow

class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}
"""

QUICK = {"CHECKPOINT_SECONDS": 0.2, "STANDBY_SECONDS": 0.3, "BACKOFF_SECONDS": 1.0}


@pytest.fixture
def database(couch_database):
    return Database(couch_database)


@pytest.fixture
def index(elasticsearch_url, index_name):
    return Index(elasticsearch_url, index_name)


@dataclass
class Setup:
    """A project with one pillow from a database into an index."""

    project: Project
    database: Database
    index: Index
    settings: dict[str, Any]

    def reconfigure(self, **settings: Any) -> None:
        self.project.configure({**self.settings, **settings}, ["pillows.OrderPillow"])

    def in_step(self) -> bool:
        return self.index.exists() and self.index.revs() == self.database.revs()

    def wait_until_in_step(self, seconds: float = 60.0) -> None:
        wait_until(self.in_step, seconds, lambda: f"in step\n{self.project.logs}")


@pytest.fixture
def setup(make_project, database, index):
    """Makes a `Setup`; `pillow` may be the source of another OrderPillow."""

    def make(pillow: str = PILLOW, **settings: Any) -> Setup:
        name = index.url.rpartition("/")[2]
        tuned = {
            "COUCHDB_URL": database.server,
            "ELASTICSEARCH_URL": index.server,
            **QUICK,
            **settings,
        }
        source = pillow.format(database=database.name, alias=name)
        project = make_project(tuned, ["pillows.OrderPillow"], source)
        return Setup(project, database, index, tuned)

    return make


@pytest.fixture
def proxied(setup, database, index):
    """Makes a `Setup` whose worker reaches both servers through proxies only."""
    proxies = []

    def make(pillow=PILLOW, **settings):
        couch, elastic = Proxy(database.server), Proxy(index.server)
        for proxy in (couch, elastic):
            proxy.__enter__()
            proxies.append(proxy)
        one = setup(pillow, COUCHDB_URL=couch.url, ELASTICSEARCH_URL=elastic.url, **settings)
        return one, couch, elastic

    yield make
    for proxy in proxies:
        proxy.__exit__(None, None, None)
