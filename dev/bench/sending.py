"""Bulks without anything else: what Elasticsearch takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

import gevent
import urllib3

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.material import Bodies
from pillowtop.endpoints import Endpoint

SECONDS = 120.0
QUERY = "require_alias=true&filter_path=errors,items.*.error"
NO_ERRORS = b'"errors":false'


def send_bulks(job: Job) -> Figures:
    sender = Sender(job)
    with Stopwatch() as watch:
        gevent.joinall(sender.start(), raise_error=True)
    return watch.figures(job.documents)


class Sender:
    """Greenlets that post prebuilt bulks, each one after the other, until none is left."""

    def __init__(self, job: Job) -> None:
        endpoint = Endpoint.parse(job.elasticsearch_url)
        self._in_flight = job.in_flight
        self._bodies = iter(Bodies(Path(job.material)))
        self._url = f"{endpoint.path}/{quote(job.alias)}/_bulk?{QUERY}"
        self._headers = {"content-type": "application/x-ndjson", **endpoint.authorization()}
        self._pool = urllib3.connection_from_url(
            endpoint.url, maxsize=job.in_flight, retries=False, timeout=SECONDS
        )

    def start(self) -> list[gevent.Greenlet]:
        return [gevent.spawn(self._send, self._bodies) for _ in range(self._in_flight)]

    def _send(self, bodies: Iterator[memoryview]) -> None:
        for body in bodies:
            response = self._pool.urlopen(
                "POST",
                self._url,
                body=cast("bytes", body),  # urllib3 takes any buffer
                headers=self._headers,
            )
            if response.status != 200 or NO_ERRORS not in response.data:
                raise WorkNotDone(f"a bulk was answered with {response.data[:500]!r}")
