"""Statistics: counted in memory, and from a recorded feed into a Django database."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path

from dev.bench import messages
from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import launched, set_up

APPS = ("pillowtop", "pillowtop.stats")
KINDS = ("Volume", "VolumeByField", "DistinctCount", "Quantiles")
INTERVALS = (timedelta(seconds=1), timedelta(seconds=5), timedelta(minutes=1))
PLUGINS = [
    {"class": f"pillowtop.stats.shipped.{kind}", "options": {"interval": interval}}
    for kind, interval in product(KINDS, INTERVALS)
]
BATCH = 1000


def count_in_memory(job: Job) -> Figures:
    """Messages that are there already, in batches: what counting itself costs."""
    set_up(job, INSTALLED_APPS=APPS, PILLOWTOP_STATS={"PLUGINS": PLUGINS})
    from dev.bench.stats_pillow import MessagePillow  # noqa: PLC0415  (needs Django)
    from pillowtop.stats.tally import Tally  # noqa: PLC0415
    from pillowtop.stats.testing import MemoryStore, message  # noqa: PLC0415

    made = [message(one["timestamp"], one) for one in messages.messages(job.documents)]
    store = MemoryStore()
    pillow = MessagePillow(Path(job.material))
    tally = Tally(pillow.name, pillow.get_plugins(), pillow.get_rules(), store)
    with Stopwatch() as watch:
        for first in range(0, len(made), BATCH):
            tally.take(made[first : first + BATCH], present=True)
    _demand_counted(job, tally.progress.counted)
    if not store.rows:
        raise WorkNotDone("no window was closed")
    return watch.figures(job.documents)


def count_recorded(job: Job) -> Figures:
    """From a file into the database, as a worker does it: from nothing to caught up."""
    set_up(job, INSTALLED_APPS=APPS, PILLOWTOP_STATS={"PLUGINS": PLUGINS})
    from dev.bench.stats_pillow import MessagePillow  # noqa: PLC0415  (needs Django)

    pillow = MessagePillow(Path(job.material))
    watch = launched([pillow])
    _demand_counted(job, pillow.counted)
    return watch.figures(job.documents)


def _demand_counted(job: Job, counted: int) -> None:
    if counted != job.documents:
        raise WorkNotDone(f"{counted} messages were counted of {job.documents}")
