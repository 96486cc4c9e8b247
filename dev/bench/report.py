"""What the measurements say: a table, and a file."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from dev.bench.plan import LIMIT, TARGETS, Case, Target
from dev.bench.rounds import Measurement, Results

TABLE_WIDTH = 172
HEADINGS = (
    "docs/s\nbest", "\nmedian", "\nof (c)", "client CPU\nµs, best", "\nmedian", "peak\nMB",
    "CouchDB\nCPU µs", "Elastic\nCPU µs", "delay, ms\np50 / p99", "conns to\nthe feed",
)  # fmt: skip


class Verdict(msgspec.Struct, frozen=True):
    """What a target came to in the median; a ratio is taken within each round."""

    case: str
    target: str
    value: float
    met: bool


class Row(msgspec.Struct, frozen=True):
    """A case over all rounds. The best is the highest rate, the lowest cost."""

    key: str
    title: str
    documents_per_second_best: float
    documents_per_second_median: float
    cpu_microseconds_best: float
    cpu_microseconds_median: float
    peak_megabytes: float
    of_limit: float | None
    couchdb_cpu_microseconds: float | None
    elasticsearch_cpu_microseconds: float | None
    milliseconds_p50: float | None
    milliseconds_p99: float | None
    feed_connections: int | None
    rounds: list[Measurement]


class Report(msgspec.Struct, frozen=True):
    documents: int
    bytes_per_document: float
    rounds: int
    machine: dict[str, Any]
    servers: dict[str, str]
    rows: list[Row]
    targets: list[Verdict]


def make_report(
    cases: Sequence[Case],
    results: Results,
    *,
    documents: int,
    bytes_per_document: float,
    servers: dict[str, str],
) -> Report:
    return Report(
        documents=documents,
        bytes_per_document=round(bytes_per_document, 1),
        rounds=len(results[LIMIT]),
        machine={"cores": os.cpu_count(), "python": platform.python_version()},
        servers=servers,
        rows=[_row(case, results) for case in cases],
        targets=[_verdict(target, results) for target in TARGETS],
    )


def save(report: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def show(report: Report, console: Console) -> None:
    console.width = max(console.width, TABLE_WIDTH)
    console.print(_table(report))
    for verdict in report.targets:
        met = "[green]met[/]" if verdict.met else "[red]not met[/]"
        console.print(f"({verdict.case}) {verdict.target}: {verdict.value:,.4g}, {met}")


def _row(case: Case, results: Results) -> Row:
    taken = results[case.key]
    rates = [one.documents_per_second for one in taken]
    costs = [one.cpu_microseconds for one in taken]
    return Row(
        key=case.key,
        title=case.title,
        documents_per_second_best=max(rates),
        documents_per_second_median=median(rates),
        cpu_microseconds_best=min(costs),
        cpu_microseconds_median=median(costs),
        peak_megabytes=max(one.peak_megabytes for one in taken),
        of_limit=None if case.alone else _ratio(results, case.key, LIMIT, "documents_per_second"),
        couchdb_cpu_microseconds=_median_of_known([one.couchdb_cpu_microseconds for one in taken]),
        elasticsearch_cpu_microseconds=_median_of_known(
            [one.elasticsearch_cpu_microseconds for one in taken]
        ),
        milliseconds_p50=_median_of_known([one.milliseconds_p50 for one in taken]),
        milliseconds_p99=_median_of_known([one.milliseconds_p99 for one in taken]),
        feed_connections=max(
            (one.feed_connections for one in taken if one.feed_connections is not None),
            default=None,
        ),
        rounds=taken,
    )


def _verdict(target: Target, results: Results) -> Verdict:
    if target.of:
        value = _ratio(results, target.case, target.of, target.measure)
    else:
        value = median(getattr(one, target.measure) for one in results[target.case])
    return Verdict(target.case, target.text, value, target.is_met(value))


def _ratio(results: Results, case: str, to: str, measure: str) -> float:
    pairs = zip(results[case], results[to], strict=False)  # some are taken once
    ratios: list[float] = [getattr(one, measure) / getattr(other, measure) for one, other in pairs]
    return median(ratios)


def _median_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _table(report: Report) -> Table:
    table = Table(
        title=f"{report.documents:,} documents of {report.bytes_per_document:,.0f} bytes, "
        f"rounds: {report.rounds}, cores: {report.machine['cores']}"
    )
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.key,
            row.title,
            f"{row.documents_per_second_best:,.0f}",
            f"{row.documents_per_second_median:,.0f}",
            "" if row.of_limit is None else f"{row.of_limit:.2f}",
            f"{row.cpu_microseconds_best:.1f}",
            f"{row.cpu_microseconds_median:.1f}",
            f"{row.peak_megabytes:.0f}",
            _number(row.couchdb_cpu_microseconds),
            _number(row.elasticsearch_cpu_microseconds),
            _delay(row),
            "" if row.feed_connections is None else f"{row.feed_connections}",
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _delay(row: Row) -> str:
    if row.milliseconds_p50 is None or row.milliseconds_p99 is None:
        return ""
    return f"{row.milliseconds_p50:,.1f} / {row.milliseconds_p99:,.1f}"
