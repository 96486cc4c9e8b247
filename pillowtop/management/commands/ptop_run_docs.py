"""Has single documents run again, by the process that runs the pillow."""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from pillowtop import registry
from pillowtop.engine.fates import Fate
from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit
from pillowtop.management.ages import seconds_to_wait
from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.records import letters, reruns

IN_AN_ID = re.compile("[^\\0\ud800-\udfff]+")
"""No NUL, which PostgreSQL takes in no text, and nothing that is no UTF-8."""

POLL_SECONDS = 0.1
WAIT_SECONDS = 60.0
SHOWN = 20
FAILURES = (Fate.LETTER, Fate.IGNORED, Fate.MISSING, Fate.SKIPPED)


class Command(PillowCommand):
    help = "Have documents run again, as they are by then, by the process that runs the pillow."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pillow", help="the pillow's name, as run_ptop --list shows it")
        parser.add_argument("doc_id", nargs="*", help="ids of documents")
        parser.add_argument("--file", help="a file with an id a line; - for standard input")
        parser.add_argument(
            "--wait",
            type=seconds_to_wait,
            default=WAIT_SECONDS,
            metavar="SECONDS",
            help=f"for how long to wait until they are done ({WAIT_SECONDS:.0f}); 0 does not wait",
        )

    def handle(self, pillow: str, **options: Any) -> None:
        if "-" in options["doc_id"]:
            raise CommandError("for standard input say --file=-", returncode=Exit.USAGE)
        doc_ids = _distinct([*options["doc_id"], *_listed(options["file"])])
        for doc_id in doc_ids:
            if not IN_AN_ID.fullmatch(doc_id):
                raise CommandError(f"no document is called {doc_id!r}", returncode=Exit.USAGE)
        if not doc_ids:
            raise CommandError(
                "name documents: their ids, or --file=FILE with an id a line (- for standard "
                "input)",
                returncode=Exit.USAGE,
            )
        with command_errors():
            name = _demand_database(pillow)
            ticket = reruns.new_ticket()
            reruns.ask(ticket, name, doc_ids)
            outcomes = self._wait(ticket, options["wait"])
            self._tell(name, outcomes)
        unfinished = "" in outcomes.values() and options["wait"] > 0
        if unfinished or any(outcome in FAILURES for outcome in outcomes.values()):
            raise SystemExit(int(Exit.UNHEALTHY))

    @staticmethod
    def _wait(ticket: str, seconds: float) -> dict[str, str]:
        deadline = time.monotonic() + seconds
        while True:
            outcomes = reruns.outcomes(ticket)
            if "" not in outcomes.values() or time.monotonic() >= deadline:
                return outcomes
            time.sleep(POLL_SECONDS)

    def _tell(self, name: str, outcomes: dict[str, str]) -> None:
        failed = [(doc_id, outcome) for doc_id, outcome in outcomes.items() if outcome in FAILURES]
        reasons = letters.reasons(name, [doc_id for doc_id, _ in failed[:SHOWN]])
        for doc_id, outcome in failed[:SHOWN]:
            why = f" ({reasons[doc_id]})" if outcome == Fate.LETTER and doc_id in reasons else ""
            self.stdout.write(f"{doc_id!r}: {outcome}{why}")
        if len(failed) > SHOWN:
            self.stdout.write(f"and {len(failed) - SHOWN} more")
        counts = Counter(outcomes.values())
        waiting = counts.pop("", 0)
        if counts:
            words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
            self.stdout.write(f"{name}: {words}")
        if waiting:
            self.stdout.write(
                f"{name}: {waiting} queued: the process that runs the pillow takes them within "
                "seconds, and if none does, the next one will (manage.py run_ptop)"
            )


def _demand_database(pillow: str) -> str:
    found = registry.get_pillow(pillow)
    if not found.couch_db:
        raise ConfigurationError(f"{found.name} follows no CouchDB database to read documents from")
    if found.couch_filter:
        raise ConfigurationError(
            f"{found.name} has a filter in CouchDB ({found.couch_filter!r}), which documents that "
            "are run again would pass by: change them instead, or start the pillow over "
            "(ptop_checkpoint reset)"
        )
    demand_tables()
    return found.name


def _listed(file: str | None) -> Iterable[str]:
    """The lines of a file, without their ends. Spaces may be part of an id."""
    if file is None:
        return []
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}", returncode=Exit.USAGE) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")


def _distinct(doc_ids: Iterable[str]) -> list[str]:
    return [doc_id for doc_id in dict.fromkeys(doc_ids) if doc_id]
