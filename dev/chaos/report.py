"""What runs have come to: a line a run in a file, and one line for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dev.chaos.run import Result

BAD = ("lost", "stale", "resurrected", "stuck")


class Line(msgspec.Struct, frozen=True):
    """One run, as the file has it."""

    seed: int
    number: int
    faults: list[str]
    kills: int
    documents: int
    seconds: float
    catch_up_seconds: float
    counts: dict[str, int]
    problems: list[str]
    killed: dict[str, int] = {}
    """By server, and by the point of the worker's work."""
    bites: dict[str, int] = {}
    """How often each fault did harm."""


def line(seed: int, number: int, result: Result) -> Line:
    return Line(
        seed=seed,
        number=number,
        faults=list(result.plan.faults),
        kills=result.killed.total(),
        documents=result.plan.documents,
        seconds=round(result.seconds, 1),
        catch_up_seconds=round(result.catch_up_seconds, 1),
        counts=dict(result.counts),
        problems=result.problems,
        killed=dict(result.killed),
        bites=result.bites,
    )


def keep(path: Path, one: Line) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(one) + b"\n")


def kept(path: Path) -> list[Line]:
    """All runs of all commands, each once, as it ended last."""
    if not path.exists():
        return []
    lines = [msgspec.json.decode(text, type=Line) for text in path.read_bytes().splitlines()]
    return list({(one.seed, one.number): one for one in lines}.values())


def summary(lines: Iterable[Line]) -> str:
    """`chaos: 200 runs, 1043 kills, 0 lost, 0 stale, 0 resurrected, 0 stuck`."""
    lines = list(lines)
    counts: Counter[str] = Counter()
    for one in lines:
        counts.update(one.counts)
    figures = [f"{len(lines)} runs", f"{sum(one.kills for one in lines)} kills"]
    return "chaos: " + ", ".join(figures + [f"{counts[name]} {name}" for name in BAD])
