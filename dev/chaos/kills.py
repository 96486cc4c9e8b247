"""`kill -9` of the worker: at points of its work that have names, and at any time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from dev.chaos.stage import Stage, has_begun
from dev.proxy import Fault, is_bulk, is_checkpoint

ANY_TIME = "at any time"
POINTS = (
    "before a bulk",
    "during a bulk",
    "after a bulk",
    "before a checkpoint",
    "during a checkpoint",
    "after a checkpoint",
    ANY_TIME,
)
PASSED = (0, 0, 1, 2, 4, 8)
"""How often a point is passed alive: what starts over each time gets nowhere."""

BEGIN_SECONDS = 6.0
"""For how long a new life is let alone at most, until it has begun."""

WAIT_SECONDS = 3.0
POLL_SECONDS = 0.05


def kills(stage: Stage, rng: random.Random, count: int) -> Iterator[float]:
    """Kill the worker so often, and start it again each time, as supervisord does."""
    for _ in range(count):
        yield from begun(stage)
        yield from _kill(stage, rng)
        yield rng.uniform(0, 0.3)
        stage.start_worker()


def begun(stage: Stage) -> Iterator[float]:
    waited = 0.0
    while not has_begun(stage.worker) and waited < BEGIN_SECONDS:
        yield POLL_SECONDS
        waited += POLL_SECONDS


def _kill(stage: Stage, rng: random.Random) -> Iterator[float]:
    point = rng.choice(POINTS)
    if point != ANY_TIME:
        armed = _armed(stage, point, rng.choice(PASSED))
        proxy = stage.elastic if "bulk" in point else stage.couch
        proxy.faults.append(armed)
        waited = 0.0
        while stage.worker.pid is not None and waited < WAIT_SECONDS:
            yield POLL_SECONDS
            waited += POLL_SECONDS
        proxy.faults.remove(armed)
    else:
        yield rng.uniform(0, 2)
    stage.kill_worker(ANY_TIME)


def _armed(stage: Stage, point: str, passed: int) -> Fault:
    matches = is_bulk if "bulk" in point else is_checkpoint
    return Fault(
        matches,
        partial(stage.kill_worker, point),
        after=point.startswith("after"),
        passed=passed,
        # What is under way at the moment of death is applied; before it, it is not.
        reset=not point.startswith("during"),
    )
