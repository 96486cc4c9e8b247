"""What a soak has done and found: a table, and a file."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.markup import escape
from rich.table import Table

SHOWN = 20


class Calm(msgspec.Struct, frozen=True):
    """A pause in which everything was compared."""

    at_seconds: float
    catch_up_seconds: float
    documents: dict[str, int]
    letters: dict[str, int]
    differences: int


class Report(msgspec.Struct):
    """`problems` are in words; the run was without fault where there is none."""

    seed: int
    servers: dict[str, str]
    seconds: float = 0.0
    writes: dict[str, int] = {}
    harms: dict[str, dict[str, int]] = {}
    exit_codes: dict[int, int] = {}
    calms: list[Calm] = []
    peak_megabytes: float = 0.0
    problems: list[str] = []
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Nothing was found, and something was looked at."""
        return not self.problems and bool(self.calms) and not self.interrupted

    @property
    def written(self) -> int:
        """How many documents CouchDB has taken."""
        kinds = ("created", "updated", "deleted", "conflicts")
        return sum(self.writes.get(kind, 0) for kind in kinds)

    @property
    def documents_per_second(self) -> float:
        return self.written / self.seconds if self.seconds else 0.0


def save(report: Report, path: Path) -> None:
    fields = msgspec.to_builtins(report, str_keys=True)
    fields["documents_per_second"] = round(report.documents_per_second, 1)
    fields["passed"] = report.passed
    path.write_bytes(msgspec.json.format(msgspec.json.encode(fields)) + b"\n")


def table(report: Report) -> Table:
    made = Table("what", "how often")
    made.add_row("seed", str(report.seed))
    made.add_row("minutes", f"{report.seconds / 60:.1f}")
    made.add_row("documents written", f"{report.written:,} ({report.documents_per_second:.0f}/s)")
    for kind, count in sorted(report.writes.items()):
        made.add_row(f"  {kind}", f"{count:,}")
    for victim, deeds in sorted(report.harms.items()):
        words = ", ".join(f"{count} {deed}" for deed, count in sorted(deeds.items()))
        made.add_row(f"harm to {victim}", words)
    made.add_row("comparisons", str(len(report.calms)))
    longest = max((calm.catch_up_seconds for calm in report.calms), default=0.0)
    made.add_row("longest time to catch up", f"{longest:.1f} s")
    made.add_row("peak memory of the worker", f"{report.peak_megabytes:.0f} MB")
    verdict = "[green]in step, each time[/]" if report.passed else f"[red]{_verdict(report)}[/]"
    made.add_row("verdict", verdict)
    return made


def calm_line(calm: Calm) -> str:
    held = ", ".join(
        f"{pillow} {count:,} (+{calm.letters[pillow]} dead letters)"
        for pillow, count in calm.documents.items()
    )
    words = f"{calm.differences} DIFFERENCES" if calm.differences else "in step"
    return f"after {calm.at_seconds / 60:5.1f} min, {calm.catch_up_seconds:5.1f} s: {words}: {held}"


def _verdict(report: Report) -> str:
    if report.problems:
        return f"{len(report.problems)} problems: {escape(report.problems[0])}"
    return "interrupted" if report.interrupted else "nothing was compared"
