"""python -m dev.soak: hours of writing while worker and servers are killed.

Exits 0 only where everything was in step, each time. Logs and the report are in build/soak/.
docs/reliability.md says more.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
from pathlib import Path

from rich.console import Console

from dev.demo.ending import FAILED, INTERRUPTED, concluded
from dev.soak import ROOT, report
from dev.soak.display import Display
from dev.soak.places import find_places
from dev.soak.soak import Plan, Soak


def main() -> int:
    arguments = parse_arguments()
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    console = Console(highlight=False, soft_wrap=True)
    minutes = arguments.minutes or arguments.hours * 60
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    plan = Plan(seed, minutes * 60, arguments.patience, arguments.folder.resolve())
    return concluded(console, lambda: soak(plan, console))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hours", type=float, default=1.0, help="for how long (default: 1)")
    parser.add_argument("--minutes", type=float, help="the same, in minutes")
    parser.add_argument("--seed", type=int, help="decides what is written, and what is done")
    parser.add_argument(
        "--patience", type=float, default=180.0, help="seconds to be in step within (default: 180)"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "soak", help="of data, logs and report"
    )
    return parser.parse_args()


def soak(plan: Plan, console: Console) -> int:
    logs = plan.folder / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    display = Display(console, logs / "soak.log")
    places = find_places(plan.folder)
    for name in places.given:
        display.say(f"{name} is given: it is neither killed nor stopped")
    display.say(f"seed {plan.seed}, {plan.seconds / 60:g} minutes; logs are in {logs}")
    one = Soak(plan, places, display)
    one.run()
    path = plan.folder / "report.json"
    report.save(one.report, path)
    console.print(report.table(one.report))
    console.print(f"written to {path}; logs are in {logs}")
    if one.report.problems:
        return FAILED
    return INTERRUPTED if one.report.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
