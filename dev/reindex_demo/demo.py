"""The steps of the demo, each of which says what it did."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from dev.demo.indices import Indices
from dev.demo.running import POLL_SECONDS, Command, Manage
from dev.reindex_demo import ROOT
from dev.reindex_demo.documents import AirportDatabase
from dev.reindex_demo.journal import Journal
from dev.reindex_demo.pillows import NAME, FirstRelease, SecondRelease
from dev.reindex_demo.reading import SHOWN, Reader
from dev.reindex_demo.writers import Writers
from dev.soak.comparing import Difference, State, differences, expected
from pillowtop.conf import configuration

MARGIN_SECONDS = 2.0
"""For how long reads look at writes that are due, before the move and after it."""

PATIENCE_SECONDS = 120.0
LINE_SECONDS = 10.0
STAMP = re.compile(r"^\S+Z [A-Z]+ ")


@dataclass(frozen=True)
class Plan:
    """`lag_seconds` is for how long a write may be in flight: see journal.py."""

    documents: int
    writes_per_second: float
    lag_seconds: float


@dataclass(frozen=True)
class Result:
    """`documents` is how many the database had when the move began."""

    documents: int
    reads: int
    failed: int
    short: int
    differences: int

    @property
    def is_good(self) -> bool:
        return not (self.failed or self.short or self.differences)

    def __str__(self) -> str:
        return (
            f"reindex-demo: {self.documents} documents, reads {self.reads}, "
            f"failed {self.failed}, short {self.short}, differences {self.differences}"
        )


class ReindexDemo:
    """Moves the example's pillow from the index of its first release to that of its second."""

    def __init__(self, plan: Plan, console: Console) -> None:
        settings = configuration()
        self._plan = plan
        self._console = console
        self._couchdb, self._elasticsearch = settings.couchdb, settings.elasticsearch
        self._database = AirportDatabase(self._couchdb, NAME)
        self._indices = Indices(self._elasticsearch)
        self._old = FirstRelease().get_target().index
        self._new = SecondRelease().get_target().index
        self._manage = Manage(
            ROOT / "build" / "reindex-demo",
            {"DJANGO_SETTINGS_MODULE": "dev.reindex_demo.settings", "PYTHONPATH": str(ROOT)},
        )
        self._commands: list[Command] = []
        self._mover_said = 0

    def run(self) -> Result:
        self._prepare()
        with ExitStack() as stack:
            self._index(stack)
            journal = Journal(self._plan.documents, self._plan.lag_seconds)
            reader = stack.enter_context(Reader(self._elasticsearch, NAME, journal))
            documents = self._write_and_move(stack, journal, reader)
            found = self._catch_up()
        self._say(f"the most that a read was behind: {reader.most_behind:.1f} s")
        for complaint in reader.complaints:
            self._say(complaint)
        for one in found[:SHOWN]:
            self._say(str(one))
        return Result(documents, reader.reads, reader.failed, reader.short, len(found))

    # Before the move.

    def _prepare(self) -> None:
        """Nothing is removed but what an earlier run has left on these servers."""
        self._database.delete()
        self._indices.delete(NAME)
        self._manage("migrate")
        with self._console.status("") as status:
            for saved in self._database.fill(self._plan.documents):
                status.update(f"loading airports into CouchDB: {saved:,}")
        self._say(f"loaded {self._database.count()} documents into {self._database}")

    def _index(self, stack: ExitStack) -> None:
        began = time.monotonic()
        self._begin(stack, FirstRelease, "run_ptop", "--all", log="first-run_ptop")
        self._until(
            lambda: self._indices.count(NAME) >= self._plan.documents,
            lambda: f"the first release indexes: {self._indices.count(NAME):,} documents",
        )
        self._say(
            f"the first release has indexed them with run_ptop into {self._old}, in "
            f"{time.monotonic() - began:.1f} s, and goes on"
        )

    # The move.

    def _write_and_move(self, stack: ExitStack, journal: Journal, reader: Reader) -> int:
        """Returns how many documents there were when the move began."""
        revs, rate = self._database.revs(), self._plan.writes_per_second
        with Writers(self._couchdb, NAME, journal, revs, rate) as writers:

            def figures() -> str:
                writers.demand_all()
                return (
                    f"{writers.per_second:.0f} writes/s, reads {reader.reads}, "
                    f"failed {reader.failed}, short {reader.short}"
                )

            self._wait(self._plan.lag_seconds + MARGIN_SECONDS, figures)
            documents = self._move(stack, figures)
            self._wait(self._plan.lag_seconds + MARGIN_SECONDS, figures)
            writers.demand_all()
        self._say(
            f"written meanwhile: {journal.writes} updates, creations and deletions, at "
            f"{writers.per_second:.0f}/s (asked for: {rate:.0f}/s)"
        )
        return documents

    def _move(self, stack: ExitStack, figures: Callable[[], str]) -> int:
        documents, began = self._database.count(), time.monotonic()
        self._say(f"the second release runs ptop_reindex, with {documents} documents to move")
        mover = self._begin(stack, SecondRelease, "ptop_reindex", "run", SecondRelease.name)

        def look() -> str:
            self._repeat(mover)
            return figures()

        self._until(lambda: self._serving() == [self._new] or mover.has_ended(), look)
        self._say(f"{NAME} is on {self._new}, after {time.monotonic() - began:.1f} s")
        self._begin(stack, SecondRelease, "run_ptop", "--all", log="second-run_ptop")
        self._until(mover.has_ended, look)
        self._repeat(mover)
        self._say(
            f"run_ptop of the second release has taken over, after {time.monotonic() - began:.1f} s"
        )
        return documents

    def _repeat(self, mover: Command) -> None:
        """Say what it has said since."""
        lines = mover.log.read_text(errors="replace").splitlines(keepends=True)
        whole = [line.rstrip("\n") for line in lines if line.endswith("\n")]
        for line in whole[self._mover_said :]:
            if not line.endswith(": done"):
                self._say(f"  {STAMP.sub('', line)}")
        self._mover_said = len(whole)

    def _serving(self) -> list[str]:
        return self._indices.behind(NAME)

    # After it.

    def _catch_up(self) -> list[Difference]:
        """What is still different when the time is over; nothing as soon as nothing is."""
        began = time.monotonic()
        with self._console.status("waits until both indices are in step, and compares them"):
            while True:
                self._demand_running()
                found = self._differences()
                if not found or time.monotonic() > began + PATIENCE_SECONDS:
                    break
        self._manage("ptop_reindex", "drift", SecondRelease.name)
        if not found:
            self._say(f"{self._new} equals the database in ids, revisions and content, and is as")
            self._say(f"declared; {self._old} equals it in ids and revisions: there is a way back")
        return found

    def _differences(self) -> list[Difference]:
        """Of the new index in all that the second release makes; of the old one in revisions.

        (Both releases have written there, each in its own form.)
        """
        wanted = expected(SecondRelease(), self._database.all())
        new = State(self._indices.sources(self._new))
        old = State(self._indices.sources(self._old, ["pillowtop.rev"]))
        return [
            *differences(self._new, wanted, new),
            *differences(self._old, wanted.revs_only(), old),
        ]

    # What steps are made of.

    def _begin(
        self, stack: ExitStack, release: type[FirstRelease], *arguments: str, log: str = ""
    ) -> Command:
        environment = {"REINDEX_DEMO_RELEASE": release.__name__}
        command = self._manage.begin(*arguments, log=log, environment=environment)
        self._commands.append(stack.enter_context(command))
        return command

    def _wait(self, seconds: float, figures: Callable[[], str]) -> None:
        over = time.monotonic() + seconds
        self._until(lambda: time.monotonic() > over, figures)

    def _until(self, condition: Callable[[], bool], figures: Callable[[], str]) -> None:
        """Show figures meanwhile. Raises `CommandFailed` as soon as a command has failed."""
        said_at = time.monotonic()
        with self._console.status("") as status:
            while not condition():
                self._demand_running()
                words = figures()
                status.update(escape(words))
                if not self._console.is_terminal and time.monotonic() > said_at + LINE_SECONDS:
                    said_at = time.monotonic()
                    self._say(words)
                time.sleep(POLL_SECONDS)

    def _demand_running(self) -> None:
        for command in self._commands:
            command.has_ended()

    def _say(self, words: str) -> None:
        self._console.print(escape(words))
