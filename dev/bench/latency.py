"""How long a document takes that is written into a database at rest."""

from __future__ import annotations

import os
import signal
import time

import gevent

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import set_up
from pillowtop.endpoints import Endpoint
from pillowtop.feeds.couch_database import CouchDatabase

WRITES = 300
PAUSE_SECONDS = 0.03
SECONDS_AT_MOST = 30.0


def run_at_rest(job: Job) -> Figures:
    """From the start of each PUT until the answer to its bulk is there."""
    set_up(job)
    from dev.bench.pillow_classes import NotingPillow  # noqa: PLC0415  (needs Django)
    from pillowtop.conf import configuration  # noqa: PLC0415
    from pillowtop.worker.launcher import launch  # noqa: PLC0415

    database = CouchDatabase(Endpoint.parse(job.couchdb_url), f"{job.database}-at-rest")
    database.server.request("PUT", database.path)
    pillow = NotingPillow()
    pillow.couch_db, pillow.es_alias = database.name, job.alias
    worker = gevent.spawn(launch, [pillow], configuration(), follow=True)
    try:
        _write(database, pillow, "first")
        with Stopwatch() as watch:
            waits = [_write(database, pillow, f"{number}") for number in range(WRITES)]
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        worker.join()
        database.server.request("DELETE", database.path)
    return watch.figures(WRITES, waits)


def _write(database: CouchDatabase, pillow: object, doc_id: str) -> float:
    """Write a document after a pause; return for how many seconds it was not delivered."""
    delivered: dict[str, float] = pillow.delivered  # type: ignore[attr-defined]
    gevent.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    database.server.request("PUT", f"{database.path}/{doc_id}", body={"_id": doc_id})
    while doc_id not in delivered:
        if time.perf_counter() > started + SECONDS_AT_MOST:
            raise WorkNotDone(f"{doc_id} was not delivered")
        gevent.sleep(0.0005)
    return delivered[doc_id] - started
