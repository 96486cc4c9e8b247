"""Says which pillow keeps all others of the process from running."""

from __future__ import annotations

import logging
import sys
import traceback
from types import FrameType
from typing import Self

from gevent.monkey import get_original
from gevent.threadpool import ThreadPool

from pillowtop.listener import BasicPillow
from pillowtop.worker.leasing import Leases

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
SHOWN_FRAMES = 4


class BlockWatch:
    """A native thread, which runs while no greenlet does. Says so once each time."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._is_over = False
        self._thread = get_original("_thread", "get_ident")()
        self._sleep = get_original("time", "sleep")

    def __enter__(self) -> Self:
        ThreadPool(1).spawn(self._watch)
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over = True

    def _watch(self) -> None:
        ticked_at, looks = 0.0, 0
        while not self._is_over:
            self._sleep(LOOK_SECONDS)
            # Counted, as a process that was stopped has not been blocked.
            looks = looks + 1 if self._leases.ticked_at == ticked_at else 0
            ticked_at = self._leases.ticked_at
            if looks == int(self._leases.seconds / 2 / LOOK_SECONDS):
                self._tell(looks * LOOK_SECONDS)

    def _tell(self, seconds: float) -> None:
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001  (there is no other way)
        pillow = _pillow_of(frame) or "pillowtop"
        logger.error(
            "%s: has let nothing else run for %.0f s, so that this process loses its leases: have "
            "its hook wait by what gevent knows, or work less at once. It is at:\n%s",
            pillow,
            seconds,
            "".join(traceback.format_stack(frame)[-SHOWN_FRAMES:]),
            extra={"action": "blocked", "pillow": pillow},
        )


def _pillow_of(frame: FrameType | None) -> str:
    """The pillow whose hook is running; empty where none is."""
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, BasicPillow):
            return owner.name
        frame = frame.f_back
    return ""
