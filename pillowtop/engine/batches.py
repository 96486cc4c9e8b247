"""Batches: when nothing is under way they are small, under load they fill."""

from __future__ import annotations

import msgspec

from pillowtop.engine.items import Item
from pillowtop.engine.letters import Letter


class Limits(msgspec.Struct, frozen=True):
    """What bounds a batch: documents, bytes, and seconds for which it may wait to fill."""

    documents: int = 1000
    max_bytes: int = 5 * 1024 * 1024
    linger_seconds: float = 0.5


class Batch:
    """Writes that go out together: at most one per document, the last one (rule 2).

    What a hook refused travels along as letters, so that the checkpoint waits for them too.
    """

    def __init__(self, opened_at: float) -> None:
        self.opened_at = opened_at
        self.items: dict[str, Item] = {}
        self.letters: dict[str, Letter] = {}
        self.size = 0

    def add(self, item: Item) -> None:
        """Take a write, in place of an earlier one of the same document."""
        if item.id in self.items:
            self.size -= self.items.pop(item.id).size
        self.items[item.id] = item
        self.size += item.size
        if self.letters:
            self.letters.pop(item.doc_id, None)

    def add_letter(self, letter: Letter) -> None:
        """Take the letter of a change that became no write."""
        self.letters[letter.doc_id] = letter

    def is_full(self, limits: Limits) -> bool:
        if self.size >= limits.max_bytes:
            return True
        return len(self.items) + len(self.letters) >= limits.documents

    def shares_a_document_with(self, other: Batch) -> bool:
        """Whether the two must go one after the other."""
        return not (
            self.items.keys().isdisjoint(other.items.keys())
            and self.items.keys().isdisjoint(other.letters.keys())
            and self.letters.keys().isdisjoint(other.items.keys())
            and self.letters.keys().isdisjoint(other.letters.keys())
        )


def is_due(batch: Batch, *, in_flight: int, more: bool, now: float, limits: Limits) -> bool:
    """Whether a batch should go out rather than wait for more.

    A full one always. One that is not full goes when nothing is under way and the feed has
    nothing more at once, or when it has waited for long enough.
    """
    if batch.is_full(limits):
        return True
    if in_flight == 0 and not more:
        return True
    return now - batch.opened_at >= limits.linger_seconds
