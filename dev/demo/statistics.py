"""What the demo shows of statistics."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

CHART = "http://127.0.0.1:8000/stats/departures-by-carrier-1h.svg"


def counted(database: Path) -> int:
    """How many messages the pillow has counted."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT counted FROM pillowtop_stats_statsprogress").fetchall()
    return sum(count for (count,) in rows)
