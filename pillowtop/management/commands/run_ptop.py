"""Runs pillows: the command that supervisord keeps alive."""

from __future__ import annotations

import json
import logging
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from pillowtop import registry
from pillowtop.checks import demand_own_targets, demand_privacy, misspelt
from pillowtop.conf import Configuration, configuration
from pillowtop.endpoints import Address
from pillowtop.exceptions import ConfigurationError
from pillowtop.exits import Exit
from pillowtop.listener import BasicPillow
from pillowtop.management import tables
from pillowtop.management.database import demand_tables
from pillowtop.management.logs import set_up_logging
from pillowtop.management.running import RunningCommand, demand_patched
from pillowtop.records import positions

logger = logging.getLogger(__name__)


class Command(RunningCommand):
    help = "Follow change feeds and deliver documents: all pillows, a group, or one."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--all", action="store_true", help="run all pillows of PILLOWTOPS")
        what.add_argument(
            "--pillow-key", metavar="KEY", help="run the pillows of a group, or one by its name"
        )
        what.add_argument("--list", action="store_true", help="list the pillows, and run none")
        what.add_argument(
            "--list-checkpoints", action="store_true", help="list the positions last saved"
        )
        parser.add_argument(
            "--until-caught-up",
            action="store_true",
            help="stop when everything is delivered; exit code 4 if dead letters remain, or if a "
            "pillow stands by",
        )
        parser.add_argument(
            "--status-bind",
            type=_address,
            metavar="HOST:PORT",
            help="serve /live, /ready, /status and /metrics there, as at 127.0.0.1:9100; to "
            "anyone who can connect",
        )
        parser.add_argument(
            "--format", choices=["text", "json"], default="text", help="of what is listed"
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["list"]:
                self._list(options["format"])
            elif options["list_checkpoints"]:
                self._list_checkpoints(options["format"])
            elif options["all"] or options["pillow_key"] is not None:
                self._run(
                    options["pillow_key"],
                    options["verbosity"],
                    follow=not options["until_caught_up"],
                    status_bind=options["status_bind"],
                )
            else:
                raise CommandError(
                    "say what to run: --all, or --pillow-key=KEY; --list names the pillows",
                    returncode=Exit.USAGE,
                )
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=Exit.CONFIGURATION) from error

    def _list(self, form: str) -> None:
        rows = [
            {"group": entry.group, "pillow": entry.name, "class": entry.path}
            for entry in registry.select(None)
        ]
        self._print(["group", "pillow", "class"], rows, form)

    def _list_checkpoints(self, form: str) -> None:
        demand_tables()
        rows = []
        for entry in registry.select(None):
            rows += [
                {"pillow": entry.name, "stream": stream, "seq": found.seq, "saved_at": saved_at}
                for stream, found, saved_at in positions.recall_all(entry.name)
            ] or [{"pillow": entry.name, "stream": "", "seq": None, "saved_at": ""}]
        self._print(["pillow", "stream", "seq", "saved_at"], rows, form)

    def _run(
        self, key: str | None, verbosity: int, *, follow: bool, status_bind: Address | None
    ) -> None:
        settings = configuration()
        pillows = [entry.pillow() for entry in registry.select(key)]
        demand_privacy(settings, pillows)
        demand_own_targets(pillows)
        demand_tables()
        demand_patched()
        set_up_logging(verbosity)
        _warn_of_misspelt(pillows)
        code = self._launch(pillows, settings, follow=follow, status_bind=status_bind)
        if code:
            raise SystemExit(int(code))

    @staticmethod
    def _launch(pillows: list[Any], settings: Configuration, **options: Any) -> Exit:
        from pillowtop.worker.launcher import launch  # noqa: PLC0415  (imports gevent)

        return launch(pillows, settings, **options)

    def _print(self, columns: list[str], rows: list[dict[str, Any]], form: str) -> None:
        if form == "json":
            self.stdout.write(json.dumps(rows, indent=2))
        else:
            self.stdout.write(tables.text(columns, rows))


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _warn_of_misspelt(pillows: list[BasicPillow]) -> None:
    for pillow in pillows:
        for words in misspelt(pillow):
            extra = {"action": "misspelt", "pillow": pillow.name}
            logger.warning("%s", words, extra=extra)
