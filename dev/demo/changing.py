"""What the demo changes: airports leave France and join it, get other names, and are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """Documents to save; those of `deleted` are tombstones."""

    leaving: list[Document]
    joining: list[Document]
    renamed: list[Document]
    deleted: list[Document]

    @property
    def all(self) -> list[Document]:
        return [*self.leaving, *self.joining, *self.renamed, *self.deleted]

    def __str__(self) -> str:
        return (
            f"{len(self.leaving)} airports leave France, {len(self.joining)} join it, "
            f"{len(self.renamed)} get another name, {len(self.deleted)} are deleted"
        )


def plan(documents: Sequence[Document]) -> Changes:
    """The same changes for the same documents. No document is changed in two ways."""
    ordered = sorted(documents, key=lambda document: str(document["_id"]))
    french = [document for document in ordered if document["country"] == "FR"]
    others = [document for document in ordered if document["country"] != "FR"]
    return Changes(
        leaving=[{**document, "country": "MC"} for document in french[:10]],
        joining=[{**document, "country": "FR"} for document in others[:10]],
        renamed=[
            {**document, "name": document["name"].upper()}
            for document in french[10:30] + others[10:490]
        ],
        deleted=[
            {"_id": document["_id"], "_rev": document["_rev"], "_deleted": True}
            for document in french[30:50] + others[490:670]
        ],
    )
