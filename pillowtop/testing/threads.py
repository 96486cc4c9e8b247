"""Threads that are kept for what comes next, instead of ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], object]


class KeptThreads:
    """Runs each job at once, in a thread that has nothing to do, or else in a new one.

    Many threads that end in one moment are more than Python 3.11 bears where greenlets are traced,
    as a coverage run does: the main thread may be caught in the removal of the first of them for
    ever (a trace function called from a pending call, while the next pending call waits).
    """

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[Job]] = []

    def run(self, job: Job) -> None:
        try:
            jobs = self._idle.pop()
        except IndexError:
            jobs = SimpleQueue()
            threading.Thread(target=self._work, args=(jobs,), daemon=True).start()
        jobs.put(job)

    def _work(self, jobs: SimpleQueue[Job]) -> None:
        while True:
            jobs.get()()
            self._idle.append(jobs)


KEPT = KeptThreads()
