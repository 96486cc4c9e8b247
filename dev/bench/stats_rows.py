"""A million rows of a statistic, and how soon a page of them is there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from dev.bench.clock import Stopwatch
from dev.bench.jobs import Figures, Job, WorkNotDone
from dev.bench.pillows import set_up

REQUESTS = 300
"""Of each way to ask; of fewer rows than as many thousands, one for each thousand."""

CATEGORIES = 20
RARE = "rare"
"""A category that one window in a thousand has."""

START = datetime(2020, 1, 1, tzinfo=UTC)
STATISTIC = "volume-by-category-1m"
CHUNK = 10_000
PAGE = 1000
"""Rows on a page at most."""

SETTINGS: dict[str, Any] = {
    "INSTALLED_APPS": ["pillowtop", "pillowtop.stats"],
    "ROOT_URLCONF": "pillowtop.stats.urls",
    "ALLOWED_HOSTS": ["*"],
    "PILLOWTOP_STATS": {
        "PLUGINS": ["pillowtop.stats.shipped.VolumeByCategory"],
        "ACCESS": "public",
    },
}


def fill_rows(job: Job) -> Figures:
    """Write as many rows as there are documents."""
    set_up(job, **SETTINGS)
    from pillowtop.stats.models import Categorized  # noqa: PLC0415  (needs Django)

    with Stopwatch() as watch:
        for first in range(0, job.documents, CHUNK):
            numbers = range(first, min(first + CHUNK, job.documents))
            Categorized.objects.bulk_create(
                Categorized(
                    statistic=STATISTIC,
                    timestamp=_time(number),
                    category=_category(number),
                    scalar=number % 977,
                )
                for number in numbers
            )
    return watch.figures(job.documents)


def _time(number: int) -> datetime:
    return START + timedelta(minutes=number // CATEGORIES)


def _category(number: int) -> str:
    return RARE if number % (CATEGORIES * 1000) == 0 else f"category {number % CATEGORIES}"


def ask_pages(job: Job) -> Figures:
    """Pages of a hundred rows, found in all ways, each of another place where there is one."""
    return _answered(job, f"/{STATISTIC}", Queries(job.documents).all_ways())


def ask_csv(job: Job) -> Figures:
    """Pages of as many rows as there may be, as CSV."""
    queries = Queries(job.documents)
    asked = [f"{queries.deep()}&rows_per_page={PAGE}" for _ in range(queries.count)]
    return _answered(job, f"/{STATISTIC}.csv", asked)


def _answered(job: Job, path: str, queries: Sequence[str]) -> Figures:
    """One request after the other, from within the process."""
    set_up(job, **SETTINGS)
    from django.test import Client  # noqa: PLC0415  (needs Django)

    client, waits = Client(), []
    client.get(path)  # imports all that there is
    with Stopwatch() as watch:
        for query in queries:
            started = time.perf_counter()
            response = client.get(f"{path}?{query}")
            waits.append(time.perf_counter() - started)
            if response.status_code != 200:
                raise WorkNotDone(f"{path}?{query}: {response.status_code} {response.content!r}")
    return watch.figures(len(waits), waits)


class Queries:
    """What is asked of so many rows."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self.count = min(REQUESTS, max(rows // 1000, 1))
        self._chance = random.Random(8)  # noqa: S311

    def all_ways(self) -> list[str]:
        ways: Sequence[Callable[[], str]] = (
            self.first,
            self.deep,
            self.within,
            self.category,
            self.rare,
        )
        return [way() for _ in range(self.count) for way in ways]

    def first(self) -> str:
        return ""

    def deep(self) -> str:
        from pillowtop.stats.http.cursors import write_cursor  # noqa: PLC0415  (needs Django)
        from pillowtop.stats.records.pages import Place  # noqa: PLC0415

        number = self._chance.randrange(PAGE, self._rows)
        return f"cursor={write_cursor(Place(_time(number), number + 1, self._rows - number))}"

    def within(self) -> str:
        first = self._chance.randrange(self._rows)
        start, stop = _time(first), _time(first) + timedelta(hours=6)
        return f"start={quote(start.isoformat())}&stop={quote(stop.isoformat())}&order=asc"

    def category(self) -> str:
        return f"category=category+{self._chance.randrange(1, CATEGORIES)}"

    def rare(self) -> str:
        return f"category={RARE}"
