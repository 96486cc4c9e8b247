from __future__ import annotations

from collections import Counter

from dev.chaos import report
from dev.chaos.plan import plan
from dev.chaos.run import Result


def line(number, **fields):
    return report.line(7, number, Result(plan(7, number), **fields))


def test_one_line_for_all_runs():
    lines = [
        line(1, killed=Counter(before=5)),
        line(2, killed=Counter(before=4), counts=Counter(lost=2, stuck=1)),
    ]
    assert report.summary(lines) == (
        "chaos: 2 runs, 9 kills, 2 lost, 0 stale, 0 resurrected, 1 stuck"
    )


def test_runs_of_several_commands_add_up_each_once(tmp_path):
    path = tmp_path / "runs.jsonl"
    assert report.kept(path) == []
    for one in (
        line(1, killed=Counter(before=5)),
        line(2, killed=Counter(before=4)),
        line(1, killed=Counter(before=6)),
    ):
        report.keep(path, one)
    assert [one.kills for one in report.kept(path)] == [6, 4]


def test_what_a_fault_did_is_kept(tmp_path):
    result = Result(plan(7, 1), bites={"late bulks": 3, "503": 0})
    assert result.idle == ["503"]
    report.keep(tmp_path / "runs.jsonl", report.line(7, 1, result))
    (one,) = report.kept(tmp_path / "runs.jsonl")
    assert one.bites == {"late bulks": 3, "503": 0}
