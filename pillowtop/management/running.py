"""Commands that run pillows: in a process that gevent has patched from its start."""

from __future__ import annotations

from django.core.management.base import CommandError

from pillowtop.management.parsing import PillowCommand
from pillowtop.worker import boot

HELP = frozenset({"-h", "--help"})


class RunningCommand(PillowCommand):
    """Starts itself again, patched, in the same process."""

    def runs_pillows(self, argv: list[str]) -> bool:
        """Whether this command line does; others need nothing of it."""
        return True

    def run_from_argv(self, argv: list[str]) -> None:
        if self.runs_pillows(argv) and not boot.is_patched() and HELP.isdisjoint(argv):
            boot.restart_patched(argv)
        super().run_from_argv(argv)


def demand_patched() -> None:
    """Raise `CommandError` where a command is called within another process than its own."""
    if not boot.is_patched():
        raise CommandError(
            "this runs pillows in a process of its own: start it from the command line "
            "(manage.py …), not by call_command"
        )
