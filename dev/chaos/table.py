"""python -m dev.chaos.table FILE...: what the runs of these files tried how often, as Markdown."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dev.chaos import report
from dev.chaos.faults import FAULTS
from dev.chaos.kills import POINTS
from dev.chaos.report import Line


def table(lines: Iterable[Line]) -> Iterator[str]:
    """Two tables and the closing line."""
    lines = list(lines)
    yield "| fault | runs | alone | did harm in | times |\n|---|---|---|---|---|"
    for name in FAULTS:
        those = [one for one in lines if name in one.faults]
        alone = sum(len(one.faults) == 1 for one in those)
        times = [one.bites.get(name, 0) for one in those]
        yield f"| {name} | {len(those)} | {alone} | {sum(map(bool, times))} | {sum(times)} |"
    yield "\n| killed | times |\n|---|---|"
    yield from _kills(_killed(lines))
    hours = sum(one.seconds for one in lines) / 3600
    slowest = max((one.catch_up_seconds for one in lines), default=0.0)
    yield f"\n{hours:.1f} hours of runs; in step again after {slowest:.0f} s at most\n"
    yield report.summary(lines)


def _killed(lines: Iterable[Line]) -> Counter[str]:
    killed: Counter[str] = Counter()
    for one in lines:
        killed.update(one.killed)
    return killed


def _kills(killed: Mapping[str, int]) -> Iterator[str]:
    servers = sorted(killed.keys() - set(POINTS))
    for name in [*POINTS, *servers]:
        yield f"| {f'the worker, {name}' if name in POINTS else name} | {killed.get(name, 0)} |"


def main(paths: list[str]) -> None:
    lines = [one for path in paths for one in report.kept(Path(path))]
    sys.stdout.write("\n".join(table(lines)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
