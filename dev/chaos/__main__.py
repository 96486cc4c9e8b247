"""python -m dev.chaos: short runs full of faults, chosen by a seed; each is compared to the end.

Exits 0 only where every run ended in step. What each came to is added to build/chaos/runs.jsonl,
so that runs of several commands add up. docs/reliability.md says more.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from dev.chaos import ROOT, report
from dev.chaos.faults import FAULTS
from dev.chaos.plan import plan
from dev.chaos.run import run
from dev.chaos.stage import find_servers
from dev.demo.interruption import heed_signals
from dev.servers import MissingTool, ServerError

FAILED = 1
MISCONFIGURED = 3
INTERRUPTED = 130


def main() -> int:
    arguments = parse_arguments()
    heed_signals()
    console = Console(highlight=False, soft_wrap=True)
    try:
        return chaos(arguments, console)
    except KeyboardInterrupt:
        return INTERRUPTED
    except MissingTool as error:
        console.print(escape(str(error)))
        return MISCONFIGURED
    except ServerError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return FAILED


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="decides the faults, and when they come")
    parser.add_argument("--runs", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--first", type=int, default=1, help="the number of the first (default: 1)")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this, or these")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "chaos", help="of data, logs and results"
    )
    return parser.parse_args()


def chaos(arguments: argparse.Namespace, console: Console) -> int:
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"seed {seed}; data, logs and results are in {folder}")
    lines = []
    servers = find_servers(folder)
    with servers.running():
        for number in range(arguments.first, arguments.first + arguments.runs):
            one = plan(seed, number, arguments.fault or ())
            result = run(servers, one, f"chaos-{seed}-{number}")
            lines.append(report.line(seed, number, result))
            report.keep(folder / "runs.jsonl", lines[-1])
            words = "in step" if result.passed else "[red]NOT in step[/]"
            console.print(f"{number:4} {result.seconds:5.1f} s  {words}  {escape(str(one))}")
            for name in result.idle:
                console.print(f"       {name} did nothing")
            for problem in result.problems:
                console.print(f"       {escape(problem)}")
            if not result.passed:
                _keep_log(servers.folder, number)
                console.print(f"       repeat it: {_command(seed, number, arguments.fault)}")
    every = report.kept(folder / "runs.jsonl")
    if len(every) > len(lines):
        console.print(f"with those of earlier commands: {report.summary(every)}")
    console.print(report.summary(lines))
    return FAILED if any(one.problems for one in lines) else 0


def _command(seed: int, number: int, faults: list[str] | None) -> str:
    if not faults:
        return f"make chaos SEED={seed} FIRST={number} RUNS=1"
    chosen = " ".join(f"--fault '{name}'" for name in faults)
    return f".venv/bin/python -m dev.chaos --seed {seed} --first {number} --runs 1 {chosen}"


def _keep_log(folder: Path, number: int) -> None:
    run_folder = folder / "run"
    if run_folder.exists():
        run_folder.rename(folder / f"failed-{number}-{secrets.token_hex(2)}")


if __name__ == "__main__":
    sys.exit(main())
