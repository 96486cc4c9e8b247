"""A worker, CouchDB, and a listener that is killed: all of them real, each a process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from tests.projects import ROOT, wait_until

from .conftest import QUICK

LOG_PILLOW = """
from pillowtop.listener import NetworkListener, PythonPillow

class LogPillow(PythonPillow, NetworkListener):
    couch_db = {database!r}
    endpoint_host = "127.0.0.1"
    endpoint_port = {port}

    def python_filter(self, document):
        return document["n"] >= 0
"""


class LineFile:
    """The listener's process, and what it has written."""

    def __init__(self, folder):
        self._path = folder / "lines.json"
        self._path.touch()
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
        self._process = None

    def start(self):
        script = ROOT / "tests/transports/line_file.py"
        self._process = subprocess.Popen([sys.executable, script, str(self.port), self._path])

    def kill(self):
        self._process.kill()
        self._process.wait()

    def lines(self):
        *whole, _ = self._path.read_bytes().split(b"\n")
        return [json.loads(line) for line in whole]

    def revs(self):
        """What a reader of the file makes of it: the last revision of what is not deleted."""
        last = {line["_id"]: line for line in self.lines()}
        return {doc_id: one["_rev"] for doc_id, one in last.items() if "_deleted" not in one}


@pytest.fixture
def listener(tmp_path):
    listener = LineFile(tmp_path)
    listener.start()
    yield listener
    listener.kill()


@pytest.fixture
def project(make_project, database, listener):
    source = LOG_PILLOW.format(database=database.name, port=listener.port)
    settings = {"COUCHDB_URL": database.server, **QUICK}
    return make_project(settings, ["pillows.LogPillow"], source)


def test_a_listener_that_is_killed_and_comes_back(project, database, listener):
    def in_step():
        return listener.revs() == database.revs()

    database.fill(700)
    worker = project.start("--all")
    wait_until(in_step, what=lambda: worker.log)
    listener.kill()
    database.delete("doc000001")
    database.put("doc000002", n=2, text="newer")
    database.fill(300, prefix="while-down-")
    worker.wait_for("cannot be reached")
    listener.start()
    wait_until(in_step, what=lambda: worker.log)
    worker.wait_for("takes connections again after")
    assert worker.stop() == 0

    database.put("doc000003", n=-1)
    before = len(listener.lines())
    log = project.catch_up()
    wait_until(lambda: listener.lines()[-1].get("_deleted"), what=lambda: log)
    assert listener.lines()[-1]["_id"] == "doc000003"
    # It went on where the worker had stopped.
    assert len(listener.lines()) < before + 100


def test_a_start_while_nothing_listens(project, database, listener):
    listener.kill()
    database.fill(10)
    worker = project.start("--all", "--until-caught-up")
    worker.wait_for(f"127.0.0.1:{listener.port} cannot be reached")
    listener.start()
    assert worker.wait() == 0
    wait_until(lambda: listener.revs() == database.revs(), what=lambda: worker.log)


def test_what_is_not_supported_stops_the_pillow(project, database):
    entry = {"class": "pillows.LogPillow", "options": {"transport_type": "udp"}}
    project.configure({"COUCHDB_URL": database.server, **QUICK}, [entry])
    log = project.catch_up(code=3)
    assert "LogPillow: stopped: LogPillow: transport_type must be 'tcp', not 'udp'" in log
