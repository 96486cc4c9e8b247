"""What a fault has to act with, and where it counts what it did."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dev.chaos.network import ChaosProxy, Spell
from dev.chaos.stage import Stage
from dev.proxy import Rewrite, as_it_is
from pillowtop.testing.scripted import Request

MORE_SECONDS = 20.0
POLL_SECONDS = 0.1


@dataclass
class Act:
    """One fault in one run."""

    stage: Stage
    rng: random.Random
    bites: int = 0
    """How often it did harm: a fault that did none has tried nothing."""

    def bite(self) -> None:
        self.bites += 1

    def bite_if(self, has_bitten: object) -> None:
        self.bites += bool(has_bitten)

    def listen(self, words: str) -> Callable[[], int]:
        """How often the worker will have said so since now."""
        before = self.stage.times_said(words)
        return lambda: self.stage.times_said(words) - before

    def lasting(
        self, low: float, high: float, harm: Callable[[], int] | None = None
    ) -> Iterator[float]:
        """For so many seconds; for more where the worker was not there to be harmed."""
        yield self.rng.uniform(low, high)
        waited = 0.0
        while not self._bites(harm) and waited < MORE_SECONDS:
            yield POLL_SECONDS
            waited += POLL_SECONDS

    def _bites(self, harm: Callable[[], int] | None) -> int:
        if harm is not None:
            self.bites = int(harm())
        return self.bites

    def either(self) -> ChaosProxy:
        return self.rng.choice([self.stage.couch, self.stage.elastic])

    @contextmanager
    def under(self, proxy: ChaosProxy, spell: Spell) -> Iterator[None]:
        proxy.spells.append(spell)
        try:
            yield
        finally:
            proxy.spells.remove(spell)

    @contextmanager
    def rewritten(self, rewrite: Rewrite) -> Iterator[None]:
        """Have the pages of the feed rewritten."""

        def counted(request: Request, body: bytes) -> bytes:
            made = rewrite(request, body)
            self.bite_if(made != body)
            return made

        self.stage.couch.rewrite = counted
        try:
            yield
        finally:
            self.stage.couch.rewrite = as_it_is
