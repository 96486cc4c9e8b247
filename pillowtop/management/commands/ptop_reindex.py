"""Moves a pillow to a new index, and what belongs to that."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import msgspec
from django.core.management.base import CommandError

from pillowtop.elastic.moving import Plan
from pillowtop.exits import Exit
from pillowtop.management import moves
from pillowtop.management.ages import age
from pillowtop.management.asking import command_errors, demand_confirmation
from pillowtop.management.database import demand_tables
from pillowtop.management.moves import Aliased, aliased, all_aliased, cluster_indices
from pillowtop.management.moving import move
from pillowtop.management.places import asked
from pillowtop.management.running import RunningCommand

VERBS = {
    "run": "build the new index, verify it, and move the alias to it",
    "plan": "print what run would do",
    "rollback": "move the alias back to the index before",
    "cleanup": "remove indices that no alias and no pillow needs",
    "drift": "show where the cluster differs from the code; exit code 5 where it does",
}


ALLOWED = {
    "run": {"keep", "no_flip", "no_follow", "accept_letters"},
    "plan": {"keep", "format"},
    "rollback": {"format"},
    "cleanup": {"noinput", "dry_run", "format"},
    "drift": {"format"},
}
"""The options of each verb."""


class Command(RunningCommand):
    help = "Move a pillow to a new index under its alias, without a gap. " + "; ".join(
        f"{verb}: {words}" for verb, words in VERBS.items()
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=list(VERBS))
        parser.add_argument(
            "pillow", nargs="?", default="",
            help="its name, as run_ptop --list shows it; cleanup takes none, plan and drift may do "
            "without one",
        )  # fmt: skip
        parser.add_argument(
            "--keep", type=age, default=timedelta(days=1), metavar="AGE",
            help="run: for how long a rollback is to be possible: 90s, 30m, 2h, 7d "
            "(1d)",
        )  # fmt: skip
        parser.add_argument(
            "--no-flip", action="store_true", help="run: build and verify, and move no alias"
        )
        parser.add_argument(
            "--no-follow", action="store_true",
            help="run: end behind the move; until run_ptop of this release runs, nothing changes "
            "in the index",
        )  # fmt: skip
        parser.add_argument(
            "--accept-letters", action="store_true",
            help="run: go on although the new index does not take some documents",
        )  # fmt: skip
        parser.add_argument("--noinput", action="store_true", help="cleanup: do not ask")
        parser.add_argument("--dry-run", action="store_true", help="cleanup: remove nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")
        self._parser = parser

    def runs_pillows(self, argv: list[str]) -> bool:
        return "run" in argv[2:]

    def handle(self, verb: str, pillow: str, **options: Any) -> None:
        if pillow and verb == "cleanup":
            raise CommandError("cleanup takes no pillow", returncode=Exit.USAGE)
        if not pillow and verb in ("run", "rollback"):
            raise CommandError(
                f"{verb} needs the name of a pillow behind it", returncode=Exit.USAGE
            )
        self._demand_options_of(verb, options)
        with command_errors():
            demand_tables()
            getattr(self, f"_{verb}")(pillow, options)

    def _demand_options_of(self, verb: str, options: dict[str, Any]) -> None:
        """What is not heeded would be taken for a promise: `rollback --dry-run` is none."""
        for option in sorted(set().union(*ALLOWED.values()) - ALLOWED[verb]):
            if options[option] != self._parser.get_default(option):
                named = f"--{option.replace('_', '-')}"
                raise CommandError(f"{verb} takes no {named}", returncode=Exit.USAGE)

    def _run(self, name: str, options: dict[str, Any]) -> None:
        move(
            name,
            options["verbosity"],
            keep=options["keep"],
            flips=not options["no_flip"],
            follows=not options["no_follow"],
            takes_letters=options["accept_letters"],
        )

    def _plan(self, name: str, options: dict[str, Any]) -> None:
        indices = cluster_indices()
        plans = [asked(moves.plan_of, one, indices) for one in _chosen(name)]
        if options["format"] == "json":
            body = [
                {
                    "pillow": plan.move.pillow,
                    "alias": plan.move.alias,
                    "from": plan.move.old,
                    "to": plan.move.new,
                    "stage": plan.move.stage.value,
                    "steps": [step.slug for step in plan.steps],
                }
                for plan in plans
            ]
            self.stdout.write(json.dumps(body, indent=2))
            return
        for plan in plans:
            self._print_plan(plan, options["keep"])

    def _print_plan(self, plan: Plan, keep: timedelta) -> None:
        found = plan.move
        if not plan.steps:
            self.stdout.write(f"{found.pillow}: is on {found.new}: nothing to do")
            return
        self.stdout.write(f"{found.pillow}: from {found.old} to {found.new}:")
        for number, line in enumerate(plan.lines(keep), 1):
            self.stdout.write(f"  {number}. {line}")

    def _rollback(self, name: str, options: dict[str, Any]) -> None:
        done = asked(moves.roll_back, aliased(name), cluster_indices())
        self._print(
            options["format"],
            {"pillow": name, "alias": done.alias, "from": done.new, "to": done.old},
            f"{name}: alias {done.alias} is on {done.old} again. Have run_ptop of the release "
            "before run: it writes again what has changed since the move",
        )

    def _cleanup(self, _name: str, options: dict[str, Any]) -> None:
        indices = cluster_indices()
        found = asked(moves.judgements, indices)
        doomed = [one.index for one in found if not one.kept]
        if options["format"] == "text":
            for one in found:
                words = f"kept, as {one.kept}" if one.kept else "not needed"
                self.stdout.write(f"{one.index}: {words}")
        if doomed and not options["dry_run"]:
            demand_confirmation(f"removes {', '.join(doomed)}", noinput=options["noinput"])
            # Somebody may have needed one since.
            still = {one.index for one in asked(moves.judgements, indices) if not one.kept}
            doomed = [index for index in doomed if index in still]
            for index in doomed:
                asked(moves.remove, index, indices)
        removed = [] if options["dry_run"] else doomed
        body = {"indices": msgspec.to_builtins(found), "removed": removed}
        self._print(options["format"], body, f"{len(removed)} removed")

    def _drift(self, name: str, options: dict[str, Any]) -> None:
        indices, body, lines = cluster_indices(), [], []
        for one in _chosen(name):
            index, found = asked(moves.drifts, one, indices)
            drifts = msgspec.to_builtins(found)
            body.append({"pillow": one.name, "index": index, "drift": drifts})
            lines += [f"{one.name}: {index}: {difference}" for difference in found] or [
                f"{one.name}: {index}: as declared"
            ]
        self._print(options["format"], body, "\n".join(lines))
        if any(one["drift"] for one in body):
            raise SystemExit(int(Exit.DIFFERS))

    def _print(self, form: str, body: Any, words: str) -> None:
        self.stdout.write(json.dumps(body, indent=2) if form == "json" else words)


def _chosen(name: str) -> list[Aliased]:
    return [aliased(name)] if name else all_aliased()
