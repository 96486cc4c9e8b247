"""Shows dead letters, has them tried again, and removes them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import islice
from typing import Any

from pillowtop import registry
from pillowtop.conf import suggestion
from pillowtop.engine.letters import STAGES
from pillowtop.exceptions import ConfigurationError
from pillowtop.management import tables
from pillowtop.management.ages import age
from pillowtop.management.asking import command_errors, demand_confirmation
from pillowtop.management.database import demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.records import chosen_letters
from pillowtop.records.chosen_letters import Choice

COLUMNS = ["pillow", "document", "stage", "type", "attempts", "first at", "next attempt", "reason"]
LISTED = 100
REASON = 80


class Command(PillowCommand):
    help = "Show dead letters, have them tried again, or remove them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["list", "show", "retry", "purge", "export"])
        parser.add_argument("doc_id", nargs="*", help="those of these documents; of all if none")
        parser.add_argument("--pillow", default="", help="those of one pillow")
        parser.add_argument("--type", default="", help="those of one type of error, as KeyError")
        parser.add_argument("--stage", default="", choices=STAGES, help="those that failed there")
        parser.add_argument(
            "--older-than", type=age, metavar="AGE", help="first failed before 90s, 30m, 2h or 7d"
        )
        parser.add_argument("--newer-than", type=age, metavar="AGE", help="first failed since then")
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="of what list and show print"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what retry and purge would do, and do not"
        )
        parser.add_argument("--noinput", action="store_true", help="do not ask before a purge")

    def handle(self, verb: str, **options: Any) -> None:
        choice = Choice(
            doc_ids=options["doc_id"],
            pillow=options["pillow"],
            error_type=options["type"],
            stage=options["stage"],
            older_than=options["older_than"],
            newer_than=options["newer_than"],
        )
        verbs: dict[str, Callable[..., None]] = {
            "list": self._list,
            "show": self._show,
            "retry": self._retry,
            "purge": self._purge,
            "export": self._export,
        }
        with command_errors():
            demand_tables()
            _demand_known(choice)
            verbs[verb](choice, options)

    def _list(self, choice: Choice, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self._print_json([_without_traceback(row) for row in chosen_letters.rows(choice)])
            return
        rows = [_brief(row) for row in islice(chosen_letters.rows(choice), LISTED)]
        if rows:
            self.stdout.write(tables.text(COLUMNS, rows) + "\n\n")
        self._tell_tally(choice)

    def _show(self, choice: Choice, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self._print_json(list(chosen_letters.rows(choice)))
            return
        for row in chosen_letters.rows(choice):
            for name, value in row.items():
                self.stdout.write(f"{name}: {_indented(value)}")
            self.stdout.write("")
        self._tell_tally(choice)

    def _export(self, choice: Choice, options: dict[str, Any]) -> None:
        for row in chosen_letters.rows(choice):
            self.stdout.write(json.dumps(row, default=_as_text))

    def _retry(self, choice: Choice, options: dict[str, Any]) -> None:
        self._tell_tally(choice)
        if options["dry_run"]:
            return
        total = sum(chosen_letters.tally(choice).values())
        due = chosen_letters.have_retried(choice)
        if due:
            self.stdout.write(
                f"{due} due now: the process that runs the pillow tries them within seconds, and "
                "if none does, the next one will (manage.py run_ptop). What fails again stays here"
            )
        if total > due:
            self.stdout.write(
                f"{total - due} cannot be tried again: all that is known of them is a line of the "
                "feed, or an id that the Django database does not take"
            )

    def _purge(self, choice: Choice, options: dict[str, Any]) -> None:
        keys = chosen_letters.keys(choice)
        self._tell_tally(choice)
        if not keys or options["dry_run"]:
            return
        demand_confirmation(
            f"Removes dead letters: {len(keys)}. Their documents stay out of the target until they "
            "change, and nothing remembers them",
            noinput=options["noinput"],
        )
        self.stdout.write(f"removed {chosen_letters.purge(choice, keys)}")

    def _tell_tally(self, choice: Choice) -> None:
        tally = chosen_letters.tally(choice)
        if not tally:
            others = chosen_letters.tally(Choice()).total()
            passed_over = f" of these; {others} in all (ptop_errors list)" if others else ""
            self.stdout.write(f"no dead letters{passed_over}")
            return
        for (pillow, stage, error_type), count in sorted(tally.items()):
            self.stdout.write(f"{count} of {pillow} at {stage}: {error_type}")
        if tally.total() > LISTED:
            self.stdout.write(f"{tally.total()} in all")

    def _print_json(self, rows: list[dict[str, Any]]) -> None:
        self.stdout.write(json.dumps(rows, indent=2, default=_as_text))


def _demand_known(choice: Choice) -> None:
    """A pillow that was taken out of PILLOWTOPS may have letters left."""
    if not choice.pillow:
        return
    known = {entry.name for entry in registry.entries()} | chosen_letters.names()
    if choice.pillow not in known:
        raise ConfigurationError(
            f"no pillow is called {choice.pillow!r}{suggestion(choice.pillow, sorted(known))}, and "
            "none of that name has dead letters"
        )


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    reason = " ".join(row["reason"].split())
    return {
        "pillow": row["pillow"],
        "document": row["doc_id"],
        "stage": row["stage"],
        "type": row["error_type"],
        "attempts": row["attempts"],
        "first at": _as_text(row["first_at"]),
        "next attempt": _as_text(row["next_attempt_at"]),
        "reason": reason if len(reason) <= REASON else f"{reason[: REASON - 1]}…",
    }


def _without_traceback(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "traceback"}


def _indented(value: Any) -> str:
    return _as_text(value).rstrip().replace("\n", "\n    ")


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else str(value)
