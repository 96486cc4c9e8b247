"""Asks the process that runs a pillow to do something about its checkpoint."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from pillowtop import registry
from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit
from pillowtop.management.database import demand_tables
from pillowtop.records import requests

MEANING = {
    "reset": "reads its database again from 0, then removes from its target what is not there",
    "accept": "goes on from its checkpoint although its filter has changed",
}


class Command(BaseCommand):
    help = "Ask a pillow to start over (reset), or to go on with a changed filter (accept)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=sorted(MEANING))
        parser.add_argument("pillow", help="the pillow's name, as run_ptop --list shows it")
        parser.add_argument("--noinput", action="store_true", help="do not ask")

    def handle(self, verb: str, pillow: str, **options: Any) -> None:
        try:
            name = registry.get_pillow(pillow).name
            demand_tables()
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=Exit.CONFIGURATION) from error
        if not options["noinput"] and not self._confirmed(name, verb):
            raise CommandError(
                "nothing was changed: answer yes, or give --noinput", returncode=Exit.USAGE
            )
        try:
            requests.ask(name, "reset" if verb == "reset" else "accept")
        except DatabaseError as error:
            raise CommandError(f"the Django database does not answer: {error}") from error
        self.stdout.write(
            f"{name} {MEANING[verb]}: within seconds where run_ptop runs it, or at its next start"
        )

    def _confirmed(self, name: str, verb: str) -> bool:
        try:
            answer = input(f"{name} {MEANING[verb]}. Type yes to go on: ")
        except EOFError:  # nobody is there to ask
            return False
        return answer.strip().lower() == "yes"
