"""python -m dev.demo: see README.md. Exits 0 only where all indices are in step."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from airports.couch import Database
from airports.pillows import AirportPillow
from dev.demo import ROOT, changing, servers, statistics
from dev.demo.comparing import Comparison, compare
from dev.demo.ending import FAILED, concluded
from dev.demo.indices import Indices
from dev.demo.running import Manage
from flights.pillows import DeparturePillow
from pillowtop import registry
from pillowtop.conf import configuration
from pillowtop.listener import AliasedElasticPillow, PythonPillow

ALL = AirportPillow.es_alias
HITS = 5
SHARING = " share one connection"
"""What run_ptop says of each feed that several pillows follow."""


class Demo:
    """The steps of the demo, each of which says what it did."""

    def __init__(self, console: Console) -> None:
        settings = configuration()
        pillows: list[Any] = [registry.get_pillow(one.name) for one in registry.entries()]
        self._pillows = [one for one in pillows if isinstance(one, AliasedElasticPillow)]
        self._console = console
        self._database = Database(settings.couchdb, AirportPillow.couch_db)
        self._departures = Database(settings.couchdb, DeparturePillow.couch_db)
        self._indices = Indices(settings.elasticsearch)
        self._manage = Manage(ROOT / "build" / "demo")

    def run(self) -> bool:
        """Whether everything was in step, both times."""
        self._clean_up()
        self._load()
        first = self._catch_up("run_ptop --all has followed the database")
        self._change()
        second = self._catch_up("run_ptop --all has caught up with the changes")
        self._show_hits()
        return self._show_statistics() and first and second

    def _clean_up(self) -> None:
        """Remove what an earlier run has left on these servers, and nothing else."""
        self._database.delete()
        self._departures.delete()
        for pillow in self._pillows:
            self._indices.delete(pillow.es_alias)

    def _load(self) -> None:
        with self._console.status("loading airports and departures into CouchDB …"):
            self._manage("migrate")
            self._manage("load_airports")
            self._manage("load_departures")
        self._console.print(f"loaded {len(self._revs()[ALL])} airports into {self._database}")

    def _change(self) -> None:
        with self._console.status("changing airports …"):
            changes = changing.plan(self._database.documents())
            for _ in self._database.save(changes.all):
                pass
        self._console.print(f"changed: {changes}")

    def _catch_up(self, done: str) -> bool:
        expected = self._revs()
        began = time.monotonic()
        with Progress(
            console=self._console, transient=True, disable=not self._console.is_terminal
        ) as progress:
            bars = {
                alias: progress.add_task(alias, total=len(revs)) for alias, revs in expected.items()
            }

            def show() -> None:
                for alias, bar in bars.items():
                    progress.update(bar, completed=self._indices.count(alias))

            self._manage("run_ptop", "--all", "--until-caught-up", meanwhile=show)
        self._console.print(f"{done}, in {time.monotonic() - began:.1f} s")
        self._show_sharing()
        return self._show_comparison(expected)

    def _show_sharing(self) -> None:
        for line in self._manage.log("run_ptop").read_text(errors="replace").splitlines():
            if SHARING in line:
                self._console.print(f"  {escape(line.partition(' INFO ')[2])}")

    def _show_comparison(self, expected: Mapping[str, Mapping[str, str]]) -> bool:
        compared = {
            alias: compare(revs, self._indices.revs(alias)) for alias, revs in expected.items()
        }
        self._console.print(_table(compared))
        return all(one.in_step for one in compared.values())

    def _show_hits(self) -> None:
        self._console.print(f"the {HITS} airports nearest to Mont Blanc, as {ALL} has them:")
        for hit in self._indices.nearest(ALL, HITS):
            self._console.print(
                f"  {hit['distance_km']:5.1f} km  {hit['iata']}  {escape(hit['name'])}, "
                f"{hit['country']}, {hit['elevation_m']} m"
            )

    def _show_statistics(self) -> bool:
        """Whether each departure has been counted once."""
        sent, counted = len(self._departures.documents()), statistics.counted(self._manage.database)
        verdict = "[green]in step[/]" if sent == counted else "[red]NOT in step[/]"
        self._console.print(f"{counted} of {sent} departures are counted: {verdict}")
        self._console.print(f"charts: make serve, then {statistics.CHART}")
        return sent == counted

    def _revs(self) -> dict[str, dict[str, str]]:
        """What each index has to hold: ids and revisions, asked of CouchDB."""
        documents = self._database.documents()
        return {
            pillow.es_alias: {one["_id"]: one["_rev"] for one in documents if _takes(pillow, one)}
            for pillow in self._pillows
        }


def _takes(pillow: Any, document: dict[str, Any]) -> bool:
    return not isinstance(pillow, PythonPillow) or pillow.python_filter(document)


def _table(compared: Mapping[str, Comparison]) -> Table:
    table = Table("index", "in CouchDB", "in the index", "verdict")
    for alias, one in compared.items():
        colour = "green" if one.in_step else "red"
        verdict = f"[{colour}]{escape(one.verdict)}[/]"
        table.add_row(alias, str(one.expected), str(one.found), verdict)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.demo")
    parser.add_argument("--settings", default="project.settings", help="of the example")
    os.environ["DJANGO_SETTINGS_MODULE"] = parser.parse_args().settings
    console = Console(highlight=False, soft_wrap=True)

    def run() -> int:
        with servers.running(console):
            return 0 if Demo(console).run() else FAILED

    return concluded(console, run)


if __name__ == "__main__":
    sys.exit(main())
