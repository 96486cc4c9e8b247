"""A reader that asks through the alias all the time, and notes what it did not get."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

import urllib3

from dev.reindex_demo.journal import SAMPLE, Journal
from pillowtop.endpoints import Endpoint

PAUSE_SECONDS = 0.05
REQUEST_SECONDS = 30.0
SHOWN = 5

NEWEST = {"all": {"global": {}, "aggs": {"newest": {"max": {"field": "written"}}}}}


class Reader(threading.Thread):
    """Reads within a `with`: a count, and a search for the writes that it has to see, in turns.

    A read has failed where it was not answered with 200 and from all shards; for what makes it
    short see journal.py.
    """

    def __init__(self, server: Endpoint, alias: str, journal: Journal) -> None:
        super().__init__(name="reader", daemon=True)
        self.reads = self.failed = self.short = 0
        self.most_behind = 0.0
        """In seconds: how much older than the newest write it was what could be seen."""

        self.complaints: list[str] = []
        """About the first reads that failed or were short."""

        self._url = f"{server}/{alias}"
        self._journal = journal
        self._ended = threading.Event()
        self._http = urllib3.PoolManager(
            headers=server.authorization(),
            ca_certs=server.ca_certs,
            retries=False,
            timeout=REQUEST_SECONDS,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self.join(2 * REQUEST_SECONDS)

    def run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            self._count()
            self._search()

    def _count(self) -> None:
        due = self._journal.due(time.monotonic())
        answer = self._ask("_count", {"query": {"match_all": {}}})
        if answer is not None and answer["count"] < (fewest := self._journal.fewest(due)):
            self._note_short(f"_count was {answer['count']}, and had to be {fewest} at least")

    def _search(self) -> None:
        began = time.monotonic()
        due = self._journal.due(began)
        query = {"ids": {"values": list(due.writes)}}
        body = {"size": SAMPLE, "query": query, "_source": ["written"], "aggs": NEWEST}
        answer = self._ask("_search", body)
        if answer is None:
            return
        seen = {hit["_id"]: hit["_source"]["written"] for hit in answer["hits"]["hits"]}
        if lacking := self._journal.lacks(due, seen):
            self._note_short(f"_search did not see {len(lacking)} writes, as that of {lacking[0]}")
        newest = int(answer["aggregations"]["all"]["newest"]["value"] or 0)
        self.most_behind = max(self.most_behind, self._journal.behind(began, newest))

    def _ask(self, path: str, body: Any) -> Any:
        """The answer; None where the read has failed."""
        self.reads += 1
        try:
            answer = self._http.request("POST", f"{self._url}/{path}", json=body)
            found = answer.json() if answer.status == 200 else None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            self._note_failed(f"{path}: {error}")
            return None
        if found is None:
            self._note_failed(f"{path}: {answer.status}: {answer.data[:300]!r}")
            return None
        shards = found["_shards"]
        if found.get("timed_out") or shards["failed"] or shards["successful"] < shards["total"]:
            self._note_failed(f"{path}: only a part was answered: {shards}")
            return None
        return found

    def _note_failed(self, words: str) -> None:
        self.failed += 1
        self._complain(f"failed: {words}")

    def _note_short(self, words: str) -> None:
        self.short += 1
        self._complain(f"short: {words}")

    def _complain(self, words: str) -> None:
        if len(self.complaints) < SHOWN:
            self.complaints.append(words)
