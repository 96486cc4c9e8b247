"""What an index and the dead letters have to be, and in what they differ from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pillowtop.changes import METADATA

Source = Mapping[str, Any]
Sources = Mapping[str, Source]


@dataclass(frozen=True)
class State:
    """Of one pillow: what stands in its index by id, and which documents have a dead letter."""

    sources: Sources = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    """Ids, and what is to be said of them."""

    def revs_only(self) -> State:
        revs = {
            doc_id: {"pillowtop": {"rev": _rev(source)}} for doc_id, source in self.sources.items()
        }
        return State(revs, self.letters)


class Kind(StrEnum):
    LOST = "lost"
    STALE = "stale"
    RESURRECTED = "resurrected"


Problem = tuple[str, str, Kind]
"""Of which document, in words, and of what kind."""


@dataclass(frozen=True, order=True)
class Difference:
    pillow: str
    doc_id: str
    problem: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.pillow}: {self.doc_id!r} {self.problem}"


def expected(pillow: Any, documents: Iterable[dict[str, Any]]) -> State:
    """What a pillow has to make of all documents of its database, by its own hooks."""
    sources, letters = {}, {}
    takes = getattr(pillow, "python_filter", bool)
    for document in documents:
        doc_id, rev = document["_id"], document["_rev"]
        try:
            made = pillow.change_transform(dict(document)) if takes(document) else None
        except Exception as error:  # noqa: BLE001 - whatever a hook raises makes a letter
            letters[doc_id] = f"{type(error).__name__}: {error}"
            continue
        if made is not None:
            kept = {name: value for name, value in made.items() if name not in METADATA}
            origin = {"id": doc_id, "rev": rev, "database": pillow.couch_db, "pillow": pillow.name}
            sources[doc_id] = kept | {"pillowtop": origin}
    return State(sources, letters)


def differences(pillow: str, wanted: State, found: State) -> list[Difference]:
    """All of them, in order. What stands in the index for a document with a letter is left out:
    it may be an older revision, or nothing."""
    problems = [*_of_sources(wanted, found.sources), *_of_letters(wanted.letters, found.letters)]
    return sorted(Difference(pillow, *problem) for problem in problems)


def lost(known: Mapping[str, str | None], revs: Mapping[str, str]) -> list[Difference]:
    """Writes that CouchDB has acknowledged and does not have: then no index can be blamed."""
    return [
        Difference(
            "CouchDB", doc_id, f"has {revs.get(doc_id)}, but {rev} was acknowledged", Kind.LOST
        )
        for doc_id, rev in sorted(known.items())
        if revs.get(doc_id) != rev
    ]


def _of_sources(wanted: State, found: Sources) -> Iterator[Problem]:
    for doc_id, source in wanted.sources.items():
        if doc_id not in found:
            yield doc_id, f"is missing in the index, in revision {_rev(source)}", Kind.LOST
        elif _rev(found[doc_id]) != _rev(source):
            yield (
                doc_id,
                f"is indexed in revision {_rev(found[doc_id])}, not {_rev(source)}",
                Kind.STALE,
            )
        elif found[doc_id] != source:
            fields = ", ".join(_fields(source, found[doc_id]))
            yield doc_id, f"is indexed with other content: {fields}", Kind.STALE
    for doc_id, source in found.items():
        if doc_id not in wanted.sources and doc_id not in wanted.letters:
            problem = f"should not be in the index, and is, in revision {_rev(source)}"
            yield doc_id, problem, Kind.RESURRECTED


def _of_letters(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Problem]:
    for doc_id in wanted.keys() - found.keys():
        yield doc_id, f"has no dead letter ({wanted[doc_id]})", Kind.LOST
    for doc_id in found.keys() - wanted.keys():
        yield doc_id, f"has a dead letter it should not have: {found[doc_id]}", Kind.STALE


def _fields(one: Source, other: Source) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _rev(source: Source) -> str:
    rev: str = source["pillowtop"]["rev"]
    return rev
