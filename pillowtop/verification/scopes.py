"""What is compared: everything, a sample, or what has changed since a position."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Protocol

from pillowtop.changes import Seq
from pillowtop.engine.comparing import Sight
from pillowtop.verification.sides import Sides

RUN_DOCUMENTS = 100
"""Documents of a sample that stand side by side: what is missing between two is seen, too."""

BEFORE_ALL_IDS = ""


class Scope(Protocol):
    """`documents` is how many are about to be compared, as far as that is known."""

    def documents(self, in_database: int) -> int | None: ...

    def unequal(self, sides: Sides) -> Iterator[Sight]:
        """The documents of the scope that differ at a first look."""


class Everything:
    """All documents of the database, and all that the target holds of it."""

    def documents(self, in_database: int) -> int | None:
        return in_database

    def unequal(self, sides: Sides) -> Iterator[Sight]:
        return sides.all_unequal()


class Sample:
    """About `count` documents: runs of a hundred that begin at random ones of the target's."""

    def __init__(self, count: int, rng: random.Random) -> None:
        self._count = count
        self._rng = rng
        self._is_all = False

    def documents(self, in_database: int) -> int | None:
        self._is_all = self._count >= in_database
        return min(self._count, in_database)

    def unequal(self, sides: Sides) -> Iterator[Sight]:
        if self._is_all:
            yield from sides.all_unequal()
            return
        runs = -(-self._count // RUN_DOCUMENTS)
        begins = [BEFORE_ALL_IDS, *sides.holdings.sample(sides.database.name, runs - 1)]
        left = self._count
        for after in self._rng.sample(begins, len(begins)):
            yield from sides.unequal_in(after, min(RUN_DOCUMENTS, left))
            left -= RUN_DOCUMENTS


class Since:
    """The documents that have changed since a position of the feed."""

    def __init__(self, seq: Seq) -> None:
        self._seq = seq

    def documents(self, in_database: int) -> int | None:
        return None

    def unequal(self, sides: Sides) -> Iterator[Sight]:
        for changes in sides.changed_since(self._seq):
            ids = [one.id for one in changes]
            sides.told(len(ids))
            yield from (one for one in sides.sights_of(ids) if one.difference)
