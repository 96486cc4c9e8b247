"""Threads that write into CouchDB, whatever state it is in."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import urllib3

from dev.soak.shelf import Shelf
from dev.soak.tasks import Document, Step, draw
from pillowtop.endpoints import Endpoint

PACE_SECONDS = 0.05
AFTER_FAILURE_SECONDS = 0.3
REQUEST_SECONDS = 10.0
WRITERS = 4


class Unanswered(Exception):
    """CouchDB did not answer, or not as it should: the request may have been obeyed or not."""


class Writer(threading.Thread):
    """Writes documents that are its own, until `end()`; between `pause()` and `go_on()` none."""

    def __init__(self, server: Endpoint, database: str, ids: Sequence[str], seed: str) -> None:
        super().__init__(name=f"writer {seed}", daemon=True)
        self.shelf = Shelf()
        self.counts: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._url = f"{server}/{database}"
        self._ids = ids
        self._rng = random.Random(seed)  # noqa: S311
        self._http = urllib3.PoolManager(
            headers=server.authorization() | {"Content-Type": "application/json"},
            ca_certs=server.ca_certs,
            retries=False,
            timeout=REQUEST_SECONDS,
        )
        self._ended = threading.Event()
        self._turn = threading.Lock()

    def pause(self) -> None:
        """Return once the task at hand is done; there is no other until `go_on()`."""
        self._turn.acquire()

    def go_on(self) -> None:
        self._turn.release()

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        try:
            while not self._ended.wait(self._rng.expovariate(1 / PACE_SECONDS)):
                with self._turn:
                    done = self._do(draw(self._rng, self._ids))
                if not done:
                    self._ended.wait(AFTER_FAILURE_SECONDS)
        except BaseException as error:
            self.error = error
            raise

    def _do(self, steps: Sequence[Step]) -> bool:
        """Whether CouchDB has answered to all steps."""
        for step in steps:
            if self._ended.is_set():
                break
            try:
                self._take(step)
            except Unanswered:
                self.counts["unanswered"] += 1
                self.shelf.forget(step.documents)
                return False
        return True

    def _take(self, step: Step) -> None:
        if unknown := self.shelf.unknown(step):
            self.shelf.learn(self._revs(unknown))
        documents = self.shelf.addressed(step, self._rng)
        if documents:
            body = {"docs": documents, "new_edits": not step.conflicting}
            answers = self._ask("_bulk_docs", body)
            self.shelf.take(documents, answers)
            self._count(step, documents, answers)

    def _count(
        self, step: Step, documents: Sequence[Document], answers: Sequence[Mapping[str, Any]]
    ) -> None:
        refused = {one["id"] for one in answers if "error" in one}
        for one in documents:
            self.counts["refused" if one["_id"] in refused else _kind(step, one)] += 1

    def _revs(self, ids: Sequence[str]) -> dict[str, str | None]:
        rows = self._ask("_all_docs", {"keys": ids})["rows"]
        return {row["key"]: _live_rev(row) for row in rows}

    def _ask(self, path: str, body: Any) -> Any:
        try:
            answer = self._http.request(
                "POST", f"{self._url}/{path}", body=msgspec.json.encode(body)
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unanswered from error
        if answer.status not in (200, 201, 202):
            raise Unanswered
        return msgspec.json.decode(answer.data)


def _kind(step: Step, document: Document) -> str:
    if step.conflicting:
        return "conflicts"
    if "_deleted" in document:
        return "deleted"
    return "updated" if "_rev" in document else "created"


def _live_rev(row: Mapping[str, Any]) -> str | None:
    value = row.get("value") or {}
    return None if value.get("deleted") else value.get("rev")
