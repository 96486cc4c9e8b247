"""Takes the measurements: each case once a round, each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from dev.bench.books import Books, new_books
from dev.bench.indices import Indices
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.plan import Case
from dev.bench.servers import Place, Places

ROOT = Path(__file__).resolve().parents[2]
SECONDS_AT_MOST = 1800


class Measurement(msgspec.Struct, frozen=True):
    """What one case came to in one round; the servers' processor time where they are ours."""

    documents_per_second: float
    cpu_microseconds: float
    peak_megabytes: float
    couchdb_cpu_microseconds: float | None
    elasticsearch_cpu_microseconds: float | None
    milliseconds_p50: float | None = None
    milliseconds_p99: float | None = None
    feed_connections: int | None = None


Results = dict[str, list[Measurement]]


class Stock(NamedTuple):
    """A database of so many documents, the folder of what was made of it, and Django databases
    with as many rows, by their kind."""

    database: str
    documents: int
    material: Path
    rows: dict[str, Books]


class Bench:
    """Measures cases on these servers, each with the stock that is so many times the usual one."""

    def __init__(self, places: Places, stocks: Mapping[int, Stock]) -> None:
        self._places = places
        self._stocks = stocks

    def measure(
        self,
        cases: Sequence[Case],
        rounds: int,
        begin: Callable[[int, Case], None],
        done: Callable[[], None],
    ) -> Results:
        """Take `rounds` measurements of each case, in turns: a disturbance hits all alike."""
        results: Results = {case.key: [] for case in cases}
        for number in range(1, rounds + 1):
            for case in cases:
                if case.once and number > 1:
                    continue
                begin(number, case)
                results[case.key].append(self.take(case))
                done()
        return results

    def take(self, case: Case) -> Measurement:
        """One measurement. Raises `WorkNotDone` unless everything arrived."""
        indices = Indices(self._places.elasticsearch.url)
        stock = self._stocks[case.times]
        alias = f"{stock.database}-{case.key}"
        try:
            if case.needs_index and not case.made_by_pillow:
                indices.make(alias, as_copy=case.as_copy)
            if case.filled_first:
                self._fill(case, alias)
            measurement = self._measured(case, alias)
            if case.needs_index:
                indices.verify(alias, stock.documents, with_total=case.transform)
            return measurement
        finally:
            indices.remove(alias)
            indices.close()

    def _fill(self, case: Case, alias: str) -> None:
        with self._job(case, alias) as job:
            run_child(msgspec.structs.replace(job, work="pillow"))

    def _measured(self, case: Case, alias: str) -> Measurement:
        couchdb, elasticsearch = self._places.couchdb, self._places.elasticsearch
        before = couchdb.cpu_seconds(), elasticsearch.cpu_seconds()
        with self._job(case, alias) as job:
            figures = run_child(job)
        documents = figures.documents
        return Measurement(
            figures.documents_per_second,
            figures.cpu_microseconds,
            figures.peak_bytes / 1e6,
            None if case.alone else self._spent(couchdb, before[0], documents),
            None if case.alone else self._spent(elasticsearch, before[1], documents),
            figures.milliseconds_p50,
            figures.milliseconds_p99,
            figures.feed_connections,
        )

    def _spent(self, place: Place, before: float | None, documents: int) -> float | None:
        after = place.cpu_seconds()
        if before is None or after is None:
            return None
        return (after - before) / documents * 1e6

    @contextmanager
    def _job(self, case: Case, alias: str) -> Iterator[Job]:
        """What a child is told, with a folder and a Django database that are its own."""
        stock = self._stocks[case.times]
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pillowtop-bench-"))
            if case.rows:
                books = stock.rows[case.books]
            else:
                url = self._places.postgresql.url
                books = stack.enter_context(new_books(case.books, Path(folder), url))
            yield Job(
                work=case.work,
                couchdb_url=self._places.couchdb.url,
                elasticsearch_url=self._places.elasticsearch.url,
                database=stock.database,
                alias=alias,
                documents=stock.documents,
                material=str(stock.material),
                folder=folder,
                books=books,
                in_flight=case.in_flight,
                transform=case.transform,
                include_docs=case.include_docs,
                pillows=case.pillows,
            )


def run_child(job: Job) -> Figures:
    """Do a job in a fresh process, which ends with this one at the latest."""
    done = subprocess.run(
        [sys.executable, "-m", "dev.bench.child"],
        input=msgspec.json.encode(job),
        capture_output=True,
        cwd=ROOT,
        timeout=SECONDS_AT_MOST,
        check=False,
    )
    if done.returncode != 0 or not done.stdout:
        words = done.stderr.decode(errors="replace").strip()
        raise WorkNotDone(f"{job.work} ended with {done.returncode}:\n{words[-4000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Figures)
