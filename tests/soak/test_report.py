"""What a soak says of itself."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from dev.soak.report import Calm, Report, calm_line, save, table

CALM = Calm(
    at_seconds=200.0,
    catch_up_seconds=12.5,
    documents={"AirportPillow": 10000},
    letters={"AirportPillow": 3},
    differences=0,
)


@pytest.fixture
def report():
    return Report(
        seed=7,
        servers={"couchdb": "COUCHDB_URL"},
        seconds=100.0,
        writes={"created": 100, "updated": 800, "deleted": 90, "conflicts": 10, "unanswered": 5},
        harms={"worker": {"kill": 3, "pause": 1}},
        exit_codes={-9: 3, 0: 1},
        calms=[CALM],
        peak_megabytes=81.4,
    )


def shown(report):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table(report))
    return captured.get()


def test_the_table_says_what_was_done(report):
    text = shown(report)
    for words in ("1,000 (10/s)", "3 kill, 1 pause", "12.5 s", "81 MB", "in step, each time"):
        assert words in text


def test_the_file_says_what_was_done(report, tmp_path):
    save(report, tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_bytes())
    assert written["seed"] == 7
    assert written["documents_per_second"] == 10.0
    assert written["exit_codes"] == {"-9": 3, "0": 1}
    assert written["calms"][0]["catch_up_seconds"] == 12.5
    assert written["passed"] is True


def test_a_problem_is_no_success(report):
    report.problems.append("P: 'a' is missing [x]")
    assert not report.passed
    assert "1 problems: P: 'a' is missing [x]" in shown(report)


def test_a_run_that_was_interrupted_is_no_success(report):
    report.interrupted = True
    assert not report.passed
    assert "interrupted" in shown(report)


def test_a_run_without_comparison_is_no_success(report):
    report.calms.clear()
    assert not report.passed
    assert "nothing was compared" in shown(report)


def test_a_calm_is_one_line():
    assert calm_line(CALM) == (
        "after   3.3 min,  12.5 s: in step: AirportPillow 10,000 (+3 dead letters)"
    )
