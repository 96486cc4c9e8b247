"""The revisions of one document, conflicts included. No I/O."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


class Leaf(msgspec.Struct, frozen=True):
    """The end of a branch. `body` has no `_id` and no `_rev`."""

    rev: str
    deleted: bool
    body: dict[str, Any]

    @property
    def generation(self) -> int:
        return int(self.rev.partition("-")[0])


class Revisions:
    """The leaves of a document's tree of revisions. A revision's name follows from what it says.

    Source: https://docs.couchdb.org/en/stable/replication/conflicts.html
    """

    def __init__(self) -> None:
        self._leaves: list[Leaf] = []

    @property
    def winner(self) -> Leaf | None:
        """The revision that a feed shows: a live one, of the most generations."""
        return max(self._leaves, key=_precedence, default=None)

    def edit(self, body: dict[str, Any], *, deleted: bool = False) -> Leaf:
        """Put a revision on top of the winner."""
        parent = self.winner
        leaf = _leaf(parent.generation + 1 if parent else 1, parent, body, deleted=deleted)
        self._leaves = [other for other in self._leaves if other is not parent] + [leaf]
        return leaf

    def branch(self, body: dict[str, Any], generation: int) -> Leaf:
        """Add a branch of its own, as a replication from another server does."""
        leaf = _leaf(generation, None, body, deleted=False)
        self._leaves.append(leaf)
        return leaf


def _precedence(leaf: Leaf) -> tuple[bool, int, str]:
    return not leaf.deleted, leaf.generation, leaf.rev


def _leaf(generation: int, parent: Leaf | None, body: dict[str, Any], *, deleted: bool) -> Leaf:
    said = [generation, parent.rev if parent else None, deleted, body]
    digest = hashlib.md5(msgspec.json.encode(said, order="sorted"), usedforsecurity=False)
    return Leaf(f"{generation}-{digest.hexdigest()}", deleted, body)
