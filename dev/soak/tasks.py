"""What a writer does next: documents to save, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Document = dict[str, Any]

COUNTRIES = ("FR", "FR", "DE", "MC", "IT")
"""Half of all writes move an airport into France or out of it: a pillow takes only those."""
WORDS = ("runway", "tower", "apron", "hangar", "radar", "gate", "ängström", "雲", "\n", '"')
FAVOURITES = 20
FAVOURED_ONE_IN = 4
NEW_IDS = 4000
LEFT_ALONE_ONE_IN = 50


class Kind(StrEnum):
    SAVE = "save"
    BULK = "bulk"
    DELETE = "delete"
    BURST = "burst"
    RECREATE = "recreate"
    BIG = "big"
    SPOIL = "spoil"
    CONFLICT = "conflict"


WEIGHTS = {
    Kind.SAVE: 40,
    Kind.BULK: 1,
    Kind.DELETE: 15,
    Kind.BURST: 12,
    Kind.RECREATE: 10,
    Kind.BIG: 2,
    Kind.SPOIL: 3,
    Kind.CONFLICT: 6,
}


@dataclass(frozen=True)
class Step:
    """One request: documents without their revisions, those with `_deleted` to be deleted.

    `conflicting` ones become another branch beside the revision that is there.
    """

    documents: list[Document]
    conflicting: bool = False


def pool(existing: Sequence[str], writers: int) -> list[list[str]]:
    """The ids that each writer has for its own: existing ones and new ones."""
    left_alone = set(existing[::LEFT_ALONE_ONE_IN])
    ids = [doc_id for doc_id in existing if doc_id not in left_alone]
    ids += [f"soak/ä +{number:04}" for number in range(NEW_IDS)]
    return [ids[number::writers] for number in range(writers)]


def draw(rng: random.Random, ids: Sequence[str]) -> list[Step]:
    """The steps of a task on some of these documents, each to be taken after the other."""
    (kind,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    return steps(kind, rng, ids)


def steps(kind: Kind, rng: random.Random, ids: Sequence[str]) -> list[Step]:
    one = _choose(rng, ids)
    return {
        Kind.SAVE: lambda: [_saving(rng, _some(rng, ids, 10))],
        Kind.BULK: lambda: [_saving(rng, _some(rng, ids, 400))],
        Kind.DELETE: lambda: [_deleting(_some(rng, ids, 10))],
        Kind.BURST: lambda: [_saving(rng, [one]) for _ in range(rng.randint(3, 15))],
        Kind.RECREATE: lambda: [_saving(rng, [one]), _deleting([one]), _saving(rng, [one])],
        Kind.BIG: lambda: [Step([airport(rng, one) | {"notes": _notes(rng)}])],
        Kind.SPOIL: lambda: [Step([spoiled(airport(rng, one))])],
        Kind.CONFLICT: lambda: [Step([airport(rng, one)], conflicting=True)],
    }[kind]()


def airport(rng: random.Random, doc_id: str) -> Document:
    """An airport as the example publishes them."""
    return {
        "_id": doc_id,
        "iata": doc_id[:3],
        "icao": f"{rng.randrange(16**4):04X}",
        "name": " ".join(rng.choices(WORDS, k=3)),
        "city": rng.choice(WORDS),
        "country": rng.choice(COUNTRIES),
        "elevation": round(rng.uniform(-1000, 15000), 1),
        "lat": round(rng.uniform(-90, 90), 5),
        "lon": round(rng.uniform(-180, 180), 5),
    }


def spoiled(document: Document) -> Document:
    """One on which the pillows' hook fails, so that it has to become a dead letter."""
    return {name: value for name, value in document.items() if name != "elevation"}


def _saving(rng: random.Random, ids: Sequence[str]) -> Step:
    return Step([airport(rng, doc_id) for doc_id in ids])


def _deleting(ids: Sequence[str]) -> Step:
    return Step([{"_id": doc_id, "_deleted": True} for doc_id in ids])


def _choose(rng: random.Random, ids: Sequence[str]) -> str:
    """Some documents are written far more often than others."""
    is_favourite = rng.randrange(FAVOURED_ONE_IN) == 0
    return rng.choice(ids[:FAVOURITES] if is_favourite else ids)


def _some(rng: random.Random, ids: Sequence[str], at_most: int) -> list[str]:
    count = rng.randint(1, at_most)
    return list(dict.fromkeys(_choose(rng, ids) for _ in range(count)))


def _notes(rng: random.Random) -> str:
    """20 KB to 1 MB of words."""
    return " ".join(rng.choices(WORDS, k=64)) * rng.randint(50, 2500)
