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

    def __init__(self, opened_at: float, limits: Limits) -> None:
        self.opened_at = opened_at
        self.limits = limits
        self.items: dict[str, Item] = {}
        self.letters: dict[str, Letter] = {}
        self.size = 0
        self.present = False
        """Whether the feed had nothing more behind it."""

    def add(self, item: Item) -> bool:
        """Take a write, in place of an earlier one of the same document. True: now it is full."""
        items, limits = self.items, self.limits
        if item.id in items:
            self.size -= items.pop(item.id).size
        items[item.id] = item
        self.size = size = self.size + item.size
        if self.letters:
            self.letters.pop(item.doc_id, None)
            return self.is_full
        # The way of nearly all: `is_full` would cost as much as the rest of it.
        return size >= limits.max_bytes or len(items) >= limits.documents

    def add_letter(self, letter: Letter) -> bool:
        """Take the letter of a change that became no write. True: now it is full."""
        self.letters[letter.doc_id] = letter
        return self.is_full

    def is_due(self, *, in_flight: int, more: bool, now: float) -> bool:
        """Whether it should go out rather than wait for more.

        A full one always. One that is not full goes when nothing is under way and the feed has
        nothing more at once, or when it has waited for long enough.
        """
        if self.is_full or (in_flight == 0 and not more):
            return True
        return now - self.opened_at >= self.limits.linger_seconds

    def shares_a_document_with(self, other: Batch) -> bool:
        """Whether the two must go one after the other."""
        return not (
            self.items.keys().isdisjoint(other.items.keys())
            and self.items.keys().isdisjoint(other.letters.keys())
            and self.letters.keys().isdisjoint(other.items.keys())
            and self.letters.keys().isdisjoint(other.letters.keys())
        )

    @property
    def is_full(self) -> bool:
        limits = self.limits
        return (
            self.size >= limits.max_bytes or len(self.items) + len(self.letters) >= limits.documents
        )
