"""Asks the process that runs a pillow to do something about its checkpoint."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from pillowtop import registry
from pillowtop.management.asking import command_errors, demand_confirmation
from pillowtop.management.database import demand_tables
from pillowtop.management.parsing import PillowCommand
from pillowtop.records import requests

MEANING = {
    "reset": "reads its database again from 0, then removes from its target what is not there",
    "accept": "goes on from its checkpoint although its filter has changed",
}


class Command(PillowCommand):
    help = "Ask a pillow to start over (reset), or to go on with a changed filter (accept)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=sorted(MEANING))
        parser.add_argument("pillow", help="the pillow's name, as run_ptop --list shows it")
        parser.add_argument("--noinput", action="store_true", help="do not ask")

    def handle(self, verb: str, pillow: str, **options: Any) -> None:
        with command_errors():
            name = registry.get_pillow(pillow).name
            demand_tables()
            demand_confirmation(f"{name} {MEANING[verb]}", noinput=options["noinput"])
            requests.ask(name, "reset" if verb == "reset" else "accept")
        self.stdout.write(
            f"{name} {MEANING[verb]}: within seconds where run_ptop runs it, or at its next start"
        )
