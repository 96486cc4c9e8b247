"""Shows how pillows are, from what their workers report."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import msgspec
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from pillowtop import registry
from pillowtop.engine import health
from pillowtop.engine.health import Problem, Status
from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit
from pillowtop.listener import AliasedElasticPillow
from pillowtop.management import statuses
from pillowtop.management.database import demand_answer, demand_known_database, demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.records import figures, moves
from pillowtop.verification.standpoint import RUNNING


class Command(PillowCommand):
    help = "Show how pillows are, and what is wrong with them. Exit code 4 where something is."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "pillow", nargs="*", help="names of pillows or of groups; all pillows by default"
        )
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="of what is shown"
        )

    def handle(self, pillow: list[str], **options: Any) -> None:
        try:
            status = _status(_names(pillow))
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=Exit.CONFIGURATION) from error
        if options["format"] == "json":
            self.stdout.write(msgspec.json.format(msgspec.json.encode(status)).decode())
        else:
            self.stdout.write(statuses.text(status))
        if not status.healthy:
            raise SystemExit(int(Exit.UNHEALTHY))


def _names(keys: list[str]) -> list[str]:
    """The pillows that are meant, each once. Raises `ConfigurationError`."""
    chosen = [registry.select(key) for key in keys] or [registry.select(None)]
    return list(dict.fromkeys(entry.name for entries in chosen for entry in entries))


def _status(names: list[str]) -> Status:
    demand_known_database()
    try:
        demand_answer()
        demand_tables()
        names += _builds(names)
        reports = figures.read(names)
        letters = figures.letters(names)
    except (DatabaseError, InterfaceError) as error:
        return Status.unknown(_unreachable(error))
    found = []
    for name in names:
        snapshot, age_seconds = reports.get(name, (None, 0.0))
        if snapshot:
            snapshot.dead_letters = letters.get(name, 0)
        found.append(health.judge(name, snapshot, age_seconds, _index(name)))
    return Status.of(found)


def _builds(names: list[str]) -> list[str]:
    """The names under which new indices are being filled for these pillows."""
    builds = [move.build for move in moves.all_of() if move.pillow in names]
    return [
        name
        for name, report in figures.read(builds).items()
        if report.age_seconds < health.SILENT_SECONDS
        and report.figures
        and report.figures.state in RUNNING
    ]


def _index(name: str) -> str | None:
    """The index that the code here asks for."""
    with suppress(ConfigurationError):
        pillow = registry.get_pillow(name)
        if isinstance(pillow, AliasedElasticPillow):
            return pillow.get_target().index
    return None


def _unreachable(error: Exception) -> Problem:
    return Problem(
        "unreachable",
        f"nothing is known of any pillow, as the Django database does not answer: {error}",
        "see that it runs, is well, and can be reached from here",
    )
