"""Lists the statistics, and how they are."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from pillowtop import registry
from pillowtop.exits import Exit
from pillowtop.management import tables
from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_answer, demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.stats.pillows import StatsPillow
from pillowtop.stats.records.standing import Standing, standing

COLUMNS = ("statistic", "pillow", "newest", "failed", "failed_windows")


class Command(PillowCommand):
    help = "List the statistics; exit code 4 where one lacks something, or fails."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        with command_errors():
            demand_tables()
            demand_answer()
            found = [
                (pillow.name, standing(pillow.name, kind))
                for pillow in _pillows()
                for kind in pillow.get_plugins().values()
            ]
        if options["format"] == "json":
            self.stdout.write(json.dumps([_body(*one) for one in found], indent=2))
        else:
            self._print(found)
        if not all(one.is_well for _, one in found):
            raise SystemExit(int(Exit.UNHEALTHY))

    def _print(self, found: list[tuple[str, Standing]]) -> None:
        if found:
            self.stdout.write(tables.text(COLUMNS, [_body(*one) for one in found]))
        for _, one in found:
            name = one.statistic
            if one.set_aside:
                self.stdout.write(f"{name} is set aside: {one.set_aside}")
            if one.lacks:
                self.stdout.write(
                    f"{name} lacks its past: {one.lacks}. Type: "
                    f"manage.py ptop_stats_backfill {name}"
                )
            if one.filling:
                self.stdout.write(
                    f"{name} waits for its backfill to take over. Where none runs any more, type: "
                    f"manage.py ptop_stats_backfill {name}"
                )
            if one.error:
                self.stdout.write(f"{name} failed, and is tried again: {one.error}")


def _pillows() -> list[StatsPillow]:
    made = [entry.pillow() for entry in registry.entries()]
    return [one for one in made if isinstance(one, StatsPillow)]


def _body(pillow: str, one: Standing) -> dict[str, Any]:
    newest = one.newest.isoformat() if one.newest else None
    return {"pillow": pillow, **one._asdict(), "newest": newest}
