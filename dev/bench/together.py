"""The feed and prebuilt bulks of the same documents at once: the limit of the machine."""

from __future__ import annotations

import gevent

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.reading import database_of, discard_feed
from dev.bench.sending import Sender


def read_and_send(job: Job) -> Figures:
    """Nothing connects the two but the machine that they share."""
    database, sender = database_of(job), Sender(job)
    with Stopwatch() as watch:
        reader = gevent.spawn(discard_feed, database)
        gevent.joinall([reader, *sender.start()], raise_error=True)
    if reader.value != job.documents:
        raise WorkNotDone(f"{reader.value} rows were read of {job.documents}")
    return watch.figures(job.documents)
