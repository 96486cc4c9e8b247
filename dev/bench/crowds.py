"""Many pillows on one database, each of which looks at every document and takes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import launched, set_up
from pillowtop.feeds import couch
from pillowtop.feeds.couch_stream import CouchStream


class CountedStream(CouchStream):
    """A connection to a feed; there were `most` at once."""

    now = most = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        CountedStream.now += 1
        CountedStream.most = max(self.now, self.most)
        self._closes, self.close = self.close, self._closed

    def _closed(self) -> None:
        CountedStream.now -= 1
        self._closes()


def run_crowd(job: Job) -> Figures:
    set_up(job)
    from dev.bench.pillow_classes import ChoosingPillow  # noqa: PLC0415  (needs Django)

    # Under names that have no checkpoint yet.
    names = [f"{Path(job.folder).name}-{number}" for number in range(job.pillows)]
    pillows = [ChoosingPillow(name) for name in names]
    for pillow in pillows:
        pillow.couch_db = job.database
    with mock.patch.object(couch, "CouchStream", CountedStream):
        watch = launched(pillows)
    for pillow in pillows:
        if pillow.seen != job.documents:
            raise WorkNotDone(f"{pillow.name} saw {pillow.seen} of {job.documents} documents")
    return msgspec.structs.replace(
        watch.figures(job.documents), feed_connections=CountedStream.most
    )
