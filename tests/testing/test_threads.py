from __future__ import annotations

import threading
from queue import SimpleQueue

from pillowtop.testing.threads import KeptThreads
from tests.projects import wait_until


def test_jobs_run_at_the_same_time_and_leave_their_threads_to_the_next():
    kept = KeptThreads()
    assert len(together(kept, 5)) == 5
    threads = threading.active_count()
    assert len(together(kept, 5)) == 5
    assert threading.active_count() == threads


def together(kept: KeptThreads, count: int) -> set[int]:
    """The threads that ran jobs none of which could end before the last had begun."""
    barrier, idents = threading.Barrier(count), SimpleQueue[int]()

    def job():
        barrier.wait(10)
        idents.put(threading.get_ident())

    for _ in range(count):
        kept.run(job)
    found = {idents.get(timeout=10) for _ in range(count)}
    wait_until(lambda: len(kept._idle) == count)
    return found
