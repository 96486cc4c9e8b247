"""Whether a database and a target agree, document by document. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

import msgspec

from pillowtop.engine.items import HERE, Place


class Kind(StrEnum):
    """How a target differs from what should stand in it."""

    MISSING = "missing"
    """The document should be there, and is not."""

    STALE = "stale"
    """It is there in another revision only, under another id, or in another place."""

    ORPHANED = "orphaned"
    """Something of it is there that should not be."""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A document as one side has it: its id in CouchDB, its revision, its id in the target, its
    place there.

    `target_id` is None where any will do, and any place, as nothing can say which it should be.
    """

    doc_id: str
    rev: str
    target_id: str | None
    place: Place = HERE


class Sight(msgspec.Struct, frozen=True):
    """A document as both sides have it: what should stand in the target, and what does.

    Two sights of what has not moved are equal: `found` is in the order of ids.
    """

    doc_id: str
    wanted: Standing | None
    found: tuple[Standing, ...]

    @classmethod
    def of(cls, doc_id: str, wanted: Standing | None, found: Iterable[Standing]) -> Sight:
        """A sight; `found` comes in any order."""
        return cls(doc_id, wanted, tuple(sorted(found, key=_order)))

    @property
    def difference(self) -> Kind | None:
        """How the sides differ; None where they agree."""
        fitting = [one for one in self.found if self._fits(one)]
        if self.wanted is None:
            return Kind.ORPHANED if self.found else None
        if not self.found:
            return Kind.MISSING
        if not fitting:
            return Kind.STALE
        return Kind.ORPHANED if len(self.found) > 1 else None

    @property
    def is_unknown(self) -> bool:
        """Whether nothing can say what should be there."""
        return self.wanted is not None and self.wanted.target_id is None

    def _fits(self, found: Standing) -> bool:
        wanted = self.wanted
        return (
            wanted is not None
            and found.rev == wanted.rev
            and (
                wanted.target_id is None
                or (wanted.target_id, wanted.place) == (found.target_id, found.place)
            )
        )


def unequal(wanted: Iterable[Standing], found: Iterable[Standing]) -> Iterator[Sight]:
    """The documents on which two sides differ.

    Both come in the order of `doc_id`, what is found of one document together. Where they do not,
    a document may be given twice, as each side has it, but none that differs is left out: whoever
    asks looks at each again.
    """
    groups = groupby(found, key=attrgetter("doc_id"))
    group = next(groups, None)
    for want in wanted:
        while group is not None and group[0] < want.doc_id:
            yield Sight.of(group[0], None, group[1])
            group = next(groups, None)
        standing: tuple[Standing, ...] = ()
        if group is not None and group[0] == want.doc_id:
            standing = tuple(group[1])
            group = next(groups, None)
        # Most are alike: then nothing is made.
        if len(standing) != 1 or standing[0] != want:
            sight = Sight.of(want.doc_id, want, standing)
            if sight.difference:
                yield sight
    while group is not None:
        yield Sight.of(group[0], None, group[1])
        group = next(groups, None)


def _order(standing: Standing) -> tuple[str, ...]:
    place = standing.place
    return standing.target_id or "", standing.rev, place.index, place.routing
