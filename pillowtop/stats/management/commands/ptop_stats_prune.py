"""Removes rows of statistics that are older than the settings have them kept."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from pillowtop.management import tables
from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.management.progress import Progress
from pillowtop.stats import registry
from pillowtop.stats.intervals import shown
from pillowtop.stats.records.pruning import Holding, holdings
from pillowtop.stats.retention import demand_known_statistics

COLUMNS = ("statistic", "kept for", "rows", "oldest")
EVER, NO_PLUGIN = "ever", "no plugin"


class Command(PillowCommand):
    help = (
        "Say which rows of statistics are older than PILLOWTOP_STATS['RETENTION'] has them kept, "
        "and remove them with --apply."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("statistic", nargs="*", help="idents, as in volume-1m; all by default")
        parser.add_argument("--apply", action="store_true", help="remove the rows")
        parser.add_argument(
            "--orphans",
            action="store_true",
            help="all rows, too, of statistics that no plugin has any more",
        )
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="of what is shown"
        )

    def handle(self, statistic: list[str], **options: Any) -> None:
        now = timezone.now()
        with command_errors():
            demand_tables()
            demand_known_statistics()
            found = _chosen(statistic, orphans=options["orphans"])
            counts = [one.old(now).count() for one in found]
            rows = [_row(one, count) for one, count in zip(found, counts, strict=True)]
            meant = [
                (one, row)
                for one, row in zip(found, rows, strict=True)
                if options["orphans"] or not one.orphaned
            ]
            if options["apply"]:
                _prune(meant, now)
        if options["format"] == "json":
            self.stdout.write(json.dumps(rows))
        else:
            self._tell(rows, [row for _, row in meant], options)

    def _tell(
        self, rows: list[dict[str, Any]], meant: list[dict[str, Any]], options: dict[str, Any]
    ) -> None:
        if rows:
            self.stdout.write(tables.text(COLUMNS, list(map(_told, rows))))
        if options["apply"]:
            self.stdout.write(f"{sum(row['removed'] for row in meant)} rows were removed")
        elif count := sum(row["rows"] for row in meant):
            self.stdout.write(f"nothing was removed: --apply removes {count} rows")
        else:
            self.stdout.write("nothing is to be removed")
        left = sum(row["rows"] for row in rows if row not in meant)
        if left:
            self.stdout.write(
                f"--orphans takes the {left} rows of statistics that no plugin has, too"
            )


def _chosen(statistics: Sequence[str], *, orphans: bool) -> list[Holding]:
    """What is meant. Raises `ConfigurationError` for a statistic that is not known."""
    found = holdings(registry.plugins())
    known = {one.statistic for one in found if orphans or not one.orphaned}
    for statistic in statistics:
        if statistic not in known:
            registry.get_plugin(statistic)
    return [one for one in found if not statistics or one.statistic in statistics]


def _prune(meant: Sequence[tuple[Holding, dict[str, Any]]], now: datetime) -> None:
    with Progress("removing rows") as progress:
        progress.expect(sum(row["rows"] for _, row in meant))
        for one, row in meant:
            for removed in one.prune(now):
                row["removed"] += removed
                progress.add(removed)


def _row(one: Holding, count: int) -> dict[str, Any]:
    oldest = one.oldest()
    return {
        "statistic": one.statistic,
        "table": one.model._meta.db_table,  # noqa: SLF001  (documented, in spite of its name)
        "kept_for": shown(one.kept_for) if one.kept_for else None,
        "orphaned": one.orphaned,
        "rows": count,
        "oldest": oldest and oldest.isoformat(),
        "removed": 0,
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    kept_for = NO_PLUGIN if row["orphaned"] else row["kept_for"] or EVER
    return {**row, "kept for": kept_for}
