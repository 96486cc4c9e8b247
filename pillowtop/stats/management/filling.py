"""Fills in the past of a statistic, in a process that was started for that."""

from __future__ import annotations

import logging
import time
import uuid

from django.core.management.base import CommandError
from django.db import DatabaseError

from pillowtop import registry
from pillowtop.conf import configuration
from pillowtop.exceptions import ConfigurationError, PillowtopError
from pillowtop.exits import Exit
from pillowtop.management.progress import Phases
from pillowtop.stats import registry as statistics
from pillowtop.stats.history import History
from pillowtop.stats.pillows import Filling, StatsPillow
from pillowtop.stats.plugins import Plugin
from pillowtop.stats.progress import Rules
from pillowtop.stats.records import filling
from pillowtop.stats.records.filling import Backfill, Taken
from pillowtop.stats.store import worded

logger = logging.getLogger(__name__)

HEED_SECONDS = 3.0
"""For how long a pillow that runs is waited for, before it is looked whether it does."""

LOOK_SECONDS = 0.2
TIMES = 3
"""How often messages are looked for that the pillow has counted, and the feed does not show."""


def pillow_of(statistic: str) -> StatsPillow:
    """The pillow that computes a statistic. Raises `ConfigurationError`."""
    statistics.get_plugin(statistic)
    for entry in registry.entries():
        pillow = entry.pillow()
        if isinstance(pillow, StatsPillow) and statistic in pillow.get_plugins():
            return pillow
    raise ConfigurationError(
        f"no pillow computes {statistic!r}: list a StatsPillow in PILLOWTOPS, or the statistic in "
        "its plugins"
    )


class Fill:
    """The steps of a backfill. Interrupted anywhere, the same command goes on from there."""

    def __init__(
        self, pillow: StatsPillow, kind: type[Plugin], since: int, history: History | None
    ) -> None:
        self._pillow = pillow
        self._kind = kind
        self._since = since
        self._history = history

    def run(self) -> Taken:
        """Raises `SystemExit` with the exit code of what could not be run up to the present."""
        try:
            return self._run_steps()
        except filling.Superseded as error:
            raise CommandError(str(error), returncode=Exit.LEASE) from error

    def _run_steps(self) -> Taken:
        backfill = self._begun()
        if self._history is not None:
            self._count(backfill, self._history)
        self._count(backfill)
        filling.ask(backfill)
        self._wait_until_gathering(backfill)
        for attempt in range(1, TIMES + 1):
            self._count(backfill)
            rules, is_last = self._pillow.get_rules(), attempt == TIMES
            taken = self._taken_over(backfill, rules, tolerant=is_last)
            if taken.windows or not taken.missing:
                break
            time.sleep(1.0)  # a node of the cluster may lag behind the one that the pillow reads
        self._log(f"the past of {backfill.statistic} is filled in: {taken.windows} windows")
        self._run(self._pillow)  # where nobody else does: has it write its rows
        return taken

    def _taken_over(self, backfill: Backfill, rules: Rules, *, tolerant: bool) -> Taken:
        try:
            return filling.take_over(backfill, self._kind, rules, tolerant=tolerant)
        except (filling.Superseded, PillowtopError, DatabaseError):
            raise
        except Exception as error:  # of its revert()
            raise CommandError(
                f"{backfill.statistic} gets no rows until its past is filled in, and its plugin "
                f"failed at that: {worded(error)}. Mend it, and type the same again",
                returncode=Exit.UNHEALTHY,
            ) from error

    def _begun(self) -> Backfill:
        name = f"{self._pillow.name}@{uuid.uuid4().hex[:8]}"
        backfill = filling.begin(self._pillow.name, self._kind, name, self._since)
        if backfill is None and self._run(self._pillow) is not Exit.LEASE:
            backfill = filling.begin(self._pillow.name, self._kind, name, self._since)
        if backfill is None:
            raise self._not_computed()
        return backfill

    def _not_computed(self) -> CommandError:
        return CommandError(
            f"the process that runs {self._pillow.name} does not compute this version of "
            f"{self._kind.ident()}: start it again with the code that this command has",
            returncode=Exit.CONFIGURATION,
        )

    def _count(self, backfill: Backfill, history: History | None = None) -> None:
        """Have the filler read up to the present."""
        what = Filling(backfill.statistic, backfill.since, history)
        code = self._run(self._pillow.filler(backfill.filler, what))
        if code:
            raise SystemExit(int(code))

    def _wait_until_gathering(self, backfill: Backfill) -> None:
        while not self._comes_to_gather(backfill):
            # Nobody runs the pillow; or somebody who does not know of the statistic, or is late.
            ended = self._run(self._pillow)
            if ended is Exit.LEASE and not self._comes_to_gather(backfill):
                raise self._not_computed()

    def _comes_to_gather(self, backfill: Backfill) -> bool:
        deadline = time.monotonic() + HEED_SECONDS
        while not (gathers := filling.is_gathering(backfill)) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return gathers

    def _run(self, pillow: StatsPillow) -> Exit:
        from pillowtop.worker.once import catch_up  # noqa: PLC0415  (imports gevent)

        with Phases() as show:
            return catch_up(pillow, configuration(), show)

    def _log(self, words: str) -> None:
        name = self._pillow.name
        logger.info("%s: %s", name, words, extra={"action": "filled_in", "pillow": name})
