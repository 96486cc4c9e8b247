"""Fills in the past of a statistic."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.utils.module_loading import import_string

from pillowtop.management.asking import command_errors
from pillowtop.management.database import demand_tables
from pillowtop.management.logs import set_up_logging
from pillowtop.management.running import RunningCommand, demand_patched
from pillowtop.stats.history import EVER
from pillowtop.stats.times import microseconds


class Command(RunningCommand):
    help = (
        "Compute a statistic anew from all messages in the feed, while its pillow goes on with the "
        "others. Interrupted, it goes on where it was when it is typed again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("statistic", help="its ident, as in volume-1m")
        parser.add_argument(
            "--since", type=_time, default=EVER, metavar="TIME",
            help="leave windows as they are that end by then: 2026-11-26, "
            "2026-11-26T08:00:00+01:00 (all)",
        )  # fmt: skip
        parser.add_argument(
            "--history", type=_history, metavar="PATH",
            help="a function that gives messages from elsewhere, too: shop.archive.messages",
        )  # fmt: skip

    def handle(self, statistic: str, **options: Any) -> None:
        from pillowtop.stats.management.filling import Fill, pillow_of  # noqa: PLC0415  (numpy)

        with command_errors():
            demand_tables()
            pillow = pillow_of(statistic)
            kind = pillow.get_plugins()[statistic]
            demand_patched()
            set_up_logging(options["verbosity"])
            taken = Fill(pillow, kind, options["since"], options["history"]).run()
        self.stdout.write(f"{statistic}: {taken.windows} windows are computed anew")
        if taken.missing:
            self.stdout.write(
                f"{taken.missing} messages that {pillow.name} has counted are not in the feed any "
                "more, and so not in them"
            )


def _time(text: str) -> int:
    try:
        since = microseconds(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if since > time.time() * 1_000_000:
        raise ArgumentTypeError(f"{text} is still to come: nothing has happened since then")
    return since


def _history(path: str) -> Any:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ArgumentTypeError(str(error)) from error
    if not callable(found):
        raise ArgumentTypeError(f"{path} is no function")
    return found
