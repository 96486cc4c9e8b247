"""The pillow whose messages are counted, as a project would write it."""

from __future__ import annotations

from pathlib import Path

from dev.bench.messages import FILE, JITTER
from pillowtop.feeds.http_stream import BLOCK_BYTES
from pillowtop.feeds.recorded import RecordedFeed
from pillowtop.stats.models import StatsProgress
from pillowtop.stats.pillows import StatsPillow


class MessagePillow(StatsPillow):
    """Follows the recorded feed of a folder."""

    lateness = JITTER

    def __init__(self, material: Path) -> None:
        super().__init__()
        self._recorded = RecordedFeed(material / FILE, "messages", read_bytes=BLOCK_BYTES)

    def get_feed(self) -> RecordedFeed:
        return self._recorded

    @property
    def counted(self) -> int:
        """What the database says."""
        return StatsProgress.objects.get(pillow=self.name).counted
