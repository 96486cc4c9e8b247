"""python -m dev.reindex_demo: moves a pillow to a new index, while there are writers and a reader.

Ends with one line, and with exit code 0 only where no read failed or was short, and nothing
differs.
"""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console

from dev.demo import servers
from dev.demo.ending import FAILED, concluded
from dev.reindex_demo.demo import Plan, ReindexDemo


def main() -> int:
    plan = parse_arguments()
    os.environ["DJANGO_SETTINGS_MODULE"] = "dev.reindex_demo.settings"
    console = Console(highlight=False, soft_wrap=True)

    def run() -> int:
        with servers.running(console):
            result = ReindexDemo(plan, console).run()
        console.print(str(result))
        return 0 if result.is_good else FAILED

    return concluded(console, run)


def parse_arguments() -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m dev.reindex_demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--documents", type=int, default=100_000, help="how many there are (default: 100000)")
    add("--rate", type=float, default=500, help="writes a second meanwhile (default: 500)")
    add("--lag", type=float, default=10, metavar="SECONDS",
        help="for how long a write may be in flight (default: 10)")  # fmt: skip
    given = parser.parse_args()
    return Plan(given.documents, given.rate, given.lag)


if __name__ == "__main__":
    sys.exit(main())
