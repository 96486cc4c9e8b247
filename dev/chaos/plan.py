"""Which faults a run has, and how often its worker is killed: all decided by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from dev.chaos.faults import FAULTS, KINDS, UNKNOWABLE

KILLS = (4, 8)
PAIRS_SHARE = 0.6
DOCUMENTS = (50, 1500)


@dataclass(frozen=True)
class Plan:
    """One run. `seed` is of everything that is drawn in it."""

    seed: str
    faults: tuple[str, ...]
    kills: int
    documents: int

    def __str__(self) -> str:
        return f"{' + '.join(self.faults)}, {self.kills} kills, {self.documents} documents"


def plan(seed: int, number: int, only: Sequence[str] = ()) -> Plan:
    """The run of that number, from 1 on. `only` chooses among the faults."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311
    names = list(only or FAULTS)
    # Each fault has its turn; what comes with it is drawn.
    first = names[(number - 1) % len(names)]
    others = [name for name in names if may_meet(first, name)]
    pair = (rng.choice(others),) if others and rng.random() < PAIRS_SHARE else ()
    return Plan(f"{seed}/{number}", (first, *pair), rng.randint(*KILLS), rng.randint(*DOCUMENTS))


def may_meet(one: str, other: str) -> bool:
    return KINDS[one] != KINDS[other] and frozenset({one, other}) not in UNKNOWABLE
