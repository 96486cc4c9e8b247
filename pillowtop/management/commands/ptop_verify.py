"""Compares a pillow's target with its database, and has differences repaired."""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.management.base import CommandError

from pillowtop import registry
from pillowtop.engine.comparing import Sight
from pillowtop.engine.moves import Stage
from pillowtop.exits import Exit
from pillowtop.listener import BasicPillow
from pillowtop.management.ages import age, seconds_to_wait
from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_tables
from pillowtop.management.moves import aliased, build_of
from pillowtop.management.parsing import PillowCommand
from pillowtop.management.places import Place, asked
from pillowtop.management.progress import Progress
from pillowtop.records import moves, reruns
from pillowtop.verification.scopes import Everything, Sample, Scope, Since
from pillowtop.verification.sides import Sides
from pillowtop.verification.standpoint import Standpoint
from pillowtop.verification.verdicts import difference_line, summary
from pillowtop.verification.verifier import Verdict, Verifier

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.2


class Command(PillowCommand):
    help = "Compare what a pillow's index holds with its database. Exit code 5 where they differ."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pillow", help="the pillow's name, as run_ptop --list shows it")
        part = parser.add_mutually_exclusive_group()
        part.add_argument(
            "--sample", type=_count, metavar="N", help="compare about N documents, drawn at random"
        )
        part.add_argument(
            "--since",
            type=_age,
            metavar="AGE",
            help="compare what has changed since 90s, 30m, 2h or 7d ago",
        )
        parser.add_argument(
            "--build",
            action="store_true",
            help="compare the index that ptop_reindex builds, in place of the one that serves",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="have the process that runs the pillow write again what differs",
        )
        parser.add_argument(
            "--wait",
            type=seconds_to_wait,
            default=PATIENCE_SECONDS,
            metavar="SECONDS",
            help="for how long at most to look again at what the pillow has not delivered yet, "
            f"and to wait for repairs ({PATIENCE_SECONDS:.0f})",
        )
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="of what is printed"
        )

    def handle(self, pillow: str, **options: Any) -> None:
        with command_errors():
            found = _chosen(pillow, build=options["build"])
            demand_tables()
            progress = Progress(found.name)
            sides = Sides(found, progress.add)
            standpoint = Standpoint(found.name, sides.database)
            _demand_whole(sides, options)
            scope = _scope(found, options)
            with progress, Verifier(sides, standpoint, options["wait"]) as verifier:
                verdict = asked(self._verify, verifier, scope, progress, options)
        if verdict.differences:
            raise SystemExit(int(Exit.DIFFERS))
        if verdict.letters or (verdict.backlog and not standpoint.is_run()):
            raise SystemExit(int(Exit.UNHEALTHY))

    def _verify(
        self, verifier: Verifier, scope: Scope, progress: Progress, options: dict[str, Any]
    ) -> Verdict:
        began, sides, repaired = time.monotonic(), verifier.sides, 0
        progress.expect(scope.documents(sides.measure()))
        verifier.compare(scope)
        seconds, compared = time.monotonic() - began, progress.count
        verdict = verifier.verdict(compared)
        if options["repair"] and verdict.differences:
            repaired = verdict.differences
            self._repair(sides.pillow.name, verifier, options["wait"])
            verifier.compare_again()
            verdict = verifier.verdict(compared)
            repaired -= verdict.differences
        progress.stop()
        self._print(verifier, verdict, repaired, seconds, options["format"])
        return verdict

    def _repair(self, name: str, verifier: Verifier, wait_seconds: float) -> None:
        """Queue what differs, and wait until that is done."""
        ticket = reruns.new_ticket()
        unaskable = 0
        for sights in verifier.differences():
            # PostgreSQL takes no NUL in a text.
            doc_ids = [one.doc_id for one in sights if "\0" not in one.doc_id]
            reruns.ask(ticket, name, doc_ids, clears=True)
            unaskable += len(sights) - len(doc_ids)
        if unaskable:
            self.stderr.write(
                f"{name}: {unaskable} documents cannot be queued, as their ids have a NUL: change "
                "them in CouchDB, or start the pillow over (manage.py ptop_checkpoint reset)"
            )
        deadline, left = time.monotonic() + wait_seconds, reruns.left(ticket)
        while left and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            before, left = left, reruns.left(ticket)
            if left < before:  # somebody does it
                deadline = time.monotonic() + wait_seconds
        if left:
            self.stderr.write(
                f"{name}: {left} documents are queued to be written again: the process that runs "
                "the pillow does it, and if none does, the next one will (manage.py run_ptop)"
            )

    def _print(
        self, verifier: Verifier, verdict: Verdict, repaired: int, seconds: float, form: str
    ) -> None:
        differences = (one for sights in verifier.differences() for one in sights)
        if form == "json":
            self._print_json(differences, verdict, repaired, seconds)
            return
        for one in differences:
            self.stdout.write(difference_line(one))
        self.stdout.write(summary(verdict, repaired, seconds))

    def _print_json(
        self, differences: Iterator[Sight], verdict: Verdict, repaired: int, seconds: float
    ) -> None:
        """One object, written as it comes: there may be millions of differences."""
        head = msgspec.structs.asdict(verdict) | {
            "repaired": repaired,
            "seconds": round(seconds, 1),
        }
        text = msgspec.json.format(msgspec.json.encode(head)).decode()
        self.stdout.write(text.rstrip("}").rstrip() + ',\n  "differences": [', ending="")
        for number, one in enumerate(differences):
            line = {"kind": one.difference, **msgspec.to_builtins(one)}
            self.stdout.write(
                (",\n" if number else "\n") + "    " + msgspec.json.encode(line).decode(), ending=""
            )
        self.stdout.write("\n  ]\n}")


def _chosen(name: str, *, build: bool) -> BasicPillow:
    if not build:
        return registry.get_pillow(name)
    one = aliased(name)
    move = moves.of(name, one.target.index)
    if move is None or move.stage not in (Stage.BUILDING, Stage.READY):
        raise CommandError(
            f"{name}: no index is being built for it: manage.py ptop_reindex run {name} --no-flip",
            returncode=Exit.CONFIGURATION,
        )
    return build_of(one)


def _scope(pillow: BasicPillow, options: dict[str, Any]) -> Scope:
    if options["sample"]:
        return Sample(options["sample"], random.Random())  # noqa: S311  (no secret)
    if options["since"]:
        past = Place(pillow).past_from(options["since"], "Without --since everything is compared")
        return Since(past.seq)
    return Everything()


def _demand_whole(sides: Sides, options: dict[str, Any]) -> None:
    if sides.is_filtered and (options["sample"] or options["since"] or options["repair"]):
        raise CommandError(
            f"{sides.pillow.name} has a filter in CouchDB, which cannot be asked about "
            "single documents: leave out --sample, --since and --repair. What differs is mended "
            "by starting the pillow over (ptop_checkpoint reset)",
            returncode=Exit.CONFIGURATION,
        )


def _age(text: str) -> str:
    age(text)
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of documents: say 1000")
    return int(text)
