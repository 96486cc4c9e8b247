"""How the command lines of all our commands are read."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

NO_UTF_8 = frozenset(map(chr, range(0xD800, 0xE000)))
"""What stands for bytes that cannot be decoded: neither a database nor a server takes it."""


class PillowCommand(BaseCommand):
    """Takes options and arguments in any order, and no abbreviation of an option."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # An abbreviation that is understood today means something else tomorrow.
        parser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)

        def parse(args: Any = None, namespace: Any = None) -> Any:
            for one in sys.argv[1:] if args is None else args:
                if not NO_UTF_8.isdisjoint(one):
                    parser.error(f"{one!r} is no UTF-8")
            # Or else the ids in `show --pillow=P a b` are "unrecognized arguments".
            return parser.parse_intermixed_args(args, namespace)

        parser.parse_args = parse  # type: ignore[method-assign]
        return parser
