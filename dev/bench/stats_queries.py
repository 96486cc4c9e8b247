"""python -m dev.bench.stats_queries: how soon a page of rows is there, among a million of them.

Answers with one object of JSON. Takes some minutes; --postgres measures PostgreSQL, not SQLite.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import django
import msgspec
import urllib3
from django.conf import settings
from django.core.management import call_command

from dev.bench.jobs import WorkNotDone
from dev.servers import PostgresServer

ROWS, REQUESTS, CLIENTS, EACH = 1_000_000, 300, 200, 5
CATEGORIES = 20
RARE = "rare"
"""A category that one window in a thousand has."""
START = datetime(2020, 1, 1, tzinfo=UTC)
STATISTIC = "volume-by-category-1m"
CHUNK = 10_000
BACKLOG = 1024
THREADS = 32
"""So many clients are served at a time, as by a server in production; the others wait."""
DATABASE = "PILLOWTOP_BENCH_DATABASE"
"""The variable that says to the server which database it is to read."""


class Latency(msgspec.Struct, frozen=True):
    """Of whole answers, in this process: from the request to the rendered body."""

    milliseconds_p50: float
    milliseconds_p99: float


class Crowd(msgspec.Struct, frozen=True):
    """What clients got that all came at once, over HTTP."""

    clients: int
    requests: int
    errors: int
    requests_per_second: float
    milliseconds_p99: float


class Queries(msgspec.Struct, frozen=True):
    database: str
    rows: int
    pages: dict[str, Latency]
    crowd: Crowd


def measure(database: dict[str, Any], rows: int, requests: int, clients: int) -> Queries:
    """Everything, in a database that is there and empty. To be called once in a process."""
    set_up(database)
    fill(rows)
    return Queries(
        database=database["ENGINE"].rpartition(".")[2],
        rows=rows,
        pages=measure_pages(rows, requests),
        crowd=measure_crowd(database, clients, EACH),
    )


def set_up(database: dict[str, Any]) -> None:
    """Configure Django: a project with one statistic, whose addresses begin at the root."""
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["pillowtop", "pillowtop.stats"],
        USE_TZ=True,
        ROOT_URLCONF="pillowtop.stats.urls",
        ALLOWED_HOSTS=["*"],
        PILLOWTOP_STATS={"PLUGINS": ["dev.bench.stats_plugin.Volume"], "ACCESS": "public"},
    )
    django.setup()


def fill(count: int) -> None:
    """Write so many rows."""
    from pillowtop.stats.models import Categorized  # noqa: PLC0415  (needs Django)

    call_command("migrate", verbosity=0)
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        Categorized.objects.bulk_create(
            Categorized(
                statistic=STATISTIC,
                timestamp=_time(number),
                category=_category(number),
                scalar=number % 977,
            )
            for number in numbers
        )


def _time(number: int) -> datetime:
    return START + timedelta(minutes=number // CATEGORIES)


def _category(number: int) -> str:
    return RARE if number % (CATEGORIES * 1000) == 0 else f"category {number % CATEGORIES}"


def measure_pages(rows: int, requests: int) -> dict[str, Latency]:
    """Pages of a hundred rows, each of another place where there is one."""
    from pillowtop.stats.http.cursors import write_cursor  # noqa: PLC0415  (needs Django)
    from pillowtop.stats.records.pages import Place  # noqa: PLC0415

    chance = random.Random(8)  # noqa: S311

    def deep() -> str:
        number = chance.randrange(100, rows)
        return f"cursor={write_cursor(Place(_time(number), number + 1, rows - number))}"

    def filtered() -> str:
        first = chance.randrange(rows)
        start, stop = _time(first), _time(first) + timedelta(hours=6)
        return f"start={quote(start.isoformat())}&stop={quote(stop.isoformat())}&order=asc"

    asked: dict[str, Callable[[], str]] = {
        "first page": lambda: "",
        "by cursor": deep,
        "by time": filtered,
        "by category": lambda: f"category=category+{chance.randrange(1, CATEGORIES)}",
        "by a rare category": lambda: f"category={RARE}",
        "as CSV": lambda: f"{deep()}&rows_per_page=1000",
    }
    return {
        name: _latency(f"/{STATISTIC}{'.csv' if name == 'as CSV' else ''}", query, requests)
        for name, query in asked.items()
    }


def _latency(path: str, query: Callable[[], str], requests: int) -> Latency:
    from django.test import Client  # noqa: PLC0415  (needs Django)

    client, waits = Client(), []
    client.get(path)
    for _ in range(requests):
        address = f"{path}?{query()}"
        started = time.perf_counter()
        response = client.get(address)
        waits.append(time.perf_counter() - started)
        if response.status_code != 200:
            raise WorkNotDone(f"{address}: {response.status_code} {response.content[:300]!r}")
    hundredths = quantiles([wait * 1000 for wait in waits], n=100)
    return Latency(round(hundredths[49], 2), round(hundredths[98], 2))


def measure_crowd(database: dict[str, Any], clients: int, each: int) -> Crowd:
    """Clients that begin at once, each with some requests one after the other."""
    waits: list[float] = []
    errors: list[str] = []
    ready = threading.Barrier(clients + 1)

    def ask(url: str) -> None:
        ready.wait()
        with urllib3.PoolManager(retries=False, timeout=60) as pool:
            for number in range(each):
                started = time.perf_counter()
                errors.extend(_problem(pool, f"{url}/{STATISTIC}?rows_per_page={50 + number}"))
                waits.append(time.perf_counter() - started)

    with _serving(database) as url:
        crowd = [threading.Thread(target=ask, args=(url,), daemon=True) for _ in range(clients)]
        for client in crowd:
            client.start()
        ready.wait()
        started = time.perf_counter()
        for client in crowd:
            client.join()
        seconds = time.perf_counter() - started
    if errors:
        print(f"{len(errors)} errors, such as: {errors[0]}", file=sys.stderr)
    return Crowd(
        clients=clients,
        requests=len(waits),
        errors=len(errors),
        requests_per_second=round(len(waits) / seconds, 1),
        milliseconds_p99=round(quantiles(waits, n=100)[98] * 1000, 1),
    )


def _problem(pool: urllib3.PoolManager, address: str) -> list[str]:
    """What is wrong with an answer, where something is."""
    try:
        response = pool.request("GET", address)
    except urllib3.exceptions.HTTPError as error:
        return [str(error)]
    return [] if response.status == 200 else [f"{response.status} {response.data[:300]!r}"]


@contextmanager
def _serving(database: dict[str, Any]) -> Iterator[str]:
    """Django's own threaded server in a process of its own; yields where it is."""
    server = subprocess.Popen(
        [sys.executable, "-m", "dev.bench.stats_queries", "--serve"],
        env=os.environ | {DATABASE: msgspec.json.encode(database).decode()},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def serve() -> None:
    """Serve the database that the environment names, at a free port, and print the address."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415

    set_up(msgspec.json.decode(os.environ[DATABASE]))
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415  (needs Django)

    class Server(ThreadedWSGIServer):
        request_queue_size = BACKLOG
        turns = threading.BoundedSemaphore(THREADS)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            with self.turns:
                super().process_request_thread(request, client_address)

    server = Server(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextmanager
def fresh_database(*, postgres: bool) -> Iterator[dict[str, Any]]:
    """An empty database, as an entry of Django's `DATABASES`; gone in the end."""
    if not postgres:
        with tempfile.TemporaryDirectory(prefix="pillowtop-bench-") as folder:
            yield {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(Path(folder) / "rows.sqlite3"),
                "OPTIONS": {"timeout": 30},
            }
        return
    server = PostgresServer()
    server.start()
    try:
        yield {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": server.port,
        }
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.bench.stats_queries", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    with fresh_database(postgres=arguments.postgres) as database:
        found = measure(database, arguments.rows, arguments.requests, arguments.clients)
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


if __name__ == "__main__":
    main()
