"""python -m dev.chaos.backlog: a worker with little memory and a long way to go, killed meanwhile.

Fills a database, has three pillows read it from 0 under a limit of memory (RLIMIT_DATA), kills
the worker now and then, and compares every document in the end. Exits 0 only where all are right.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console

from dev.chaos import ROOT, crowd
from dev.chaos.crowd import Crowd
from dev.chaos.report import BAD
from dev.chaos.stage import KINDS, Servers, find_servers, manage, worker_environment
from dev.demo.indices import Indices
from dev.memory import peak_bytes
from dev.soak.worker import Worker
from pillowtop.endpoints import Endpoint
from pillowtop.exits import Exit

NAME = "chaos-backlog"
FAILED = 1
POLL_SECONDS = 0.5
LIFE_SECONDS = (10, 40)


class Backlog:
    """One run: a crowd, a worker, and how often it was killed."""

    def __init__(self, servers: Servers, arguments: argparse.Namespace, console: Console) -> None:
        self._rng = random.Random(arguments.seed)  # noqa: S311
        self._kills_left = arguments.kills
        self._console = console
        self._crowd = Crowd(Endpoint(servers.couchdb.url), NAME)
        self._indices = Indices(Endpoint(servers.search.url))
        self._environment = worker_environment(
            servers.template, servers.couchdb.url, servers.search.url, NAME
        ) | {"CHAOS_AS_DEFAULT": "yes"}
        self._log = servers.folder / "worker.log"
        self.worker = Worker(
            self._environment, self._log, ["--until-caught-up"], arguments.megabytes * 10**6
        )
        self.kills = 0
        self.proof_bytes = 0

    def fill(self, count: int) -> None:
        self._crowd.create()
        with self._console.status("") as status:
            self._crowd.fill(count, lambda done: status.update(f"{done:,} documents written"))

    def run(self) -> int | None:
        """Have the worker catch up, killed now and then. Its exit code."""
        self.worker.start()
        dies = self._next_death()
        while self.worker.pid is not None:
            time.sleep(POLL_SECONDS)
            self.worker.measure()
            if self._kills_left and time.monotonic() > dies:
                self._kill()
                dies = self._next_death()
        return self.worker.end(signal.SIGTERM)

    def compare(self) -> Counter[str]:
        """Ids and revisions by ourselves, and contents by `ptop_verify`."""
        counts: Counter[str] = Counter()
        for kind in KINDS:
            wanted = self._crowd.revs()
            if kind.__name__ == "French":
                wanted = (one for one in wanted if crowd.is_french(one[0]))
            hits = self._indices.hits(_alias(kind), ["pillowtop.rev"])
            found = ((hit["_id"], hit["_source"]["pillowtop"]["rev"]) for hit in hits)
            counts += crowd.differences(wanted, found)
        return counts

    def verify(self) -> list[str]:
        """The pillows that `ptop_verify` says to differ."""
        return [kind.__name__ for kind in KINDS if self._verify(kind.__name__) != Exit.DONE]

    def _verify(self, name: str) -> int:
        command = subprocess.Popen(
            manage("ptop_verify", name), env={**os.environ, **self._environment}
        )
        while command.poll() is None:
            self.proof_bytes = max(self.proof_bytes, peak_bytes(command.pid) or 0)
            time.sleep(POLL_SECONDS)
        return command.returncode

    def _kill(self) -> None:
        self.worker.kill()
        self.kills += 1
        self._kills_left -= 1
        counts = " ".join(f"{self._indices.count(_alias(kind)):,}" for kind in KINDS)
        self._console.print(f"killed {self.kills} times; found by a search: {counts}")
        self.worker.start()

    def _next_death(self) -> float:
        return time.monotonic() + self._rng.uniform(*LIFE_SECONDS)


def _alias(kind: type) -> str:
    return f"{NAME}-{kind.__name__.lower()}"


def main() -> int:
    arguments = parse_arguments()
    console = Console(highlight=False, soft_wrap=True)
    servers = find_servers(arguments.folder.resolve())
    with servers.running():
        backlog = Backlog(servers, arguments, console)
        backlog.fill(arguments.documents)
        began = time.monotonic()
        code = backlog.run()
        seconds = time.monotonic() - began
        if code != Exit.DONE:
            console.print(f"the worker ended with {code}:\n{backlog.worker.log_tail()}")
            return FAILED
        counts, wrong = backlog.compare(), backlog.verify()
    figures = [f"{counts[name]} {name}" for name in BAD[:3]]
    console.print(
        f"backlog: {arguments.documents:,} changes, {backlog.kills} kills, "
        f"{backlog.worker.peak_bytes / 1e6:.0f} MB of {arguments.megabytes}, {seconds:.0f} s, "
        + ", ".join(figures)
        + f", ptop_verify in {backlog.proof_bytes / 1e6:.0f} MB"
    )
    return FAILED if counts or wrong else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.chaos.backlog",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--documents", type=int, default=10**6, help="how many wait (default: 1000000)")
    add("--megabytes", type=int, default=200, help="the worker's memory at most (default: 200)")
    add("--kills", type=int, default=20, help="of the worker at most (default: 20)")
    add("--seed", type=int, default=1, help="decides when it is killed (default: 1)")
    add("--folder", type=Path, default=ROOT / "build" / "backlog", help="of data and logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
