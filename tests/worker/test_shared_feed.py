"""Pillows of one process on one database, on real servers: one connection for all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dev.proxy import as_it_is
from tests.couch import call
from tests.projects import wait_until

PILLOWS = """
import json
from pathlib import Path

from pillowtop.listener import AliasedElasticPillow, BasicPillow, PythonPillow


class OrderPillow(AliasedElasticPillow):
    couch_db = {database!r}
    es_alias = {alias!r}


class ToFile(BasicPillow):
    couch_db = {database!r}

    def change_transport(self, document):
        self.write(document["_id"], document)

    def change_delete(self, change):
        self.write(change.id, None)

    def write(self, *line):
        while Path(f"{{self.name}}.hangs").exists():
            import time; time.sleep(0.05)
        with open(f"{{self.name}}.json", "a") as file:
            file.write(json.dumps(line) + "\\n")


class EvenPillow(PythonPillow, ToFile):
    def python_filter(self, document):
        return document["n"] % 2 == 0


class StablePillow(PythonPillow, ToFile):
    selection_is_stable = True

    def python_filter(self, document):
        return ord(document["_id"][-1]) % 2 == 0


class DoubledPillow(ToFile):
    def change_transform(self, document):
        document["n"] *= 2
        return document
"""
NAMES = ("OrderPillow", "EvenPillow", "StablePillow", "DoubledPillow")


@pytest.fixture
def one(proxied):
    made, couch, _ = proxied(PILLOWS)
    made.couch = couch
    made.project.configure(made.settings, [f"pillows.{name}" for name in NAMES])
    return made


def written(one, name):
    """What a pillow has written last of each document that is not deleted."""
    path = Path(one.project.folder) / f"{name}.json"
    lines = path.read_text().splitlines() if path.exists() else []
    found = dict(json.loads(line) for line in lines)
    return {doc_id: doc["n"] for doc_id, doc in found.items() if doc is not None}


def in_step(one):
    rows = call("GET", f"{one.database.url}/_all_docs?include_docs=true")["rows"]
    numbers = {row["id"]: row["doc"]["n"] for row in rows}
    return (
        one.in_step()
        and written(one, "EvenPillow") == {k: n for k, n in numbers.items() if n % 2 == 0}
        and written(one, "StablePillow")
        == {k: n for k, n in numbers.items() if ord(k[-1]) % 2 == 0}
        and written(one, "DoubledPillow") == {k: 2 * n for k, n in numbers.items()}
    )


def companions(one):
    status = json.loads(one.project.manage("ptop_status", "--format=json").stdout)
    return {each["pillow"]: each["figures"]["companions"] for each in status["pillows"]}


def all_share(one):
    return companions(one) == {name: sorted(set(NAMES) - {name}) for name in NAMES}


def readings(one):
    """The kind of each request for rows."""
    rows = [each for each in one.couch.requests if each.path.endswith("/_changes")]
    return [each.query["feed"] for each in rows if "feed" in each.query]


def wait_until_in_step(one):
    wait_until(lambda: in_step(one), 60, lambda: one.project.logs)


def wait_until_all_share(one):
    wait_until(lambda: all_share(one), 60, lambda: companions(one))


def test_one_page_and_one_connection_for_all(one):
    one.database.fill(500)
    one.project.start("--all")
    wait_until_in_step(one)
    one.database.put("new", n=7)
    one.database.delete("doc000004")
    wait_until_in_step(one)
    wait_until_all_share(one)
    assert readings(one) == ["normal", "continuous"]


def test_all_go_on_together_when_the_connection_breaks(one):
    one.database.fill(20)
    one.project.start("--all")
    wait_until_in_step(one)
    wait_until_all_share(one)
    one.couch.rewrite = lambda request, body: b'{"error":"cut","reason":"by a test"}\n'
    one.database.put("new", n=8)
    one.couch.rewrite = as_it_is
    wait_until_in_step(one)
    wait_until_all_share(one)


def test_one_that_lags_reads_on_alone_and_comes_back(one):
    one.database.fill(20)
    one.project.start("--all")
    wait_until_in_step(one)
    hangs = Path(one.project.folder) / "DoubledPillow.hangs"
    hangs.touch()
    one.database.fill(5000, "big", text="x" * 2000)
    wait_until(one.in_step, 60, lambda: one.project.logs)
    hangs.unlink()
    wait_until_in_step(one)
    wait_until_all_share(one)


def test_over_a_slow_line_they_get_what_has_come(one):
    """Not only when a page, or a quarter of a megabyte, is there: which may take minutes."""
    one.database.fill(600)  # a page of less than that, which takes 12 s
    one.couch.line_seconds = 0.02
    one.project.start("--all")
    wait_until(lambda: written(one, "EvenPillow"), 60, lambda: one.project.logs)
    assert one.couch.lines < 600
    one.couch.line_seconds = 0.0001
    wait_until_in_step(one)


def test_until_caught_up_they_share_too(one):
    one.database.fill(500)
    one.project.catch_up()
    assert in_step(one)
    assert readings(one) == ["normal"]


LOADING = """
class LoadingPillow(ToFile):
    include_docs = False


class SevensPillow(LoadingPillow):
    def filter(self, change):
        return change.id.endswith("7")


class SeventiesPillow(LoadingPillow):
    def filter(self, change):
        return change.id[-2] == "7"
"""


@pytest.mark.parametrize(
    ("names", "sent_along"),
    [(["LoadingPillow", "SevensPillow"], True), (["SevensPillow", "SeventiesPillow"], False)],
)
def test_documents_are_fetched_once(proxied, names, sent_along):
    """With the feed where one takes all of them; where each takes some, those that any takes."""
    one, couch, _ = proxied(PILLOWS + LOADING)
    one.project.configure(one.settings, [f"pillows.{name}" for name in names])
    one.database.fill(100)
    one.project.catch_up()
    counts = {"LoadingPillow": 100, "SevensPillow": 10, "SeventiesPillow": 10}
    assert all(len(written(one, name)) == counts[name] for name in names)
    asked = [each for each in couch.requests if each.query.get("feed") == "normal"]
    assert {each.query.get("include_docs") == "true" for each in asked} == {sent_along}
    loads = [each for each in couch.requests if each.path.endswith("/_bulk_get")]
    fetched = [one["id"] for each in loads for one in json.loads(each.body)["docs"]]
    wanted = {f"doc0000{n:02}" for n in range(100) if n % 10 == 7 or n // 10 == 7}
    assert sorted(fetched) == ([] if sent_along else sorted(wanted))
