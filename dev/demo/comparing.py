"""Whether an index is in step with its database: the same documents, in the same revisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHOWN = 5

Revs = Mapping[str, str]
"""Ids of documents and their revisions."""


@dataclass(frozen=True)
class Comparison:
    """What an index lacks, what it holds too much, and what it holds in another revision."""

    expected: int
    found: int
    missing: list[str]
    superfluous: list[str]
    outdated: list[str]

    @property
    def in_step(self) -> bool:
        return not (self.missing or self.superfluous or self.outdated)

    @property
    def verdict(self) -> str:
        if self.in_step:
            return "in step"
        parts = [
            f"{len(ids)} {what} ({', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''})"
            for what, ids in (
                ("missing", self.missing),
                ("too many", self.superfluous),
                ("of another revision", self.outdated),
            )
            if ids
        ]
        return "NOT in step: " + "; ".join(parts)


def compare(expected: Revs, found: Revs) -> Comparison:
    return Comparison(
        expected=len(expected),
        found=len(found),
        missing=sorted(expected.keys() - found.keys()),
        superfluous=sorted(found.keys() - expected.keys()),
        outdated=sorted(
            doc_id for doc_id in expected.keys() & found.keys() if expected[doc_id] != found[doc_id]
        ),
    )
