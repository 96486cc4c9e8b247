"""A soak: storms in which harm is done, and calms in which everything is compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from airports.couch import CouchError
from airports.pillows import AirportPillow, FrenchAirportPillow
from dev.demo.indices import Indices, SearchError
from dev.demo.running import Manage
from dev.servers import MissingTool, ServerError
from dev.soak import comparing, tasks
from dev.soak.display import Display
from dev.soak.exceptions import SoakError, WriterFailed
from dev.soak.places import Places
from dev.soak.reading import Reader, SoakedDatabase
from dev.soak.report import SHOWN, Calm, Report, calm_line
from dev.soak.schedule import storm
from dev.soak.tormentor import Tormentor, Victim
from dev.soak.worker import Worker
from dev.soak.writers import WRITERS, Writer
from pillowtop.conf import configuration

STORM_SECONDS = 180.0
SHORTEST_STORM_SECONDS = 10.0
POLL_SECONDS = 1.0
JOIN_SECONDS = 15.0
MEMORY_LIMIT_MEGABYTES = 250
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float
    patience: float
    """For how long it may take to be in step, in seconds."""
    folder: Path


class Soak:
    """Starts everything, and leaves nothing behind but a folder of logs and the report."""

    def __init__(self, plan: Plan, places: Places, display: Display) -> None:
        self.report = Report(plan.seed, places.names)
        self._plan = plan
        self._places = places
        self._display = display
        self._manage = Manage(plan.folder)
        self._worker = Worker(
            {"EXAMPLE_SQLITE": str(self._manage.database)}, plan.folder / "worker.log"
        )
        victims: dict[str, Victim] = {**places.own, "worker": self._worker}
        self._victims = victims
        self._logs = plan.folder / "logs"
        self._tormentor = Tormentor(victims, self._logs, self._tick, display.note)
        self._writers: list[Writer] = []
        self._began = time.monotonic()

    def run(self) -> None:
        """Fill in the report; whatever is found stands in its problems."""
        try:
            with self._display.showing(self._figures):
                self._prepare()
                self._soak()
        except MissingTool:
            raise
        except (SoakError, ServerError) as error:
            self._found(str(error))
        except KeyboardInterrupt:
            self.report.interrupted = True
        finally:
            self._end()

    def _prepare(self) -> None:
        self._tormentor.start(*self._places.own)
        settings = configuration()
        pillows = [AirportPillow(), FrenchAirportPillow()]
        database = SoakedDatabase(settings.couchdb, AirportPillow.couch_db)
        indices = Indices(settings.elasticsearch)
        database.delete()
        for pillow in pillows:
            indices.delete(pillow.es_alias)
        self._manage("migrate")
        self._manage("load_airports")
        ids = [one["_id"] for one in database.documents()]
        self._display.say(f"loaded {len(ids)} airports into {database}")
        self._reader = Reader(database, indices, self._manage.database, pillows)
        self._writers = [
            Writer(settings.couchdb, AirportPillow.couch_db, own, f"{self._plan.seed}/{number}")
            for number, own in enumerate(tasks.pool(ids, WRITERS))
        ]

    def _soak(self) -> None:
        self._tormentor.start("worker")
        self._began = time.monotonic()
        for writer in self._writers:
            writer.start()
        number = 0
        left = self._plan.seconds
        while not number or left >= SHORTEST_STORM_SECONDS:
            seconds = min(STORM_SECONDS, left)
            harms = storm(self._plan.seed, number, seconds, list(self._victims))
            self._tormentor.torment(harms, seconds)
            self._calm()
            if self.report.problems:
                return
            number += 1
            left = self._plan.seconds - (time.monotonic() - self._began)

    def _calm(self) -> None:
        with self._paused_writers():
            began = time.monotonic()
            found = self._catch_up()
            self._note_calm(time.monotonic() - began, found)
            for writer in self._writers:
                found += comparing.lost(writer.shelf.known, self._reader.revs)
        for one in found[:SHOWN]:
            self._found(str(one))
        if len(found) > SHOWN:
            self._found(f"and {len(found) - SHOWN} more differences")
        self._look_at_worker()

    @contextmanager
    def _paused_writers(self) -> Iterator[None]:
        for writer in self._writers:
            writer.pause()
        try:
            yield
        finally:
            for writer in self._writers:
                writer.go_on()

    def _catch_up(self) -> list[comparing.Difference]:
        """What is still different when the time is over; nothing as soon as nothing is."""
        self._display.note("calm: waits until the indices are in step")
        deadline = time.monotonic() + self._plan.patience
        while True:
            problem = ""
            found: list[comparing.Difference] = []
            try:
                found = self._reader.differences()
            except (CouchError, SearchError) as error:
                # Servers that are not ours may be down just now.
                problem = str(error)
            if not (found or problem):
                return []
            if time.monotonic() > deadline:
                if problem:
                    raise SoakError(f"nothing could be compared: {problem}")
                return found
            self._tormentor.wait(time.monotonic() + POLL_SECONDS)

    def _note_calm(self, seconds: float, found: list[comparing.Difference]) -> None:
        wanted = self._reader.wanted
        calm = Calm(
            at_seconds=round(time.monotonic() - self._began, 1),
            catch_up_seconds=round(seconds, 1),
            documents={name: len(state.sources) for name, state in wanted.items()},
            letters={name: len(state.letters) for name, state in wanted.items()},
            differences=len(found),
        )
        self.report.calms.append(calm)
        self._display.say(calm_line(calm))

    def _look_at_worker(self) -> None:
        self._worker.measure()
        megabytes = self._worker.peak_bytes / 1e6
        if megabytes > MEMORY_LIMIT_MEGABYTES:
            self._found(f"the worker took {megabytes:.0f} MB, more than {MEMORY_LIMIT_MEGABYTES}")
        for log in (self._logs / "worker.log", self._worker.log):
            if log.exists() and TRACEBACK in log.read_text(errors="replace"):
                self._found(f"the worker met an error that nobody expected: see {log}")

    def _tick(self) -> None:
        self._worker.measure()
        for writer in self._writers:
            if writer.error is not None:
                raise WriterFailed(f"{writer.name} failed: {writer.error!r}")

    def _found(self, problem: str) -> None:
        self.report.problems.append(problem)
        self._display.say(problem)

    def _end(self) -> None:
        self.report.seconds = round(time.monotonic() - self._began, 1)
        for writer in self._writers:
            writer.end()
        try:
            self._tormentor.stop_all()
        except SoakError as error:
            self._found(str(error))
        for writer in self._writers:
            with suppress(RuntimeError):  # it was not started yet
                writer.join(JOIN_SECONDS)
        self._fill_in()

    def _fill_in(self) -> None:
        report = self.report
        report.writes = dict(self._written())
        for (victim, deed), count in self._tormentor.done.items():
            report.harms.setdefault(victim, {})[deed] = count
        report.exit_codes = dict(self._worker.exit_codes)
        report.peak_megabytes = round(self._worker.peak_bytes / 1e6, 1)

    def _written(self) -> Counter[str]:
        return sum((writer.counts for writer in self._writers), Counter())

    def _figures(self) -> dict[str, str]:
        seconds = time.monotonic() - self._began
        harms: Counter[str] = Counter()
        for (victim, deed), count in self._tormentor.done.items():
            harms[f"{deed} {victim}"] += count
        return {
            "minutes": f"{seconds / 60:.1f} of {self._plan.seconds / 60:.0f}",
            "documents": _listed(self._written()),
            "harm": _listed(harms),
            "worker": f"{self._worker.peak_bytes / 1e6:.0f} MB at most",
        }


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none yet"
