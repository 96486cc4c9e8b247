"""Many clients at once, over HTTP, who ask for pages of a million rows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import urllib3

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.stats_rows import STATISTIC

CLIENTS, EACH = 200, 5
SECONDS_AT_MOST = 60


def ask_at_once(job: Job) -> Figures:
    """Clients that begin at once, each with some requests one after the other."""
    waits: list[float] = []
    problems: list[str] = []
    ready = threading.Barrier(CLIENTS + 1)

    def ask(url: str) -> None:
        ready.wait()
        with urllib3.PoolManager(retries=False, timeout=SECONDS_AT_MOST) as pool:
            for number in range(EACH):
                started = time.perf_counter()
                problems.extend(_problem(pool, f"{url}/{STATISTIC}?rows_per_page={50 + number}"))
                waits.append(time.perf_counter() - started)

    with _serving(job) as url:
        crowd = [threading.Thread(target=ask, args=(url,), daemon=True) for _ in range(CLIENTS)]
        for client in crowd:
            client.start()
        with Stopwatch() as watch:
            ready.wait()
            for client in crowd:
                client.join()
    if problems:
        raise WorkNotDone(f"{len(problems)} requests failed, such as: {problems[0]}")
    return watch.figures(len(waits), waits)


def _problem(pool: urllib3.PoolManager, address: str) -> list[str]:
    """What is wrong with an answer, where something is."""
    try:
        response = pool.request("GET", address)
    except urllib3.exceptions.HTTPError as error:
        return [str(error)]
    return [] if response.status == 200 else [f"{response.status} {response.data[:300]!r}"]


@contextmanager
def _serving(job: Job) -> Iterator[str]:
    """A server in a process of its own; yields where it is."""
    server = subprocess.Popen(
        [sys.executable, "-m", "dev.bench.stats_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(msgspec.json.encode(job) + b"\n")
        server.stdin.flush()
        yield server.stdout.readline().decode().strip()
    finally:
        server.kill()
        server.wait()
