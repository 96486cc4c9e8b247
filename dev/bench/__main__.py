"""python -m dev.bench: measures the way from CouchDB into Elasticsearch, and statistics.

Prints a table and writes build/bench.json. Uses the servers of COUCHDB_URL, ELASTICSEARCH_URL and
POSTGRESQL_URL, or starts its own. Takes about half an hour; --quick takes a few minutes and says
less.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec
from elasticsearch import ApiError, TransportError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dev.bench import material, messages, report
from dev.bench.books import new_books
from dev.bench.indices import Indices
from dev.bench.jobs import WorkNotDone
from dev.bench.plan import CASES, Case
from dev.bench.rounds import ROOT, Bench, Results, Stock
from dev.bench.servers import Places, running_servers
from dev.servers import ServerError
from pillowtop.endpoints import Endpoint
from pillowtop.exceptions import PillowtopError
from pillowtop.feeds.couch_database import CouchDatabase
from pillowtop.feeds.recorded import RecordedFeed

DOCUMENTS, ROUNDS = 100_000, 5
QUICK_DOCUMENTS, QUICK_ROUNDS = 20_000, 1
WARM_UP = ("a2", "d1")
"""Measured once before all rounds and thrown away: a JVM takes a while to get fast."""

WITH_BODIES = {"bulks", "together"}
WITH_FEED = {"recorded", *WITH_BODIES}
WITH_MESSAGES = {"statistics"}
"""Works that use more of a stock than its database."""

ROWS = Case(key="rows", title="rows", work="rows", needs_index=False)


def main() -> None:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, _stop)
    console = Console()
    try:
        made = measure(arguments.documents, arguments.rounds, console)
    except (WorkNotDone, ServerError, PillowtopError, ApiError, TransportError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
    report.save(made, arguments.output)
    report.show(made, console)
    console.print(f"written to {arguments.output}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, help=f"how many (default: {DOCUMENTS:,})")
    parser.add_argument("--rounds", type=int, help=f"how often each (default: {ROUNDS})")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_DOCUMENTS:,} documents, {QUICK_ROUNDS} round"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.documents = arguments.documents or (QUICK_DOCUMENTS if quick else DOCUMENTS)
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if quick else ROUNDS)
    return arguments


def measure(documents: int, rounds: int, console: Console) -> report.Report:
    """Everything, from the start of the servers to the figures; nothing of it stays."""
    with ExitStack() as stack:
        with console.status("starting CouchDB, Elasticsearch and PostgreSQL"):
            places = stack.enter_context(running_servers())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pillowtop-bench-")))
        progress = stack.enter_context(_progress(console))
        stocks = {}
        for times in sorted({case.times for case in CASES}):
            database = stack.enter_context(fresh_database(places))
            material_folder = folder / f"{times}"
            material_folder.mkdir()
            stocks[times] = Stock(database.name, documents * times, material_folder, {})
            prepare(database, stocks[times], _used(times), places, progress)
        bench = Bench(places, stocks)
        for times, kind in sorted({(case.times, case.books) for case in CASES if case.rows}):
            home = stocks[times]
            url = places.postgresql.url
            home.rows[kind] = stack.enter_context(new_books(kind, home.material, url))
            filling = msgspec.structs.replace(ROWS, books=kind, times=times)
            writing = progress.add_task(f"writing {home.documents:,} rows into {kind}", total=1)
            bench.take(filling)
            progress.advance(writing)
        feed = stocks[1].material / material.FEED
        return report.make_report(
            CASES,
            take_all(bench, rounds, progress),
            documents=documents,
            bytes_per_document=feed.stat().st_size / documents,
            servers={
                "couchdb": places.couchdb.name,
                "elasticsearch": places.elasticsearch.name,
                "postgresql": places.postgresql.name,
            },
        )


def _used(times: int) -> set[str]:
    """What cases do with a stock."""
    return {case.work for case in CASES if case.times == times}


@contextmanager
def fresh_database(places: Places) -> Iterator[CouchDatabase]:
    """A database under a name that nobody has, which is removed in the end."""
    name = f"pillowtop-bench-{secrets.token_hex(4)}"
    database = CouchDatabase(Endpoint.parse(places.couchdb.url), name)
    try:
        yield database
    finally:
        database.server.request("DELETE", database.path)


def prepare(
    database: CouchDatabase, stock: Stock, used: set[str], places: Places, progress: Progress
) -> None:
    """Fill the database, and where it is used save its feed, and build the bulks of it."""
    count, feed = stock.documents, stock.material / material.FEED
    loading = progress.add_task("writing documents into CouchDB", total=count)
    material.fill(database, count, lambda done: progress.advance(loading, done))
    if used & WITH_MESSAGES:
        messages.record(count, stock.material)
    if not used & WITH_FEED:
        return
    recording = progress.add_task("reading them back, building bulks", total=count)
    material.record(database, feed, lambda done: progress.advance(recording, done))
    if not used & WITH_BODIES:
        return
    transport = Indices(places.elasticsearch.url).transport("bodies")
    recorded = RecordedFeed(feed, database.name)
    if material.build_bodies(recorded, stock.material, transport) != count:
        raise WorkNotDone("the feed does not hold what was written")


def take_all(bench: Bench, rounds: int, progress: Progress) -> Results:
    warming = [case for case in CASES if case.key in WARM_UP]
    often = sum(1 if case.once else rounds for case in CASES)
    task = progress.add_task("", total=len(warming) + often)

    def show(number: int, case: Case) -> None:
        turn = f"round {number} of {rounds}" if number else "warming up"
        progress.update(task, description=f"{turn}: ({case.key}) {case.title}")

    for case in warming:
        show(0, case)
        bench.take(case)
        progress.advance(task)
    return bench.measure(CASES, rounds, show, lambda: progress.advance(task))


def _progress(console: Console) -> Progress:
    return Progress(
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    )


def _stop(_number: int, _frame: object) -> NoReturn:
    sys.exit("bench: stopped")


if __name__ == "__main__":
    main()
