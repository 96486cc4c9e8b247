"""The original's command for indices; its steps are those of `ptop_reindex`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from pillowtop.elastic.indices import Indices
from pillowtop.elastic.moving import serving
from pillowtop.engine.moves import Stage
from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit
from pillowtop.management import moves, tables
from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_tables
from pillowtop.management.moves import Aliased, aliased, all_aliased, cluster_indices
from pillowtop.management.moving import move
from pillowtop.management.places import asked
from pillowtop.management.running import RunningCommand

LISTED = ("pillow", "alias", "index", "state")
INFORMED = (*LISTED, "documents", "size")
IN_PLACE, NEEDS_REINDEX, NO_INDEX = "OK", "needs reindex", "no index yet"


class Command(RunningCommand):
    help = (
        "Show the indices of pillows, or move aliases to those that are built. (Without an option: "
        "--info.)"
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="list pillows and their indices")
        what.add_argument(
            "--info", action="store_true", help="the same, with what is in the indices"
        )
        what.add_argument(
            "--flip_alias",
            metavar="PILLOW",
            help="move its alias to the index that is built for it",
        )
        what.add_argument(
            "--flip_all_aliases", action="store_true", help="do so for all whose index is built"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def runs_pillows(self, argv: list[str]) -> bool:
        return any(one.startswith(("--flip_alias", "--flip_all_aliases")) for one in argv)

    def handle(self, **options: Any) -> None:
        with command_errors():
            demand_tables()
            indices = cluster_indices()
            if options["flip_alias"]:
                self._flip([aliased(options["flip_alias"])], indices, options)
            elif options["flip_all_aliases"]:
                self._flip(
                    [one for one in all_aliased() if asked(_state, one, indices) == NEEDS_REINDEX],
                    indices,
                    options,
                )
            else:
                columns = LISTED if options["list"] else INFORMED
                rows = [asked(_row, one, indices) for one in all_aliased()]
                self._print(columns, rows, options["format"])

    def _flip(self, chosen: list[Aliased], indices: Indices, options: dict[str, Any]) -> None:
        for one in chosen:
            stage = asked(moves.plan_of, one, indices).move.stage
            if stage not in (Stage.READY, Stage.FLIPPING, Stage.FLIPPED):
                raise CommandError(
                    f"{one.name}: index {one.target.index} is not built yet: manage.py "
                    f"ptop_reindex run {one.name} --no-flip",
                    returncode=Exit.UNHEALTHY,
                )
        for one in chosen:
            move(one.name, options["verbosity"], follows=False)

    def _print(self, columns: tuple[str, ...], rows: list[dict[str, Any]], form: str) -> None:
        if form == "json":
            self.stdout.write(json.dumps([{key: row[key] for key in columns} for row in rows]))
        else:
            self.stdout.write(tables.text(columns, rows))


def _row(one: Aliased, indices: Indices) -> dict[str, Any]:
    """What there is to say of a pillow's index; with the index that its alias is on now."""
    found = indices.find(one.target.alias)
    index, state = "", _state(one, indices)
    if state != NO_INDEX:
        index = serving(one.target.alias, found).name
    size = indices.sizes(index).get(index) if index else None
    return {
        "pillow": one.name,
        "alias": one.target.alias,
        "index": index,
        "state": state,
        "documents": size.documents if size else None,
        "size": f"{size.size_bytes / 1e6:,.1f} MB" if size else None,
    }


def _state(one: Aliased, indices: Indices) -> str:
    try:
        found = serving(one.target.alias, indices.find(one.target.alias))
    except ConfigurationError:
        return NO_INDEX
    return IN_PLACE if found.name == one.target.index else NEEDS_REINDEX
