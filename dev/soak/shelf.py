"""What a writer knows of its documents: nobody else writes them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from dev.soak.tasks import Document, Step


class Shelf:
    """Revisions as CouchDB has acknowledged them; None is a document that is not there.

    A document whose last write was not answered is forgotten, and so is always one that has had
    conflicts: which of its revisions wins is CouchDB's business.
    """

    def __init__(self) -> None:
        self._revs: dict[str, str | None] = {}
        self._tangled: set[str] = set()

    @property
    def known(self) -> Mapping[str, str | None]:
        return self._revs

    def unknown(self, step: Step) -> list[str]:
        """The ids that have to be looked up before the step."""
        return [one["_id"] for one in step.documents if one["_id"] not in self._revs]

    def learn(self, revs: Mapping[str, str | None]) -> None:
        self._revs |= revs

    def forget(self, documents: Iterable[Document]) -> None:
        for one in documents:
            self._revs.pop(one["_id"], None)

    def addressed(self, step: Step, rng: random.Random) -> list[Document]:
        """The step's documents with their revisions, those left out that cannot be written."""
        revs = self._revs
        present = [one for one in step.documents if revs[one["_id"]]]
        if step.conflicting:
            self._tangled |= {one["_id"] for one in present}
            return [one | _branch(revs[one["_id"]] or "", rng) for one in present]
        absent = [one for one in step.documents if not (revs[one["_id"]] or "_deleted" in one)]
        return [one | {"_rev": revs[one["_id"]]} for one in present] + absent

    def take(self, documents: Iterable[Document], answers: Iterable[Mapping[str, Any]]) -> None:
        """Note what CouchDB has answered to documents that were sent."""
        revs = {one["id"]: one["rev"] for one in answers if "rev" in one}
        for one in documents:
            doc_id = one["_id"]
            if doc_id in revs and doc_id not in self._tangled:
                self._revs[doc_id] = None if "_deleted" in one else revs[doc_id]
            else:
                self._revs.pop(doc_id, None)


def _branch(rev: str, rng: random.Random) -> Document:
    """Another revision of the same generation, of which no parent is known."""
    generation, digest = int(rev.partition("-")[0]), f"{rng.getrandbits(128):032x}"
    return {
        "_rev": f"{generation}-{digest}",
        "_revisions": {"start": generation, "ids": [digest]},
    }
