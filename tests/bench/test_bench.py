"""`make bench` with few documents: its form and its honesty, never its speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid

import psycopg
import pytest

from dev.bench.documents import orders
from dev.bench.indices import Indices
from dev.bench.jobs import WorkNotDone
from dev.bench.plan import CASES, LIMIT, TARGETS, Target
from dev.bench.report import make_report
from dev.bench.rounds import Measurement
from tests.project.source import ROOT
from tests.projects import UNMEASURED
from tests.real_servers import request

DOCUMENTS = 2000
SECONDS = 240
KEYS = [case.key for case in CASES]


@pytest.fixture(scope="module")
def bench(couch_url, elasticsearch_url, postgresql_url, tmp_path_factory):
    """What a small run printed and wrote, and whether it left anything behind."""
    urls = couch_url, elasticsearch_url, postgresql_url
    before = _standing(*urls)
    output = tmp_path_factory.mktemp("bench") / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "dev.bench", "--documents", str(DOCUMENTS), "--rounds", "1",
         "--output", output],
        cwd=ROOT,
        env={**os.environ, "COUCHDB_URL": couch_url, "ELASTICSEARCH_URL": elasticsearch_url,
             "POSTGRESQL_URL": postgresql_url, **UNMEASURED},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left = _standing(*urls) - before
    return done.stdout, json.loads(output.read_bytes()), left


def _standing(couch_url, elasticsearch_url, postgresql_url):
    databases = request("GET", f"{couch_url}/_all_dbs").json()
    indices = request("GET", f"{elasticsearch_url}/pillowtop-bench*").json()
    with psycopg.connect(f"{postgresql_url}/postgres") as connection:
        books = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
    names = *databases, *indices, *books
    return {name for name in names if name.startswith(("pillowtop-bench", "pillowtop_bench"))}


def test_each_case_has_figures(bench):
    _, written, _ = bench
    assert [row["key"] for row in written["rows"]] == KEYS
    for row in written["rows"]:
        assert row["documents_per_second_best"] >= row["documents_per_second_median"] > 0
        assert 0 < row["cpu_microseconds_best"] <= row["cpu_microseconds_median"]
        assert row["peak_megabytes"] > 0
        assert len(row["rounds"]) == written["rounds"] == 1


def test_targets_are_judged(bench):
    _, written, _ = bench
    assert [one["case"] for one in written["targets"]] == [target.case for target in TARGETS]
    for verdict in written["targets"]:
        assert isinstance(verdict["met"], bool)


def test_a_crowd_has_one_connection_to_the_feed(bench):
    _, written, _ = bench
    counted = {row["key"]: row["feed_connections"] for row in written["rows"]}
    crowds = {"p1": 1, "p10": 1, "p50": 1}
    assert counted == dict.fromkeys(KEYS) | crowds


def test_the_run_says_what_it_was(bench):
    _, written, _ = bench
    assert written["documents"] == DOCUMENTS
    assert 900 < written["bytes_per_document"] < 1200
    assert written["servers"] == {
        "couchdb": "COUCHDB_URL",
        "elasticsearch": "ELASTICSEARCH_URL",
        "postgresql": "POSTGRESQL_URL",
    }


def test_the_table_shows_cases_and_targets(bench):
    printed, _, _ = bench
    for case in CASES:
        assert case.title in printed
    for target in TARGETS:
        assert target.text in printed


def test_nothing_is_left_behind(bench):
    _, _, left = bench
    assert left == set()


def test_documents_are_always_the_same():
    assert list(orders(50)) == list(orders(50))
    assert len({document["_id"] for document in orders(50)}) == 50


def test_what_is_missing_in_the_index_is_found_out(elasticsearch_url):
    indices = Indices(elasticsearch_url)
    alias = f"pillowtop-bench-{uuid.uuid4().hex}"
    indices.make(alias)
    try:
        with pytest.raises(WorkNotDone, match="0 documents are in"):
            indices.verify(alias, 1, with_total=False)
    finally:
        indices.remove(alias)
        indices.close()


def test_ratios_are_taken_within_a_round():
    slow, fast = (Measurement(rate, 1.0, 1.0, None, None, 1.0, 1.0, 1) for rate in (1000.0, 4000.0))
    results = {key: [fast, slow, fast] for key in KEYS}
    results["d1"] = [slow, slow, slow]
    report = make_report(
        CASES, results, documents=1, bytes_per_document=1, servers={"couchdb": "a"}
    )
    (row,) = [row for row in report.rows if row.key == "d1"]
    assert row.of_limit == 0.25
    assert (row.documents_per_second_best, row.documents_per_second_median) == (1000, 1000)
    (verdict,) = [one for one in report.targets if one.case == "d1" and f"({LIMIT})" in one.target]
    assert (verdict.value, verdict.met) == (0.25, False)


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target(case="f1", measure="documents_per_second", bound=10, at_least=True), 10, True),
        (Target(case="f1", measure="documents_per_second", bound=10, at_least=True), 9, False),
        (Target(case="d1", measure="cpu_microseconds", bound=8), 8, True),
        (Target(case="d1", measure="cpu_microseconds", bound=8), 8.1, False),
    ],
)
def test_a_target_is_met_at_its_bound(target, value, met):
    assert target.is_met(value) is met


def test_a_server_that_is_not_there_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "dev.bench", "--documents", "10"],
        cwd=ROOT,
        env={**os.environ, "COUCHDB_URL": "http://127.0.0.1:9",
             "ELASTICSEARCH_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("bench: 127.0.0.1:9")
