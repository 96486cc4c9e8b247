"""How the command lines of all our commands are read."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class PillowCommand(BaseCommand):
    """Takes options and arguments in any order, and no abbreviation of an option."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # An abbreviation that is understood today means something else tomorrow.
        parser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)
        # Or else the ids in `show --pillow=P a b` are "unrecognized arguments".
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser
