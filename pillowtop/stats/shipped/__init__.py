"""Statistics that are shipped: name them in `PILLOWTOP_STATS["PLUGINS"]`, or derive from them.

All of them give the same rows for the same messages, whatever the order and the batches in which
these come, and wherever the state is saved and taken up in between.
"""

from __future__ import annotations

from pillowtop.stats.shipped.distinct import DistinctCount
from pillowtop.stats.shipped.latest import LatestByCategory
from pillowtop.stats.shipped.quantiles import Quantiles
from pillowtop.stats.shipped.top import TopK
from pillowtop.stats.shipped.volumes import Volume, VolumeByCategory, VolumeByField

__all__ = [
    "DistinctCount",
    "LatestByCategory",
    "Quantiles",
    "TopK",
    "Volume",
    "VolumeByCategory",
    "VolumeByField",
]
