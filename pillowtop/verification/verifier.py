"""Compares a pillow's target with its database, while the pillow may run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Self

import msgspec

from pillowtop.engine.comparing import Kind, Sight
from pillowtop.verification.insisting import insist
from pillowtop.verification.scopes import Scope
from pillowtop.verification.shelf import State, Suspects
from pillowtop.verification.sides import Sides
from pillowtop.verification.standpoint import Standpoint

PAUSE_SECONDS = 1.0
"""Between two looks at what differs."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification has come to: numbers of documents.

    `letters` differ and have a dead letter; `ignored` differ as a hook fails on them, of a pillow
    whose `on_error` is 'ignore'; `backlog` differ, and the pillow has not come to
    their last change yet; `moving` differ, and were never the same at two looks.
    """

    pillow: str
    compared: int
    missing: int
    stale: int
    orphaned: int
    letters: int
    ignored: int
    backlog: int
    moving: int
    design_documents: int

    @property
    def differences(self) -> int:
        return self.missing + self.stale + self.orphaned


class Verifier:
    """One verification. It waits for `patience_seconds` at most for a worker to deliver.

    A difference counts where it is the same at two looks, and the feed does not bring the document
    behind the position that was saved before the second one: then the pillow has had its last
    change, and is done with it.
    """

    def __init__(self, sides: Sides, standpoint: Standpoint, patience_seconds: float) -> None:
        self.sides = sides
        self._standpoint = standpoint
        self._patience_seconds = patience_seconds
        self._suspects = Suspects()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._suspects.__exit__(*error)

    def compare(self, scope: Scope) -> None:
        """Look at all documents of a scope, and again at those that differ until that is sure."""
        self._suspects.add(scope.unequal(self.sides))
        self._settle()

    def compare_again(self) -> None:
        """Look once more at what differed, as after a repair."""
        self._suspects.reopen()
        self._settle()

    def differences(self) -> Iterator[list[Sight]]:
        """What differs for sure, some at a time, in the order of ids."""
        return self._suspects.confirmed()

    def verdict(self, compared: int) -> Verdict:
        counts = self._suspects.counts()

        def number(state: State, kind: Kind | None = None) -> int:
            return sum(
                count for (was, of), count in counts.items() if was is state and kind in (None, of)
            )

        return Verdict(
            pillow=self.sides.pillow.name,
            compared=compared,
            missing=number(State.CONFIRMED, Kind.MISSING),
            stale=number(State.CONFIRMED, Kind.STALE),
            orphaned=number(State.CONFIRMED, Kind.ORPHANED),
            letters=number(State.LETTER),
            ignored=number(State.IGNORED),
            backlog=number(State.WAITING),
            moving=number(State.OPEN),
            design_documents=self.sides.expectations.design_documents,
        )

    def _settle(self) -> None:
        deadline = time.monotonic() + self._patience_seconds
        while self._suspects.has(State.OPEN, State.WAITING):
            time.sleep(PAUSE_SECONDS)
            self._look_again()
            hopeless = not (self._suspects.has(State.OPEN) or self._standpoint.is_run())
            if hopeless or time.monotonic() > deadline:
                break

    def _look_again(self) -> None:
        # Before the look: what is delivered by then is seen, and what is not is behind it.
        target = insist(self.sides.transport.identity)
        position = insist(lambda: self._standpoint.delivered_to(target))
        insist(self.sides.holdings.refresh)
        if self.sides.is_filtered:
            self._suspects.replace(self.sides.all_unequal())
            for sights in self._suspects.confirmed():
                self._tell_apart(sights)
        else:
            for doc_ids in self._suspects.unsettled():
                sights = self.sides.sights_of(doc_ids)
                self._suspects.look_again(sights)
                self._tell_apart(sights)
        for changes in self.sides.changed_since(position):
            self._suspects.mark((one.id for one in changes), State.WAITING)

    def _tell_apart(self, sights: list[Sight]) -> None:
        """At once: a letter that goes later takes its difference with it."""
        different = [one for one in sights if one.difference]
        if self.sides.pillow.on_error == "ignore":
            failing = (one.doc_id for one in different if one.is_unknown)
            self._suspects.mark(failing, State.IGNORED)
        letters = self._standpoint.have_letters([one.doc_id for one in different])
        self._suspects.mark(letters, State.LETTER)
