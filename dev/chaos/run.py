"""One run: harm, then peace, then an exact comparison."""

from __future__ import annotations

import heapq
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from airports.couch import CouchError
from dev.chaos.act import Act
from dev.chaos.faults import FAULTS
from dev.chaos.kills import begun, kills
from dev.chaos.plan import Plan
from dev.chaos.stage import Servers, Stage, has_begun, load
from dev.demo.indices import SearchError
from dev.soak.comparing import Difference
from pillowtop.exits import Exit

PATIENCE_SECONDS = 40.0
"""For how long it may take to come nearer to being in step once all harm is done: how long the
whole takes is a matter of the machine."""

TICK_SECONDS = 0.1
UP_SECONDS = 20.0
"""How long the worker may take to begin before it is harmed all the same."""

SHOWN = 5
TRACEBACK = "Traceback (most recent call last)"
LAST = {"_id": "the last", "country": "FR", "lat": 0, "lon": 0, "elevation": 0}


@dataclass
class Result:
    """What a run has come to; `problems` are in words."""

    plan: Plan
    seconds: float = 0.0
    catch_up_seconds: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    bites: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def idle(self) -> list[str]:
        """The faults that did nothing."""
        return [name for name, times in self.bites.items() if not times]


def run(servers: Servers, plan: Plan, name: str) -> Result:
    """Play a plan in a database of that name."""
    result = Result(plan)
    began = time.monotonic()
    stage = Stage(servers, name, plan.seed)
    with stage.set_up():
        ids = load(stage.database, plan.documents)
        stage.start_worker()
        stage.start_writers(ids)
        _supervise(stage, lambda: has_begun(stage.worker) or time.monotonic() > began + UP_SECONDS)
        acts = {name: Act(stage, _rng(plan, name)) for name in plan.faults}
        _play(stage, [*_faults(plan, acts), kills(stage, _rng(plan, "kills"), plan.kills)])
        stage.end_writers()
        _judge(stage, result)
    result.killed = stage.killed
    result.bites = {name: act.bites for name, act in acts.items()}
    result.seconds = time.monotonic() - began
    return result


def _rng(plan: Plan, name: str) -> random.Random:
    return random.Random(f"{plan.seed}/{name}")  # noqa: S311


def _faults(plan: Plan, acts: dict[str, Act]) -> Iterator[Iterator[float]]:
    rng = _rng(plan, "times")
    for name, act in acts.items():
        yield _later(act.stage, FAULTS[name](act), rng.uniform(0, 3))


def _later(stage: Stage, act: Iterator[float], seconds: float) -> Iterator[float]:
    """Harm nobody who is not there."""
    yield seconds
    yield from begun(stage)
    yield from act


def _play(stage: Stage, acts: list[Iterator[float]]) -> None:
    """Have each act go on when its time has come, in this one thread: servers end with it."""
    moments = [(time.monotonic(), number, act) for number, act in enumerate(acts)]
    while moments:
        at, number, act = heapq.heappop(moments)
        _supervise(stage, lambda until=at: time.monotonic() >= until)  # type: ignore[misc]
        pause = next(act, None)
        if pause is not None:
            heapq.heappush(moments, (time.monotonic() + pause, number, act))


def _supervise(stage: Stage, is_over: Callable[[], bool]) -> None:
    """Start the worker again when it has ended, as supervisord does."""
    while not is_over():
        if stage.worker.pid is None:
            stage.start_worker()
        time.sleep(TICK_SECONDS)


def _judge(stage: Stage, result: Result) -> None:
    """Wait until everything is in step, or nothing moves any more; note what is wrong then."""
    began = time.monotonic()
    deadline, fewest = began + PATIENCE_SECONDS, sys.maxsize
    list(stage.database.save([LAST]))
    found: list[Difference] | None = None
    while found != [] and time.monotonic() < deadline:
        _supervise(stage, _moment(TICK_SECONDS * 3))
        try:
            found = stage.reader.differences()
        except (CouchError, SearchError):
            found = None
        if found is not None and len(found) < fewest:
            deadline, fewest = time.monotonic() + PATIENCE_SECONDS, len(found)
    result.catch_up_seconds = time.monotonic() - began
    if found is None or any(one.doc_id == LAST["_id"] for one in found):
        result.counts["stuck"] += 1
        result.problems.append(f"no nearer to being in step for {PATIENCE_SECONDS:g} s of peace")
    else:
        result.counts.update(one.kind for one in found)
    result.problems += [str(one) for one in (found or [])[:SHOWN]]
    _look_at_log(stage, result)


def _look_at_log(stage: Stage, result: Result) -> None:
    if TRACEBACK in stage.said():
        result.problems.append("the worker met an error that nobody expected")
    wrong = stage.worker.exit_codes.keys() & {int(Exit.UNEXPECTED), int(Exit.USAGE)}
    if wrong:
        result.problems.append(f"the worker ended with exit code {wrong.pop()}")


def _moment(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until
