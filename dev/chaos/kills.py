"""`kill -9` of the worker: at points of its work that have names, and at any time."""

from __future__ import annotations

import random
from collections.abc import Iterator

from dev.chaos.stage import Stage
from dev.proxy import Fault, is_bulk, is_checkpoint

POINTS = (
    "before a bulk",
    "during a bulk",
    "after a bulk",
    "before a checkpoint",
    "during a checkpoint",
    "after a checkpoint",
    "at any time",
)
WAIT_SECONDS = 3.0
POLL_SECONDS = 0.05
UP_SECONDS = 1.5
"""For how long a new life is let alone at least: it takes about a second to begin."""


def kills(stage: Stage, rng: random.Random, count: int) -> Iterator[float]:
    """Kill the worker so often, and start it again each time, as supervisord does."""
    for _ in range(count):
        yield from _kill(stage, rng)
        yield rng.uniform(0, 0.3)
        stage.start_worker()
        yield UP_SECONDS


def _kill(stage: Stage, rng: random.Random) -> Iterator[float]:
    point = rng.choice(POINTS)
    if point != "at any time":
        armed = _armed(stage, point)
        proxy = stage.elastic if "bulk" in point else stage.couch
        proxy.faults.append(armed)
        waited = 0.0
        while stage.worker.pid is not None and waited < WAIT_SECONDS:
            yield POLL_SECONDS
            waited += POLL_SECONDS
        proxy.faults.remove(armed)
    else:
        yield rng.uniform(0, 2)
    stage.kill_worker()


def _armed(stage: Stage, point: str) -> Fault:
    matches = is_bulk if "bulk" in point else is_checkpoint
    return Fault(
        matches,
        stage.kill_worker,
        after=point.startswith("after"),
        # What is under way at the moment of death is applied; before it, it is not.
        reset=not point.startswith("during"),
    )
