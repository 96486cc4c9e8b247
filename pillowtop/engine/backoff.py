"""Full-jitter back-off."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Seconds to wait before the next attempt: random between 0 and a bound that doubles.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """

    def __init__(
        self,
        base_seconds: float = 0.1,
        max_seconds: float = 30.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._base = base_seconds
        self._max = max_seconds
        self._uniform = uniform
        self.attempts = 0

    def next(self) -> float:
        # The exponent is bounded, as 2.0 ** 1024 overflows after a very long outage.
        bound = min(self._max, self._base * 2 ** min(self.attempts, 32))
        self.attempts += 1
        return self._uniform(0.0, bound)

    def reset(self) -> None:
        self.attempts = 0
