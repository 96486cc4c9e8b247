"""`python -m dev.soak` as a process, on real servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid

import psutil
import pytest

from airports.pillows import AirportPillow, FrenchAirportPillow
from dev.soak.schedule import Deed, storm
from tests.project.source import ROOT
from tests.projects import UNMEASURED, wait_until
from tests.real_servers import request

VICTIMS = ["couchdb", "elasticsearch", "worker"]
SECONDS = 240
STORM_SECONDS = 12.0
ALIAS = AirportPillow.es_alias
PILLOWS = {AirportPillow.__name__, FrenchAirportPillow.__name__}


class Soak:
    """A soak that runs, and what it prints; `mark` finds its processes."""

    def __init__(self, folder, *options, **environment):
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.soak", "--folder", folder, *options],
                cwd=ROOT,
                env={**os.environ, "COUCHDB_URL": "", "ELASTICSEARCH_URL": "",
                     "SOAK_TEST": self.mark, **UNMEASURED, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def output(self):
        return self._output.read_text()

    @property
    def report(self):
        return json.loads((self.folder / "report.json").read_bytes())

    def wait_for(self, words):
        def said():
            assert self.process.poll() is None, self.output
            return words in self.output + self.log

        wait_until(said, SECONDS, lambda: f"{words!r} in:\n{self.output}")

    @property
    def log(self):
        path = self.folder / "logs" / "soak.log"
        return path.read_text() if path.exists() else ""

    def ends_with(self, code):
        self.process.wait(SECONDS)
        assert self.process.returncode == code, self.output
        assert not [one for one in psutil.process_iter() if _is_marked(one, self.mark)]


def _is_marked(process, mark):
    try:
        return process.environ().get("SOAK_TEST") == mark
    except psutil.Error:
        return False


@pytest.fixture
def start(tmp_path):
    """Starts a soak, which is killed after the test if need be."""
    started = []

    def make(*options, **environment):
        started.append(Soak(tmp_path, *options, **environment))
        return started[-1]

    yield make
    for soak in started:
        soak.process.kill()
        soak.process.wait()


def seed_that_kills_everybody():
    """Once each, and does no more: a start of Elasticsearch takes its time."""

    def kills(seed):
        harms = storm(seed, 0, STORM_SECONDS, VICTIMS)
        return sorted(harm.victim for harm in harms if harm.deed is Deed.KILL) == VICTIMS and (
            len(harms) == len(VICTIMS)
        )

    return next(seed for seed in range(100_000) if kills(seed))


def test_kills_of_all_lose_nothing(start):
    soak = start(
        "--minutes", str(STORM_SECONDS / 60), "--seed", str(seed_that_kills_everybody())
    )  # fmt: skip
    soak.ends_with(0)
    report = soak.report
    assert report["passed"], report
    assert all(report["harms"][victim]["kill"] == 1 for victim in VICTIMS)
    assert report["exit_codes"]["-9"] == 1
    assert all(report["writes"][kind] for kind in ("created", "updated", "deleted", "conflicts"))
    (calm,) = report["calms"]
    assert calm["differences"] == 0
    assert calm["documents"].keys() == PILLOWS
    assert all(calm["documents"].values())
    assert 20 < report["peak_megabytes"] < 250
    assert "in step, each time" in soak.output
    assert {path.name for path in (soak.folder / "logs").iterdir()} == {
        "couchdb.log", "elasticsearch.log", "soak.log", "worker.log",
    }  # fmt: skip


def seed_that_harms_nobody():
    """A worker that begins again may write again what was lost."""
    return next(seed for seed in range(1000) if not storm(seed, 0, 6.0, ["worker"]))


def test_a_loss_is_found_and_named(start, couch_url, elasticsearch_url):
    """What is deleted behind the worker's back is a document that no writer touches."""
    soak = start(
        "--minutes", "0.1", "--patience", "10", "--seed", str(seed_that_harms_nobody()),
        COUCHDB_URL=couch_url, ELASTICSEARCH_URL=elasticsearch_url,
    )  # fmt: skip
    soak.wait_for("start worker")
    rows = request("GET", f"{couch_url}/{AirportPillow.couch_db}/_all_docs").json()["rows"]
    untouched = rows[0]["id"]
    address = f"{elasticsearch_url}/{ALIAS}/_doc/{untouched}"
    wait_until(lambda: request("GET", address).status == 200)
    assert request("DELETE", address).status == 200
    soak.ends_with(1)
    rev = rows[0]["value"]["rev"]
    problem = f"AirportPillow: {untouched!r} is missing in the index, in revision {rev}"
    assert problem in soak.report["problems"]
    assert problem in soak.output
    assert "couchdb is given: it is neither killed nor stopped" in soak.output
    assert soak.report["harms"] == {}


def test_an_interruption_is_orderly(start, couch_url):
    """Its own search server runs, the worker and the writers too."""
    soak = start("--minutes", "5", COUCHDB_URL=couch_url)
    soak.wait_for("start worker")
    soak.process.send_signal(signal.SIGINT)
    soak.ends_with(130)
    report = soak.report
    assert report["interrupted"]
    assert not report["passed"]
    assert report["problems"] == []


def test_a_worker_that_ends_by_itself_is_reported(start, couch_url, elasticsearch_url):
    soak = start(
        "--minutes", "5", COUCHDB_URL=couch_url, ELASTICSEARCH_URL=elasticsearch_url
    )  # fmt: skip
    soak.wait_for("start worker")
    (worker,) = wait_until(lambda: _workers(soak))
    worker.kill()
    soak.ends_with(1)
    assert soak.report["problems"][0].startswith("the worker ended by itself:")


def _workers(soak):
    return [
        one
        for one in psutil.process_iter()
        if _is_marked(one, soak.mark) and "run_ptop" in one.cmdline()
    ]


def test_a_missing_tool_is_one_line(start, tmp_path):
    soak = start("--minutes", "1", PATH=str(tmp_path))
    soak.ends_with(3)
    assert "install Node.js" in soak.output.splitlines()[-1]
