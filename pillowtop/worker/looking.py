"""Looks at what a pillow depends on, so that it shows even while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

from pillowtop.exceptions import StartAgain, TransientError
from pillowtop.worker.figures import Figures, Life
from pillowtop.worker.parts import Ground

LOOK_SECONDS = 4.0


class Looker:
    """Counts the changes that wait in CouchDB, and sees that the target is the one it was.

    What will pass is shown, not logged: who cannot deliver for it says so.
    """

    def __init__(self, ground: Ground, figures: Figures, life: Life, target: str) -> None:
        self._ground = ground
        self._figures = figures
        self._life = life
        self._target = target
        self._failing_since: dict[object, float] = {}

    def run(self) -> None:
        """Look for ever. Raises what is terminal."""
        while True:
            gevent.sleep(LOOK_SECONDS)
            self._attempt(self._count_pending)
            self._attempt(self._look_at_target)

    def _attempt(self, look: Callable[[], None]) -> None:
        try:
            look()
        except TransientError as error:
            since = self._failing_since.setdefault(look, time.monotonic())
            self._figures.failed(look, str(error), since)
        else:
            self._failing_since.pop(look, None)
            self._figures.recovered(look)

    def _count_pending(self) -> None:
        if self._life.database is not None:
            backlogs = self._ground.office.backlogs
            pending = backlogs.behind(self._life.database, self._life.position)
            self._figures.pending_changes = pending

    def _look_at_target(self) -> None:
        if self._ground.transport.identity() != self._target:
            raise StartAgain("the target was made anew")
