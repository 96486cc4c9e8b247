"""`make reindex-demo`: its judgement with values, and all of it as a process on real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid

import pytest

from dev.reindex_demo.demo import Result
from dev.reindex_demo.documents import document, ids
from dev.reindex_demo.journal import Journal
from dev.reindex_demo.reading import Reader
from pillowtop.endpoints import Endpoint
from pillowtop.testing.scripted import ScriptedServer
from tests.project.marked import marked
from tests.project.source import ROOT
from tests.projects import UNMEASURED

SECONDS = 240
SHARDS = {"total": 1, "successful": 1, "failed": 0}


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def journal(clock):
    """Of ten documents, which are in flight for five seconds."""
    return Journal(10, 5.0, lambda: clock[0])


def write(journal, updated=(), created=(), deleted=()):
    numbers = journal.send(len(updated) + len(created), deleted)
    written = dict(zip([*updated, *created], numbers, strict=True))
    journal.acknowledge(len(created), written, len(deleted))
    return written


def test_before_all_writes_all_documents_have_to_be_seen(journal, clock):
    due = journal.due(clock[0])
    assert (journal.fewest(due), dict(due.writes)) == (10, {})


def test_a_creation_has_to_be_seen_once_it_is_no_longer_in_flight(journal, clock):
    written = write(journal, created=["new"])
    assert journal.due(clock[0] + 4.9).writes == {}
    due = journal.due(clock[0] + 5)
    assert journal.fewest(due) == 11
    assert due.writes == written


def test_a_deletion_counts_from_when_it_is_sent(journal, clock):
    write(journal, updated=["a"])
    due = journal.due(clock[0] + 5)
    assert journal.lacks(due, {}) == ["a"]
    journal.send(0, ["a"])  # while the read is under way, and it is not answered yet
    assert journal.fewest(due) == 9
    assert journal.lacks(due, {}) == []
    assert journal.due(clock[0] + 6).writes == {}


def test_an_older_write_is_not_enough(journal, clock):
    (first,) = write(journal, updated=["a"]).values()
    (second,) = write(journal, updated=["a"]).values()
    due = journal.due(clock[0] + 5)
    assert journal.lacks(due, {"a": first}) == ["a"]
    assert journal.lacks(due, {"a": second}) == []


def test_how_far_a_read_is_behind(journal, clock):
    (first,) = write(journal, updated=["a"]).values()
    clock[0] += 3
    (second,) = write(journal, updated=["b"]).values()
    assert journal.behind(clock[0] + 1, first - 1) == 4
    assert journal.behind(clock[0] + 1, first) == 1
    assert journal.behind(clock[0] + 1, second) == 0


def reading(journal, status, counted, found):
    """What a reader has noted of a server that always answers so."""

    def answer(asked, connection):
        body = counted if "_count" in asked.path else found
        connection.reply(status, body)

    with ScriptedServer(answer) as server, Reader(Endpoint.parse(server.url), "a", journal) as one:
        deadline = time.monotonic() + 10
        while one.reads < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
    return one


def found(**seen):
    hits = [{"_id": doc_id, "_source": {"written": number}} for doc_id, number in seen.items()]
    aggregations = {"all": {"newest": {"value": 0.0}}}
    return {"_shards": SHARDS, "hits": {"hits": hits}, "aggregations": aggregations}


def test_reads_that_see_all(journal):
    write(journal, updated=["a"])
    one = reading(journal, 200, {"_shards": SHARDS, "count": 10}, found(a=1))
    assert one.reads >= 4
    assert (one.failed, one.short, one.complaints) == (0, 0, [])
    assert one.most_behind > 0


def test_counts_that_are_short(journal):
    one = reading(journal, 200, {"_shards": SHARDS, "count": 9}, found())
    assert one.failed == 0
    assert 2 <= one.short <= one.reads - 1
    assert one.complaints[0] == "short: _count was 9, and had to be 10 at least"


def test_searches_that_are_short(journal):
    write(journal, updated=["a"])  # by a clock that is far behind that of the reader
    one = reading(journal, 200, {"_shards": SHARDS, "count": 10}, found())
    assert one.short >= 2
    assert "did not see 1 writes, as that of a" in one.complaints[0]


@pytest.mark.parametrize(
    ("status", "shards"),
    [
        (404, SHARDS),
        (503, SHARDS),
        (200, {"total": 2, "successful": 1, "failed": 1}),
        (200, {"total": 2, "successful": 1, "failed": 0}),
    ],
)
def test_reads_that_fail(journal, status, shards):
    one = reading(journal, status, {"_shards": shards, "count": 10}, found() | {"_shards": shards})
    assert (one.failed, one.short) == (one.reads, 0)
    assert len(one.complaints) <= 5


def test_only_zeros_are_good():
    assert Result(100000, 7, 0, 0, 0).is_good
    for bad in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        assert not Result(100000, 7, *bad).is_good
    assert str(Result(100000, 7, 1, 2, 3)) == (
        "reindex-demo: 100000 documents, reads 7, failed 1, short 2, differences 3"
    )


def test_documents_are_airports_under_ids_of_their_own():
    many = list(ids(20000))
    assert len(set(many)) == 20000
    assert document(many[-1], 3)["iata"] == many[-1][:3]


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "dev.reindex_demo", *arguments], cwd=ROOT,
        env={**os.environ, **UNMEASURED, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def small(couch_url, elasticsearch_url, **environment):
    return start(
        "--documents=500", "--rate=50", "--lag=5",
        COUCHDB_URL=couch_url, ELASTICSEARCH_URL=elasticsearch_url, **environment,
    )  # fmt: skip


def test_on_servers_that_are_given(couch_url, elasticsearch_url):
    output, _ = (process := small(couch_url, elasticsearch_url)).communicate(timeout=SECONDS)
    assert process.returncode == 0, output
    assert "AirportPillow: flip: move alias" in output
    assert re.fullmatch(
        r"reindex-demo: \d+ documents, reads \d+, failed 0, short 0, differences 0",
        output.splitlines()[-1],
    )


def test_a_missing_tool_is_one_line(tmp_path):
    environment = {"COUCHDB_URL": "", "ELASTICSEARCH_URL": "", "PATH": str(tmp_path)}
    output, _ = (process := start(**environment)).communicate(timeout=SECONDS)
    assert process.returncode == 3, output
    assert output.count("\n") == 1
    assert "install Node.js" in output


@pytest.mark.parametrize("until", ["the first release has indexed", "  AirportPillow: copy"])
def test_an_interruption_leaves_no_process(until, couch_url, elasticsearch_url):
    mark = uuid.uuid4().hex
    process = small(couch_url, elasticsearch_url, DEMO_TEST=mark)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(until):
            break
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, "".join(lines) + rest
    assert rest.splitlines()[-1] == "interrupted: everything that was started is stopped"
    assert marked(mark) == []
