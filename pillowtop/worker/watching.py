"""Notices a lane that does not move, and ends its life, so that another begins."""

from __future__ import annotations

import logging
import time
import traceback

import gevent

from pillowtop.engine.stalls import Stillness
from pillowtop.exceptions import Stalled, TransientError
from pillowtop.worker.crew import Crew
from pillowtop.worker.figures import Figures, Life
from pillowtop.worker.parts import Ground

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SHOWN_FRAMES = 6

LEAST_SECONDS = 3.0
"""Whoever waits for an answer is known to wait after a second, and looked at a second later."""


class Watcher:
    """Looks every second whether a pillow stands still although it waits for nothing known.

    A feed gives a read every second, if an empty one, and a batch under way calls hooks or has
    answers of a server: where that stops for too long, something hangs that has no time limit
    of its own, such as a hook.
    """

    def __init__(
        self,
        ground: Ground,
        figures: Figures,
        life: Life,
        crew: Crew,
    ) -> None:
        self._ground = ground
        self._figures = figures
        self._life = life
        self._crew = crew
        self._limit_seconds = max(ground.office.settings.STALL_SECONDS, LEAST_SECONDS)
        self._reader, self._batches, self._feed = Stillness(), Stillness(), Stillness()

    def run(self) -> None:
        """Watch for ever. Raises `Stalled`."""
        while True:
            gevent.sleep(LOOK_SECONDS)
            words = self._stall()
            if words:
                self._tell(words)
                raise Stalled(words)

    def _stall(self) -> str:
        """What stands still; empty where nothing does."""
        now, excused, limit = time.monotonic(), self._figures.is_waiting, self._limit_seconds
        flying, lacks = self._life.delivery.in_flight, self._lacks()
        delivering, handling = self._delivering(), self._handling()
        if self._batches.seconds(now, delivering, excused=excused or not flying) >= limit:
            return f"nothing has come of {flying} batches under way for {limit:g} s"
        if self._reader.seconds(now, (self._figures.reads, handling), excused=excused) >= limit:
            return f"nothing was read for {limit:g} s, not even that there is nothing"
        if self._feed.seconds(now, handling, excused=excused or not lacks) >= limit:
            return self._withheld()
        return ""

    def _delivering(self) -> object:
        """What changes while batches get on."""
        calls = getattr(self._ground.transport, "calls", 0)
        return self._figures.batches, calls, self._figures.answers.came

    def _handling(self) -> object:
        """What changes while changes come, and get on."""
        moved = self._figures.changes, self._life.position, self._ground.way.calls
        return moved, self._delivering()

    def _lacks(self) -> bool:
        """Whether CouchDB says that there is something to read."""
        filtered = self._ground.pillow.couch_filter is not None
        return bool(self._figures.pending_changes) and not filtered

    def _withheld(self) -> str:
        """Look for a change behind the position: the number of those that wait proves nothing."""
        database, mark = self._life.database, self._handling()
        try:
            there = database is not None and database.has_changes(self._life.position)
        except TransientError:
            return ""
        if not there or mark != self._handling():
            self._feed = Stillness()
            return ""
        return f"there are changes that its feed has not brought for {self._limit_seconds:g} s"

    def _tell(self, words: str) -> None:
        name = self._ground.pillow.name
        logger.error(
            "%s: stalled: %s. Its greenlets are at:\n%s",
            name,
            words,
            "\n".join(_place(one) for one in self._crew.alive if one.gr_frame is not None),
            extra={"action": "stalled", "pillow": name},
        )


def _place(greenlet: gevent.Greenlet) -> str:
    """Where a greenlet waits: the innermost frames."""
    frames = traceback.extract_stack(greenlet.gr_frame)[-SHOWN_FRAMES:]
    return "".join(traceback.format_list(frames)) + "  --"
