"""What is done to whom, and when: a storm's harms, all of which a seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

GAP_SECONDS = (4.0, 12.0)
AT_ONCE_SECONDS = (0.2, 2.0)
AT_ONCE_ONE_IN = 2
"""How often the next one is harmed right after the last: a worker that dies while what it delivers
to hangs is what loses documents, if anything does."""
DOWN_SECONDS = (1.0, 8.0)
HANGS_SECONDS = (1.0, 10.0)
HANGS_LONG_SECONDS = (65.0, 80.0)
"""Longer than a bulk may take, so that a request which was given up is applied afterwards."""
LONG_ONE_IN = 12
BREATH_SECONDS = 1.0


class Deed(StrEnum):
    KILL = "kill"
    PAUSE = "pause"
    RESTART = "restart"


@dataclass(frozen=True, order=True)
class Harm:
    """`at` counts from the storm's beginning; `lasts` is how long it is down, or hangs."""

    at: float
    victim: str
    deed: Deed
    lasts: float = 0.0

    @property
    def ends(self) -> float:
        return self.at + self.lasts

    def __str__(self) -> str:
        return f"{self.deed} {self.victim}" + (f", for {self.lasts:.1f} s" if self.lasts else "")


def storm(seed: int, number: int, seconds: float, victims: Sequence[str]) -> list[Harm]:
    """The harms of a storm in their order. Those to one victim do not overlap, others may."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311
    free = dict.fromkeys(victims, 0.0)
    harms: list[Harm] = []
    now = 0.0
    for victim, deed in _deals(rng, victims):
        is_at_once = bool(harms) and rng.randrange(AT_ONCE_ONE_IN) == 0
        now += rng.uniform(*(AT_ONCE_SECONDS if is_at_once else GAP_SECONDS))
        if now >= seconds:
            break
        at = max(now, free[victim])
        harm = Harm(at, victim, deed, _lasts(rng, deed, seconds - at))
        if harm.ends < seconds:
            harms.append(harm)
            free[victim] = harm.ends + BREATH_SECONDS
    return sorted(harms)


def _deals(rng: random.Random, victims: Sequence[str]) -> Iterator[tuple[str, Deed]]:
    """Everything to everybody, shuffled, again and again; a kill of each comes first."""
    deck = [(victim, deed) for victim in victims for deed in Deed]
    rng.shuffle(deck)
    yield from sorted(deck, key=lambda deal: deal[1] is not Deed.KILL)
    while True:
        rng.shuffle(deck)
        yield from deck


def _lasts(rng: random.Random, deed: Deed, at_most: float) -> float:
    if deed is Deed.RESTART:
        return 0.0
    if deed is Deed.KILL:
        return rng.uniform(*DOWN_SECONDS)
    is_long = rng.randrange(LONG_ONE_IN) == 0 and HANGS_LONG_SECONDS[1] < at_most
    return rng.uniform(*(HANGS_LONG_SECONDS if is_long else HANGS_SECONDS))
