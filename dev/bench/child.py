"""python -m dev.bench.child: does the job that stands in its standard input, in a fresh process.

Answers with one line of JSON. Where pillowtop runs under gevent, so does what it is compared with.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

import msgspec
from gevent import monkey

from dev.bench.jobs import Figures, Job

Work = Callable[[Job], Figures]

WORKS = {
    "bulks": "dev.bench.sending:send_bulks",
    "feed_bytes": "dev.bench.reading:read_bytes",
    "feed_changes": "dev.bench.reading:read_changes",
    "together": "dev.bench.together:read_and_send",
    "pillow": "dev.bench.pillows:run_pillow",
    "copy": "dev.bench.pillows:run_copy",
    "choosing": "dev.bench.crowds:run_crowd",
    "latency": "dev.bench.latency:run_at_rest",
    "discarded": "dev.bench.pillows:run_discarded",
    "recorded": "dev.bench.pillows:run_recorded",
    "follower": "dev.bench.follower:follow",
    "stream": "dev.bench.stream:follow",
    "verify": "dev.bench.verifying:verify",
    "counting": "dev.bench.statistics:count_in_memory",
    "statistics": "dev.bench.statistics:count_recorded",
    "rows": "dev.bench.stats_rows:fill_rows",
    "pages": "dev.bench.stats_rows:ask_pages",
    "csv": "dev.bench.stats_rows:ask_csv",
    "clients": "dev.bench.stats_clients:ask_at_once",
}
WITH_THREADS = frozenset({"follower", "stream", "verify", "rows", "pages", "csv", "clients"})
"""What is built on native threads stays as it was written."""


def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    if job.work not in WITH_THREADS:
        monkey.patch_all()
    figures = _load(job.work)(job)
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


def _load(name: str) -> Work:
    module, _, function = WORKS[name].partition(":")
    work: Work = getattr(importlib.import_module(module), function)
    return work


if __name__ == "__main__":
    main()
