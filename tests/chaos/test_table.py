from __future__ import annotations

from collections import Counter

from dev.chaos import report
from dev.chaos.plan import Plan
from dev.chaos.run import Result
from dev.chaos.table import table


def line(number, faults, bites, killed):
    result = Result(Plan("7", faults, 3, 50), bites=bites, killed=Counter(killed))
    return report.line(7, number, result)


def test_what_was_tried_how_often_and_what_did_nothing():
    said = list(
        table(
            [
                line(1, ("429",), {"429": 5}, {"CouchDB": 1, "after a bulk": 2}),
                line(2, ("429", "503"), {"429": 0, "503": 2}, {"after a bulk": 4}),
            ]
        )
    )
    assert "| 429 | 2 | 1 | 1 | 5 |" in said
    assert "| 503 | 1 | 0 | 1 | 2 |" in said
    assert "| delayed | 0 | 0 | 0 | 0 |" in said
    assert "| the worker, after a bulk | 6 |" in said
    assert "| CouchDB | 1 |" in said
    assert said[-1] == "chaos: 2 runs, 7 kills, 0 lost, 0 stale, 0 resurrected, 0 stuck"
