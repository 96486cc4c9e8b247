"""Time and memory of this process."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from statistics import quantiles
from types import TracebackType
from typing import Self

from dev.bench.jobs import Figures
from dev.memory import peak_bytes


class Stopwatch:
    """Measures wall and processor time of a block, whatever was imported before it.

    with Stopwatch() as watch:
        ...
    watch.figures(documents)
    """

    def __enter__(self) -> Self:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._wall = time.perf_counter() - self._wall
        self._cpu = time.process_time() - self._cpu

    def figures(self, documents: int, waits: Sequence[float] = ()) -> Figures:
        """`waits` are how many seconds each took, where that was measured."""
        hundredths = quantiles([wait * 1000 for wait in waits], n=100) if waits else None
        return Figures(
            documents=documents,
            wall_seconds=self._wall,
            cpu_seconds=self._cpu,
            peak_bytes=most_bytes(),
            milliseconds_p50=hundredths[49] if hundredths else None,
            milliseconds_p99=hundredths[98] if hundredths else None,
        )


def most_bytes() -> int:
    """The most memory that this process ever had."""
    return peak_bytes() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
