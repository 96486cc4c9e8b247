"""Many pillows on one database, each of which looks at every document and takes none."""

from __future__ import annotations

from pathlib import Path

from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import launched, set_up


def run_crowd(job: Job) -> Figures:
    set_up(job)
    from dev.bench.pillow_classes import ChoosingPillow  # noqa: PLC0415  (needs Django)

    # Under names that have no checkpoint yet.
    names = [f"{Path(job.folder).name}-{number}" for number in range(job.pillows)]
    pillows = [ChoosingPillow(name) for name in names]
    for pillow in pillows:
        pillow.couch_db = job.database
    watch = launched(pillows)
    for pillow in pillows:
        if pillow.seen != job.documents:
            raise WorkNotDone(f"{pillow.name} saw {pillow.seen} of {job.documents} documents")
    return watch.figures(job.documents)
