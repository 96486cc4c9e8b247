"""Shows checkpoints, and asks the process that runs a pillow to change one."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from pillowtop import registry
from pillowtop.engine.resuming import Checkpoint, Request, shown
from pillowtop.exits import Exit
from pillowtop.management import tables
from pillowtop.management.asking import command_errors, demand_confirmation
from pillowtop.management.database import demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.management.places import Place, told
from pillowtop.records import requests

VALUES = {"set": "SEQ", "rewind": "AGE", "restore": "NUMBER or FILE"}
"""What a verb needs besides the pillow; `backup` and `import` may have something."""

MEANING = {
    "reset": "reads its database again from 0, then removes from its target what is not there",
    "accept": "goes on from its checkpoint although its filter has changed",
}
READERS = ("show", "backup")
MOVERS = ("set", "rewind", "restore", "to-head", "import")


class Command(PillowCommand):
    help = "Show a pillow's checkpoint, or have the process that runs the pillow change it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=[*READERS, *sorted(MEANING), *MOVERS])
        parser.add_argument("pillow", help="the pillow's name, as run_ptop --list shows it")
        parser.add_argument(
            "value",
            nargs="?",
            default="",
            help="set: a seq. rewind: 90s, 30m, 2h, 7d. restore: a number that show lists, or the "
            "file of a backup. import: the id of the original's checkpoint, where it left several",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="of show")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be asked for, and do not ask"
        )
        parser.add_argument("--noinput", action="store_true", help="do not ask for confirmation")

    def handle(self, verb: str, pillow: str, value: str, **options: Any) -> None:
        _check_value(verb, value)
        with command_errors():
            found = registry.get_pillow(pillow)
            demand_tables()
            if verb in MEANING:
                self._ask(found.name, Request(verb), MEANING[verb], options)
                return
            place = Place(found)
            if verb == "show":
                self._show(place, options["format"])
            elif verb == "backup":
                self.stdout.write(place.backup())
            else:
                self._move(place, verb, value, options)

    def _show(self, place: Place, form: str) -> None:
        memories = {"CouchDB": self._in_couch(place), "Django": place.in_django()}
        past = place.past()
        if form == "json":
            body = {
                "pillow": place.name,
                "stream": place.stream,
                "checkpoints": {where: _fields(one) for where, one in memories.items()},
                "past": [{**one._asdict(), "noted_at": told(one.noted_at)} for one in past],
            }
            self.stdout.write(json.dumps(body, indent=2))
            return
        for where, one in memories.items():
            self.stdout.write(f"{place.name} in {place.stream}, as {where} has it:")
            for name, value in (_fields(one) or {"seq": None}).items():
                self.stdout.write(f"    {name}: {value}")
        rows = [
            {
                "number": one.number,
                "noted at": told(one.noted_at),
                "seq": shown(one.seq),
                "before": one.verb,
            }
            for one in past
        ]
        if rows:
            self.stdout.write(f"\n{tables.text(['number', 'noted at', 'seq', 'before'], rows)}")

    def _in_couch(self, place: Place) -> Checkpoint | None:
        """CouchDB's; None, and why on stderr, where it does not answer."""
        try:
            return place.in_couch()
        except CommandError as error:
            self.stderr.write(str(error))
            return None

    def _move(self, place: Place, verb: str, value: str, options: dict[str, Any]) -> None:
        names = {"to-head": place.to_head, "import": place.import_}
        try:
            request = (names.get(verb) or getattr(place, verb))(value)
        except ArgumentTypeError as error:
            raise CommandError(str(error), returncode=Exit.USAGE) from error
        self._ask(place.name, request, _consequence(place, request), options)

    def _ask(self, name: str, request: Request, what: str, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            self.stdout.write(f"{name} {what}\nnot asked for, as this is a dry run")
            return
        demand_confirmation(f"{name} {what}", noinput=options["noinput"])
        requests.ask(name, request)
        if options["noinput"]:
            self.stdout.write(f"{name} {what}")
        self.stdout.write(
            f"asked for: within seconds where run_ptop runs {name}, or at its next start"
        )


def _check_value(verb: str, value: str) -> None:
    if verb in VALUES and not value:
        raise CommandError(
            f"{verb} needs {VALUES[verb]} behind the pillow's name", returncode=Exit.USAGE
        )
    if value and verb not in VALUES and verb != "import":
        raise CommandError(
            f"{verb} takes nothing but a pillow, not {value!r}", returncode=Exit.USAGE
        )


def _consequence(place: Place, request: Request) -> str:
    if request.seq is None:
        raise CommandError(f"what {request.verb} would take {place.name} to has no seq")
    words = f"goes on from {shown(request.seq)}"
    if place.database is not None:
        current = place.in_django() or place.in_couch()
        ahead = place.pending(request.seq)
        words += f", which has {ahead} changes ahead of it"
        if current is not None:
            words += f" (its position now has {place.pending(current.seq)})"
    if request.verb in ("set", "to-head", "import"):
        words += (
            ". What changed before that and was not delivered is never delivered, unless it "
            "changes again: ptop_checkpoint reset reads everything"
        )
    if request.verb == "import":
        words += ". The original's position ran ahead of what it had delivered"
    return words


def _fields(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    return {name: getattr(checkpoint, name) for name in checkpoint.__struct_fields__}
