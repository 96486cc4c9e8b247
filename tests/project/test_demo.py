"""`make demo`: its parts with values, and all of it as a process on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest

from dev.demo import interruption
from dev.demo.changing import plan
from dev.demo.comparing import compare
from dev.demo.indices import Indices
from dev.demo.running import Manage
from pillowtop.endpoints import Endpoint
from pillowtop.testing.scripted import ScriptedServer
from tests.project.marked import marked
from tests.project.source import ROOT
from tests.projects import UNMEASURED
from tests.real_servers import request

ALIAS = "pillowtop-demo-airports"
SECONDS = 240


def test_the_same_documents_in_the_same_revisions_are_in_step():
    compared = compare({"a": "1-x", "b": "2-y"}, {"b": "2-y", "a": "1-x"})
    assert compared.in_step
    assert compared.verdict == "in step"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ({"a": "1-x"}, "NOT in step: 1 missing (b)"),
        ({"a": "1-x", "b": "2-y", "c": "1-z"}, "NOT in step: 1 too many (c)"),
        ({"a": "1-x", "b": "1-y"}, "NOT in step: 1 of another revision (b)"),
        ({"b": "2-y", "c": "1-z"}, "NOT in step: 1 missing (a); 1 too many (c)"),
    ],
)
def test_what_is_not_in_step_is_named(found, verdict):
    compared = compare({"a": "1-x", "b": "2-y"}, found)
    assert not compared.in_step
    assert compared.verdict == verdict


def test_only_a_few_are_named():
    verdict = compare({str(number): "1-x" for number in range(9)}, {}).verdict
    assert verdict == "NOT in step: 9 missing (0, 1, 2, 3, 4, …)"


def test_no_document_is_changed_twice():
    documents = [
        {
            "_id": f"{number:04}",
            "_rev": "1-a",
            "name": "x",
            "country": "FR" if number < 60 else "DE",
        }
        for number in range(1000)
    ]
    changes = plan(documents)
    ids = [document["_id"] for document in changes.all]
    assert len(ids) == len(set(ids)) == 720
    assert {document["country"] for document in changes.joining} == {"FR"}
    assert "FR" not in {document["country"] for document in changes.leaving}
    assert all(document["_deleted"] for document in changes.deleted)


def test_only_indices_of_the_demo_are_deleted():
    def answer(asked, connection):
        connection.reply(200, {f"{ALIAS}_0123abcd": {}, f"{ALIAS}_mine": {}, "orders": {}})

    with ScriptedServer(answer) as server:
        Indices(Endpoint.parse(server.url)).delete(ALIAS)
    deleted = [asked.path for asked in server.requests if asked.method == "DELETE"]
    assert deleted == [f"/{ALIAS}_0123abcd"]


def start(**environment):
    return subprocess.Popen(
        [sys.executable, "-m", "dev.demo"], cwd=ROOT,
        env={**os.environ, **UNMEASURED, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_missing_tool_is_one_line(tmp_path):
    environment = {"COUCHDB_URL": "", "ELASTICSEARCH_URL": "", "PATH": str(tmp_path)}
    output, _ = (process := start(**environment)).communicate(timeout=SECONDS)
    assert process.returncode == 3, output
    assert output.count("\n") == 1
    assert "install Node.js" in output


def test_a_bad_url_is_one_line():
    environment = {"COUCHDB_URL": "localhost:5984", "ELASTICSEARCH_URL": "http://localhost:1"}
    output, _ = (process := start(**environment)).communicate(timeout=SECONDS)
    assert process.returncode == 3, output
    assert output.splitlines()[-1].startswith("a server's URL must look like")


def test_on_servers_that_are_given(couch_url, elasticsearch_url):
    """Leftovers of an earlier run are no hindrance, and what is not the demo's is left alone."""
    left = f"{elasticsearch_url}/{ALIAS}_0badcafe"
    kept = [f"{elasticsearch_url}/{ALIAS}-kept", f"{couch_url}/{ALIAS}-kept"]
    request("PUT", left, {"aliases": {ALIAS: {}}})
    request("PUT", f"{couch_url}/{ALIAS}")
    request("PUT", f"{couch_url}/{ALIAS}/left", {"country": "FR"})
    for url in kept:
        request("PUT", url)
    environment = {"COUCHDB_URL": couch_url, "ELASTICSEARCH_URL": elasticsearch_url}
    output, _ = (process := start(**environment)).communicate(timeout=SECONDS)
    assert process.returncode == 0, output
    assert output.count("│ in step │") == 4
    assert "NOT in step" not in output
    assert output.count(" km  ") == 5
    assert request("GET", left).status == 404
    for url in kept:
        assert request("GET", url).status == 200
        request("DELETE", url)


def test_an_interruption_whose_exception_was_lost_is_heeded_all_the_same(tmp_path, monkeypatch):
    """It was once, and the demo went on to its end."""
    manage = Manage(tmp_path)
    with manage.begin("check") as command:
        assert command.has_ended() in (True, False)
        monkeypatch.setattr(interruption, "_came", threading.Event())
        with pytest.raises(KeyboardInterrupt):
            interruption._interrupt(signal.SIGTERM, None)
        with pytest.raises(KeyboardInterrupt):
            command.has_ended()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process(number, couch_url):
    """Its own search server runs, and so does a command of the example."""
    mark = uuid.uuid4().hex
    process = start(COUCHDB_URL=couch_url, ELASTICSEARCH_URL="", DEMO_TEST=mark)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("loaded"):
            break
    time.sleep(0.5)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, "".join(lines) + rest
    assert rest.splitlines()[-1] == "interrupted: everything that was started is stopped"
    assert marked(mark) == []
